// One thread that waits for many descriptors, so that no subscription holds a thread of the pool.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "completions.h"
#include "thread.h"

namespace netloom {

// Reads without waiting; nothing if there was nothing to read.
using Attempt = std::function<std::optional<Outcome>(uint8_t* buffer, size_t capacity)>;

// Everything but the body of the thread is for the JavaScript thread only.
class Poller {
 public:
  Poller(std::shared_ptr<Completions> completions, NamespacePointer home);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller() { stop(); }

  // Attempts on one descriptor are made in the order in which they were submitted.
  void submit(std::shared_ptr<const Fd> fd, napi_deferred deferred, Attempt attempt);
  // Whatever waits for the descriptor fails with ECANCELED.
  void cancel(const Fd& fd);
  void stop();

 private:
  struct Waiting {
    std::shared_ptr<const Fd> fd;
    napi_deferred deferred;
    Attempt attempt;
  };

  Failure start();
  Failure add(Waiting waiting);
  void run();
  void serve(int fd, uint8_t* buffer);

  const std::shared_ptr<Completions> completions_;
  const NamespacePointer home_;
  Fd epoll_;
  Fd stop_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  // By descriptor, whose number cannot be reused while something in its queue holds it.
  std::map<int, std::deque<Waiting>> waiting_;
};

}  // namespace netloom
