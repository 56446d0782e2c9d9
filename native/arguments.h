// Checked reading of a call's arguments.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <napi.h>

#include "namespace.h"
#include "sockets.h"

namespace netloom {

// The first argument of a wrong kind throws; what is read after that is empty, and failed() tells.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info), env_(info.Env()) {}

  bool failed() const { return failed_; }
  NamespacePointer ns(size_t index) { return toNamespace(info_[index]); }
  std::string text(size_t index) { return toText(info_[index]); }
  std::optional<std::string> optionalText(size_t index);
  int integer(size_t index) { return toInteger(info_[index]); }
  int integer(size_t index, int otherwise) { return info_[index].IsUndefined() ? otherwise : integer(index); }
  Bytes bytes(size_t index) { return toBytes(info_[index]); }
  Bytes optionalBytes(size_t index) { return info_[index].IsUndefined() ? Bytes{} : bytes(index); }
  // How much a caller wants to have at once.
  size_t limit(size_t index, size_t otherwise);
  std::vector<SocketOption> socketOptions(size_t index);
  Napi::Object object(size_t index);

  // Undefined once something has failed, such as a getter of the caller's.
  Napi::Value member(Napi::Object object, const char* name);
  Napi::Value element(Napi::Array array, uint32_t index);
  Napi::Array array(Napi::Value value);
  NamespacePointer toNamespace(Napi::Value value);
  Bytes toBytes(Napi::Value value);
  std::string toText(Napi::Value value);
  std::vector<std::string> toTexts(Napi::Value value);
  int toInteger(Napi::Value value);
  // Of device and inode numbers: not below 0.
  double toDouble(Napi::Value value);
  // False if undefined.
  bool toFlag(Napi::Value value);
  std::vector<uint32_t> toNumbers(Napi::Value value);

 private:
  void refuse(const char* wanted);

  const Napi::CallbackInfo& info_;
  Napi::Env env_;
  bool failed_ = false;
};

}  // namespace netloom
