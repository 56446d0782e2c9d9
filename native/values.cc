// Turns what C++ has found into values for JavaScript.
#include "values.h"

#include <algorithm>

namespace netloom {

napi_value toArray(napi_env env, const Bytes& bytes) {
  void* memory = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, bytes.size(), &memory, &buffer) != napi_ok) return nullptr;
  if (!bytes.empty()) std::copy(bytes.begin(), bytes.end(), static_cast<uint8_t*>(memory));
  napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array);
  return array;
}

napi_value toBigint(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_bigint_int64(env, value, &result);
  return result;
}

Record& Record::set(const char* name, napi_value value) {
  if (value != nullptr) napi_set_named_property(env_, object_, name, value);
  return *this;
}

Record& Record::set(const char* name, double value) {
  napi_value number = nullptr;
  napi_create_double(env_, value, &number);
  return set(name, number);
}

Record& Record::set(const char* name, bool value) {
  napi_value flag = nullptr;
  napi_get_boolean(env_, value, &flag);
  return set(name, flag);
}

}  // namespace netloom
