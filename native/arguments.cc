// Turns JavaScript arguments into C++ values, or a wrong one into a TypeError.
#include "arguments.h"

#include "addon.h"
#include "handles.h"

namespace netloom {

void Arguments::refuse(const char* wanted) {
  if (failed_) return;
  failed_ = true;
  if (!env_.IsExceptionPending()) Napi::TypeError::New(env_, std::string(wanted) + " expected").ThrowAsJavaScriptException();
}

NamespacePointer Arguments::toNamespace(Napi::Value value) {
  NamespaceHandle* handle = NamespaceHandle::from(value);
  if (handle == nullptr) {
    refuse("a namespace handle");
    return nullptr;
  }
  if (!handle->pointer() && !failed_) {
    failed_ = true;
    throwFailure(env_, {EBADF, "setns", {}});
  }
  return handle->pointer();
}

std::optional<std::string> Arguments::optionalText(size_t index) {
  if (info_[index].IsUndefined()) return std::nullopt;
  return text(index);
}

std::string Arguments::toText(Napi::Value value) {
  if (!value.IsString()) {
    refuse("a string");
    return {};
  }
  std::string text = value.As<Napi::String>().Utf8Value();
  // The kernel would see only what comes before it.
  if (text.find('\0') != std::string::npos) refuse("a string without NUL");
  return text;
}

std::vector<std::string> Arguments::toTexts(Napi::Value value) {
  std::vector<std::string> texts;
  if (!value.IsArray()) {
    refuse("an array of strings");
    return texts;
  }
  auto array = value.As<Napi::Array>();
  for (uint32_t index = 0; index < array.Length() && !failed_; ++index) texts.push_back(toText(element(array, index)));
  return texts;
}

int Arguments::toInteger(Napi::Value value) {
  if (!value.IsNumber()) {
    refuse("a number");
    return 0;
  }
  return value.As<Napi::Number>().Int32Value();
}

double Arguments::toDouble(Napi::Value value) {
  double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (number >= 0 && number < 0x1p63) return number;
  refuse("a number");
  return 0;
}

bool Arguments::toFlag(Napi::Value value) {
  if (value.IsUndefined()) return false;
  if (value.IsBoolean()) return value.As<Napi::Boolean>();
  refuse("a boolean");
  return false;
}

std::vector<uint32_t> Arguments::toNumbers(Napi::Value value) {
  std::vector<uint32_t> numbers;
  if (!value.IsArray()) {
    refuse("an array of numbers");
    return numbers;
  }
  auto array = value.As<Napi::Array>();
  for (uint32_t index = 0; index < array.Length() && !failed_; ++index)
    numbers.push_back(static_cast<uint32_t>(toInteger(element(array, index))));
  return numbers;
}

Bytes Arguments::toBytes(Napi::Value value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    refuse("a Uint8Array");
    return {};
  }
  auto array = value.As<Napi::Uint8Array>();
  return Bytes(array.Data(), array.Data() + array.ElementLength());
}

size_t Arguments::limit(size_t index, size_t otherwise) {
  if (info_[index].IsUndefined()) return otherwise;
  if (!info_[index].IsNumber()) {
    refuse("a number");
    return 1;
  }
  double wanted = info_[index].As<Napi::Number>().DoubleValue();
  // Also what is not a number at all. At least something, or a caller that goes on would go on for ever.
  if (!(wanted >= 1)) return 1;
  return wanted < 1e15 ? static_cast<size_t>(wanted) : std::numeric_limits<size_t>::max();
}

std::vector<SocketOption> Arguments::socketOptions(size_t index) {
  std::vector<SocketOption> options;
  if (!info_[index].IsArray()) {
    refuse("an array of socket options");
    return options;
  }
  auto array = info_[index].As<Napi::Array>();
  for (uint32_t item = 0; item < array.Length() && !failed_; ++item) {
    Napi::Value value = element(array, item);
    if (!value.IsArray()) {
      refuse("a socket option [level, name, value]");
      break;
    }
    auto option = value.As<Napi::Array>();
    options.push_back({toInteger(element(option, 0)), toInteger(element(option, 1)), toBytes(element(option, 2))});
  }
  return options;
}

Napi::Value Arguments::member(Napi::Object object, const char* name) {
  napi_value value = nullptr;
  // Plain calls, because the wrapper's answer to an exception is an empty value that cannot even be asked what it is.
  if (!failed_ && napi_get_named_property(env_, object, name, &value) == napi_ok) return {env_, value};
  failed_ = true;
  return env_.Undefined();
}

Napi::Value Arguments::element(Napi::Array array, uint32_t index) {
  napi_value value = nullptr;
  if (!failed_ && napi_get_element(env_, array, index, &value) == napi_ok) return {env_, value};
  failed_ = true;
  return env_.Undefined();
}

Napi::Array Arguments::array(Napi::Value value) {
  if (!value.IsArray()) {
    refuse("an array");
    return Napi::Array::New(env_);
  }
  return value.As<Napi::Array>();
}

Napi::Object Arguments::object(size_t index) {
  if (!info_[index].IsObject()) {
    refuse("an object");
    return Napi::Object::New(env_);
  }
  return info_[index].As<Napi::Object>();
}

}  // namespace netloom
