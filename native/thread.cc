// Starts threads with symbols that old C libraries have too, and moves them between namespaces.
#include "thread.h"

#include <csignal>

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Sanitizers must see these calls, and find them by their newest names.
#elif defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.17");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.17");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.17");
#endif

#if defined(__GLIBCXX__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The C++ library's headers refer to these since GCC 11, and so to newer libraries than the addon needs.
namespace std {
void __throw_bad_array_new_length() { __builtin_trap(); }
}  // namespace std
extern "C" {
// Shared pointers count without atomic operations where this is not 0, which is never so here.
extern char __libc_single_threaded;
char __libc_single_threaded = 0;
}
#endif

namespace netloom {

int startThread(pthread_t* id, void* (*body)(void*), void* argument) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(id, nullptr, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return error;
}

void joinThread(pthread_t id) { pthread_join(id, nullptr); }

void nameThread(const char* name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

Failure Worker::goHome() {
  Identity here;
  if (Failure failure = identifyCurrent(&here)) return failure;
  if (here == home_->identity) return {};
  if (setns(home_->fd.get(), CLONE_NEWNET) == 0) return {};
  lost_ = true;
  return Failure::of("setns");
}

Failure Worker::enter(const Namespace& target) {
  // Needs no privilege then, so that an ordinary user can look at the namespace that the process is in.
  if (target.identity == home_->identity) return {};
  if (setns(target.fd.get(), CLONE_NEWNET) != 0) return Failure::of("setns");
  away_ = true;
  return {};
}

Failure Worker::enterNew() {
  if (unshare(CLONE_NEWNET) != 0) return Failure::of("unshare");
  away_ = true;
  return {};
}

void Worker::leave() {
  if (!away_) return;
  away_ = false;
  if (setns(home_->fd.get(), CLONE_NEWNET) != 0) lost_ = true;
}

bool Worker::returns() const { return setns(home_->fd.get(), CLONE_NEWNET) == 0; }

uint8_t* Worker::buffer() {
  // Not make_unique: that would write, and so occupy, pages that most threads never need.
  if (!buffer_) buffer_.reset(new uint8_t[bufferSize]);
  return buffer_.get();
}

Failure Worker::wait(int fd, short events) {
  pollfd watched[] = {{fd, events, 0}, {stop_, POLLIN, 0}};
  if (retry([&] { return poll(watched, 2, -1); }) < 0) return Failure::of("poll");
  if (watched[1].revents != 0) return {ECANCELED, "poll", {}};
  return {};
}

bool Worker::pause(int milliseconds) {
  pollfd watched{stop_, POLLIN, 0};
  return poll(&watched, 1, milliseconds) == 0;
}

}  // namespace netloom
