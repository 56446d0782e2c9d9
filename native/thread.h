// Threads, their waking signal, and what work may use of the thread that it runs on.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "fd.h"
#include "namespace.h"
#include "sysctl.h"

namespace netloom {

// std::thread and std::condition_variable would raise the oldest C++ library that the addon loads with.
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() { pthread_cond_destroy(&condition_); }
  void wait(std::unique_lock<std::mutex>& lock) { pthread_cond_wait(&condition_, lock.mutex()->native_handle()); }
  void wakeOne() { pthread_cond_signal(&condition_); }
  void wakeAll() { pthread_cond_broadcast(&condition_); }

 private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

// Starts a thread that takes no signals: a handler must not run in the middle of a namespace change. Returns 0 or an errno.
int startThread(pthread_t* id, void* (*body)(void*), void* argument);
void joinThread(pthread_t id);
void nameThread(const char* name);

class Worker {
 public:
  // No datagram of the kernel's is larger than this, but for lists of objects that do not fit a message either.
  static constexpr size_t bufferSize = size_t{1} << 20;

  Worker(std::shared_ptr<const Namespace> home, int stop, const std::atomic<bool>* stopping)
      : home_(std::move(home)), stop_(stop), stopping_(stopping) {}

  // Brings a thread home that was started while its creator was elsewhere.
  Failure goHome();
  Failure enter(const Namespace& target);
  // Makes a new namespace and stays in it until leave().
  Failure enterNew();
  void leave();
  // Whether the thread could come home from elsewhere. To be asked at home, where it goes to see.
  bool returns() const;
  // True once the thread could not return home: it must not run anything else.
  bool lost() const { return lost_; }

  uint8_t* buffer();
  SettingsRoot& settings() { return settings_; }
  bool stopping() const { return stopping_->load(std::memory_order_relaxed); }
  // Waits until the descriptor is ready; ECANCELED when everything stops meanwhile.
  Failure wait(int fd, short events);
  // Sleeps; false when everything stops.
  bool pause(int milliseconds);

 private:
  std::shared_ptr<const Namespace> home_;
  int stop_;
  const std::atomic<bool>* stopping_;
  std::unique_ptr<uint8_t[]> buffer_;
  SettingsRoot settings_;
  bool away_ = false;
  bool lost_ = false;
};

// Inside a namespace until the end of the scope.
class Inside {
 public:
  Inside(Worker& worker, const Namespace& target) : worker_(worker), failure(worker.enter(target)) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { worker_.leave(); }

 private:
  Worker& worker_;

 public:
  const Failure failure;
};

}  // namespace netloom
