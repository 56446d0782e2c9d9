// The addon's functions that do much in one call.
#pragma once

#include <napi.h>

namespace netloom {

Napi::Value CreateNamespaces(const Napi::CallbackInfo& info);
Napi::Value Perform(const Napi::CallbackInfo& info);
Napi::Value RemoveNamespaces(const Napi::CallbackInfo& info);
Napi::Value RemoveEntries(const Napi::CallbackInfo& info);

}  // namespace netloom
