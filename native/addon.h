// What one environment (the main thread, or a worker thread) owns of this addon.
#pragma once

#include <memory>
#include <utility>

#include <napi.h>

#include "completions.h"
#include "namespace.h"
#include "poller.h"
#include "pool.h"

namespace netloom {

struct Addon {
  std::shared_ptr<Completions> completions;
  std::shared_ptr<Pool> pool;
  std::shared_ptr<Poller> poller;
  Napi::FunctionReference namespaceHandle;
  Napi::FunctionReference netlinkSocket;
  Napi::FunctionReference packetSocket;
  Napi::FunctionReference descriptor;

  static Addon& of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }
  // Runs the work on the pool; a promise of its outcome.
  Napi::Value run(Napi::Env env, const std::shared_ptr<Strand>& strand, Work work, bool sleeps = false);
  // Attempts it whenever the descriptor is readable, until it has an outcome.
  Napi::Value poll(Napi::Env env, std::shared_ptr<const Fd> fd, Attempt attempt, bool idle = false);
};

Napi::Value throwFailure(Napi::Env env, const Failure& failure);

}  // namespace netloom
