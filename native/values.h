// Values for JavaScript, made with plain calls: those of the wrapper library throw, which is no use while an environment is ending.
#pragma once

#include <cstdint>

#include <napi.h>

#include "netlink.h"

namespace netloom {

// A Uint8Array.
napi_value toArray(napi_env env, const Bytes& bytes);
napi_value toBigint(napi_env env, int64_t value);

class Record {
 public:
  explicit Record(napi_env env) : env_(env) { napi_create_object(env, &object_); }
  Record& set(const char* name, napi_value value);
  Record& set(const char* name, double value);
  Record& set(const char* name, bool value);
  napi_value object() const { return object_; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
};

}  // namespace netloom
