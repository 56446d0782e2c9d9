// A descriptor that closes itself, and what a failed system call leaves behind.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace netloom {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int value) : value_(value) {}
  Fd(Fd&& other) noexcept : value_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }
  void reset(int value = -1) {
    if (value_ >= 0) close(value_);
    value_ = value;
  }

 private:
  int value_ = -1;
};

struct Failure {
  int number = 0;
  const char* call = "";
  std::string path;

  explicit operator bool() const { return number != 0; }
  // Reads errno, so it must be the first thing after the call that failed.
  static Failure of(const char* call, std::string path = {}) { return {errno, call, std::move(path)}; }
};

template <typename Call>
auto retry(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace netloom
