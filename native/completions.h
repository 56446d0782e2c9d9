// Carries outcomes from other threads to the JavaScript thread, many in one call.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <napi.h>

#include "fd.h"

namespace netloom {

// Made on any thread, called on the JavaScript thread: what the promise resolves with. May be empty for undefined.
using Value = std::function<napi_value(Napi::Env)>;

struct Outcome {
  Failure failure;
  Value value;
};

// An Error with errno, syscall and path.
napi_value makeError(napi_env env, const Failure& failure);

class Completions : public std::enable_shared_from_this<Completions> {
 public:
  static std::shared_ptr<Completions> create(napi_env env);
  ~Completions() = default;

  // JavaScript thread: a promise and the name under which to finish it. False when the environment is ending. The process lives
  // until it is finished, unless it is idle.
  bool begin(napi_env env, napi_deferred* deferred, napi_value* promise, bool idle = false);
  // Any thread, exactly once for each begin().
  void finish(napi_deferred deferred, Outcome outcome);
  // JavaScript thread: outcomes that arrive later are dropped, their promises stay as they are.
  void close();
  // Called on the JavaScript thread after each round of outcomes.
  void afterwards(std::function<void()> callback) { afterwards_ = std::move(callback); }

 private:
  struct Item {
    napi_deferred deferred;
    Outcome outcome;
  };

  Completions() = default;
  void drain(Napi::Env env);

  std::mutex mutex_;
  std::vector<Item> items_;
  napi_threadsafe_function function_ = nullptr;
  bool called_ = false;
  size_t pending_ = 0;
  std::set<napi_deferred> idle_;
  std::function<void()> afterwards_;
};

}  // namespace netloom
