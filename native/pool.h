// A small pool of threads that runs blocking work; the work of one strand runs in order, one at a time.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "completions.h"
#include "thread.h"

namespace netloom {

// Must not hold the strand it is queued on, or neither would ever be freed.
using Work = std::function<Outcome(Worker&)>;

struct Operation {
  napi_deferred deferred;
  Work work;
  // It takes a thread but no processor, so that others need one more meanwhile.
  bool sleeps = false;
};

// The queue of one socket.
class Strand {
 private:
  friend class Pool;
  std::deque<Operation> waiting_;
  bool busy_ = false;
  bool closed_ = false;
};

// Everything but the body of its threads is for the JavaScript thread only.
class Pool {
 public:
  static Failure create(std::shared_ptr<Completions> completions, NamespacePointer home, std::shared_ptr<Pool>* result);
  // `stop` becomes readable when everything ends.
  Pool(std::shared_ptr<Completions> completions, NamespacePointer home, Fd stop);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { stop(); }

  // `strand` may be null: then the work waits for nothing else.
  void submit(const std::shared_ptr<Strand>& strand, Operation operation);
  // What is queued, but does not run yet, fails with ECANCELED.
  void close(Strand& strand);
  // Starts a thread if work is waiting for one: to be called now and then, since threads may have to end.
  void grow();
  // Ends and joins all threads; work that has not begun is dropped.
  void stop();

 private:
  struct Ready {
    std::shared_ptr<Strand> strand;
    Operation operation;
    int64_t since;
  };

  void run();
  // The first that may run now.
  std::deque<Ready>::iterator nextLocked();
  void advance(const std::shared_ptr<Strand>& strand);
  // Returns an errno if a thread is needed and cannot be had.
  int growLocked();
  void refuseAll(const Failure& failure);
  void retire();

  const std::shared_ptr<Completions> completions_;
  const NamespacePointer home_;
  Fd stop_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  Signal wake_;
  std::deque<Ready> ready_;
  std::vector<pthread_t> threads_;
  // Those that ended by themselves, to be joined.
  std::vector<pthread_t> ended_;
  size_t running_ = 0;
  size_t starting_ = 0;
  size_t idle_ = 0;
  size_t asleep_ = 0;
};

}  // namespace netloom
