// Waits with epoll and reads as soon as something is there.
#include "poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace netloom {

Poller::Poller(std::shared_ptr<Completions> completions, NamespacePointer home)
    : completions_(std::move(completions)), home_(std::move(home)) {}

Failure Poller::start() {
  if (started_) return {};
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return Failure::of("epoll_create1");
  stop_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_) return Failure::of("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = stop_.get();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event) != 0) return Failure::of("epoll_ctl");
  auto body = [](void* poller) -> void* {
    nameThread("netloom-poll");
    static_cast<Poller*>(poller)->run();
    return nullptr;
  };
  if (int error = startThread(&thread_, body, this)) return {error, "pthread_create", {}};
  started_ = true;
  return {};
}

void Poller::submit(std::shared_ptr<const Fd> fd, napi_deferred deferred, Attempt attempt) {
  if (stopping_) return;
  Failure failure = start();
  if (!failure) failure = add({std::move(fd), deferred, std::move(attempt)});
  if (failure) completions_->finish(deferred, {failure, {}});
}

Failure Poller::add(Waiting waiting) {
  int fd = waiting.fd->get();
  std::lock_guard<std::mutex> lock(mutex_);
  auto& queue = waiting_[fd];
  queue.push_back(std::move(waiting));
  if (queue.size() > 1) return {};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  // There already while an attempt is being made.
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST) return {};
  Failure failure = Failure::of("epoll_ctl");
  waiting_.erase(fd);
  return failure;
}

void Poller::cancel(const Fd& fd) {
  std::deque<Waiting> cancelled;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = waiting_.find(fd.get());
    if (found == waiting_.end()) return;
    cancelled.swap(found->second);
    waiting_.erase(found);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  }
  for (const auto& waiting : cancelled) completions_->finish(waiting.deferred, {{ECANCELED, "close", {}}, {}});
}

void Poller::run() {
  Worker worker(home_, stop_.get(), &stopping_);
  // Only so that no namespace is kept alive by this thread: it reads from sockets wherever it is.
  (void)worker.goHome();
  epoll_event events[64];
  while (!stopping_) {
    int count = epoll_wait(epoll_.get(), events, 64, -1);
    for (int index = 0; index < count && !stopping_; ++index) {
      if (events[index].data.fd != stop_.get()) serve(events[index].data.fd, worker.buffer());
    }
  }
}

void Poller::serve(int fd, uint8_t* buffer) {
  Waiting waiting;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = waiting_.find(fd);
    if (found == waiting_.end()) return;
    // An empty queue stays: it says that nobody has cancelled meanwhile.
    waiting = std::move(found->second.front());
    found->second.pop_front();
  }
  std::optional<Outcome> outcome = waiting.attempt(buffer, Worker::bufferSize);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = waiting_.find(fd);
    if (!outcome && found != waiting_.end()) {
      found->second.push_front(std::move(waiting));
      return;
    }
    if (found != waiting_.end() && found->second.empty()) {
      waiting_.erase(found);
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    }
  }
  // The descriptor may close here, before the caller hears of it.
  waiting.attempt = nullptr;
  waiting.fd.reset();
  if (!outcome) outcome = Outcome{{ECANCELED, "close", {}}, {}};
  completions_->finish(waiting.deferred, std::move(*outcome));
}

void Poller::stop() {
  if (!started_ || stopping_.exchange(true)) return;
  uint64_t one = 1;
  if (retry([&] { return write(stop_.get(), &one, sizeof one); }) < 0) {
    // Only full when it is readable anyway.
  }
  joinThread(thread_);
  waiting_.clear();
}

}  // namespace netloom
