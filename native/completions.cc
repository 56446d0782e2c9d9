// Settles promises on the JavaScript thread; the process stays alive while there are any to settle.
#include "completions.h"

namespace netloom {

// The statuses of the calls below are not looked at: they fail only when the environment is ending, and then nobody waits any more.

napi_value makeError(napi_env env, const Failure& failure) {
  std::string text = std::string(failure.call) + " failed with errno " + std::to_string(failure.number);
  if (!failure.path.empty()) text += ": " + failure.path;
  napi_value message = nullptr;
  napi_value error = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &message);
  napi_create_error(env, nullptr, message, &error);
  napi_value number = nullptr;
  napi_create_int32(env, failure.number, &number);
  napi_set_named_property(env, error, "errno", number);
  napi_value call = nullptr;
  napi_create_string_utf8(env, failure.call, NAPI_AUTO_LENGTH, &call);
  napi_set_named_property(env, error, "syscall", call);
  if (!failure.path.empty()) {
    napi_value path = nullptr;
    napi_create_string_utf8(env, failure.path.data(), failure.path.size(), &path);
    napi_set_named_property(env, error, "path", path);
  }
  return error;
}

std::shared_ptr<Completions> Completions::create(napi_env env) {
  std::shared_ptr<Completions> self(new Completions);
  napi_value name = nullptr;
  napi_create_string_utf8(env, "netloom", NAPI_AUTO_LENGTH, &name);
  // Node may call the function for as long as it has not finalized it, so it owns a share of what it calls.
  auto* share = new std::shared_ptr<Completions>(self);
  auto finalize = [](napi_env, void* data, void*) {
    auto* held = static_cast<std::shared_ptr<Completions>*>(data);
    {
      std::lock_guard<std::mutex> lock((*held)->mutex_);
      (*held)->function_ = nullptr;
    }
    delete held;
  };
  auto call = [](napi_env environment, napi_value, void* context, void*) {
    if (environment != nullptr) static_cast<Completions*>(context)->drain(environment);
  };
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, share, finalize, self.get(), call,
                                      &self->function_) != napi_ok) {
    delete share;
    return nullptr;
  }
  napi_unref_threadsafe_function(env, self->function_);
  return self;
}

bool Completions::begin(napi_env env, napi_deferred* deferred, napi_value* promise, bool idle) {
  if (napi_create_promise(env, deferred, promise) != napi_ok) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  if (idle) {
    idle_.insert(*deferred);
    return true;
  }
  if (pending_++ == 0 && function_ != nullptr) napi_ref_threadsafe_function(env, function_);
  return true;
}

void Completions::finish(napi_deferred deferred, Outcome outcome) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (function_ == nullptr) return;
  items_.push_back({deferred, std::move(outcome)});
  if (called_) return;
  called_ = true;
  // After any refusal Node may free the function.
  if (napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) != napi_ok) function_ = nullptr;
}

void Completions::close() {
  // Destroyed after the lock is given back: an outcome may own what comes here again when it ends.
  // cppcheck-suppress variableScope
  std::vector<Item> dropped;
  napi_threadsafe_function function = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::swap(function, function_);
    dropped.swap(items_);
  }
  afterwards_ = nullptr;
  if (function != nullptr) napi_release_threadsafe_function(function, napi_tsfn_release);
}

void Completions::drain(Napi::Env env) {
  // The last promise settled may lead to the end of the environment, and with it of the other owners.
  auto self = shared_from_this();
  std::vector<Item> items;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    items.swap(items_);
    called_ = false;
  }
  for (auto& [deferred, outcome] : items) {
    Napi::HandleScope scope(env);
    if (outcome.failure) {
      napi_reject_deferred(env, deferred, makeError(env, outcome.failure));
      continue;
    }
    napi_value value = outcome.value ? outcome.value(env) : nullptr;
    if (value == nullptr) napi_get_undefined(env, &value);
    napi_resolve_deferred(env, deferred, value);
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    size_t before = pending_;
    for (auto& item : items) {
      if (idle_.erase(item.deferred) == 0) --pending_;
    }
    if (before > 0 && pending_ == 0 && function_ != nullptr) napi_unref_threadsafe_function(env, function_);
  }
  if (afterwards_) afterwards_();
}

}  // namespace netloom
