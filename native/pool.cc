// Runs work on a few threads of its own, never on libuv's, which belong to files and look-ups.
#include "pool.h"

#include <algorithm>
#include <ctime>

#include <sys/eventfd.h>

namespace netloom {
namespace {

// The kernel does most of this work under one lock, so more threads only help while others wait for something else.
constexpr size_t eagerThreads = 2;
constexpr size_t mostThreads = 4;
// As many more for those that sleep, which never keep others from having a thread.
constexpr size_t mostAsleep = 8;
constexpr int64_t patience = 10'000'000;

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Failure Pool::create(std::shared_ptr<Completions> completions, NamespacePointer home, std::shared_ptr<Pool>* result) {
  Fd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return Failure::of("eventfd");
  *result = std::make_shared<Pool>(std::move(completions), std::move(home), std::move(stop));
  return {};
}

Pool::Pool(std::shared_ptr<Completions> completions, NamespacePointer home, Fd stop)
    : completions_(std::move(completions)), home_(std::move(home)), stop_(std::move(stop)) {}

void Pool::submit(const std::shared_ptr<Strand>& strand, Operation operation) {
  int error = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    if (strand && strand->busy_) {
      strand->waiting_.push_back(std::move(operation));
      return;
    }
    if (strand) strand->busy_ = true;
    ready_.push_back({strand, std::move(operation), now()});
    if (idle_ > 0) wake_.wakeOne();
    error = growLocked();
  }
  if (error != 0) refuseAll({error, "pthread_create", {}});
}

void Pool::grow() {
  int error = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    error = growLocked();
  }
  if (error != 0) refuseAll({error, "pthread_create", {}});
}

int Pool::growLocked() {
  for (pthread_t id : ended_) joinThread(id);
  ended_.clear();
  if (stopping_ || ready_.size() <= idle_ + starting_ || running_ >= mostThreads + asleep_) return 0;
  if (running_ >= eagerThreads + asleep_ && now() - ready_.front().since < patience) return 0;
  auto body = [](void* pool) -> void* {
    nameThread("netloom");
    static_cast<Pool*>(pool)->run();
    return nullptr;
  };
  pthread_t id;
  if (int error = startThread(&id, body, this)) {
    // A pool of fewer threads is a slower one; a pool of none would keep its callers waiting for ever.
    return running_ == 0 ? error : 0;
  }
  threads_.push_back(id);
  ++running_;
  ++starting_;
  return 0;
}

void Pool::refuseAll(const Failure& failure) {
  std::vector<Operation> refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& ready : ready_) {
      refused.push_back(std::move(ready.operation));
      if (!ready.strand) continue;
      for (auto& operation : ready.strand->waiting_) refused.push_back(std::move(operation));
      ready.strand->waiting_.clear();
      ready.strand->busy_ = false;
    }
    ready_.clear();
  }
  for (auto& operation : refused) {
    operation.work = nullptr;
    completions_->finish(operation.deferred, {failure, {}});
  }
}

void Pool::close(Strand& strand) {
  std::lock_guard<std::mutex> lock(mutex_);
  strand.closed_ = true;
}

void Pool::advance(const std::shared_ptr<Strand>& strand) {
  if (strand->waiting_.empty()) {
    strand->busy_ = false;
    return;
  }
  ready_.push_back({strand, std::move(strand->waiting_.front()), now()});
  strand->waiting_.pop_front();
}

std::deque<Pool::Ready>::iterator Pool::nextLocked() {
  return std::find_if(ready_.begin(), ready_.end(), [&](const Ready& job) { return !job.operation.sleeps || asleep_ < mostAsleep; });
}

void Pool::run() {
  Worker worker(home_, stop_.get(), &stopping_);
  Failure stranded = worker.goHome();
  std::unique_lock<std::mutex> lock(mutex_);
  --starting_;
  while (!worker.lost()) {
    auto next = nextLocked();
    for (; next == ready_.end() && !stopping_; next = nextLocked()) {
      ++idle_;
      wake_.wait(lock);
      --idle_;
    }
    if (stopping_) return;
    Ready job = std::move(*next);
    ready_.erase(next);
    bool closed = job.strand && job.strand->closed_;
    if (job.operation.sleeps) ++asleep_;
    lock.unlock();
    Outcome outcome{{ECANCELED, "close", {}}, {}};
    if (!closed) outcome = job.operation.work(worker);
    // Its descriptors are closed, and its strand goes on, before the caller hears of it.
    job.operation.work = nullptr;
    lock.lock();
    if (job.operation.sleeps) --asleep_;
    if (job.strand) advance(job.strand);
    if (worker.lost()) retire();
    lock.unlock();
    completions_->finish(job.operation.deferred, std::move(outcome));
    lock.lock();
  }
  if (stranded) {
    retire();
    // Whoever starts the next thread is as far from home as this one, so the work would wait for nothing.
    bool last = running_ == 0;
    lock.unlock();
    if (last) refuseAll(stranded);
    lock.lock();
  }
  // The last thing with the lock held: whoever joins this thread holds it too.
  auto self = std::find(threads_.begin(), threads_.end(), pthread_self());
  if (self == threads_.end()) return;
  ended_.push_back(*self);
  threads_.erase(self);
}

void Pool::retire() {
  --running_;
  if (idle_ > 0) wake_.wakeOne();
}

void Pool::stop() {
  std::vector<pthread_t> threads;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    threads.insert(threads.end(), ended_.begin(), ended_.end());
    ended_.clear();
    wake_.wakeAll();
  }
  uint64_t one = 1;
  if (retry([&] { return write(stop_.get(), &one, sizeof one); }) < 0) {
    // Only full when it is readable anyway.
  }
  for (pthread_t id : threads) joinThread(id);
  std::deque<Ready> dropped;
  dropped.swap(ready_);
  for (const auto& ready : dropped) {
    if (ready.strand) ready.strand->waiting_.clear();
  }
}

}  // namespace netloom
