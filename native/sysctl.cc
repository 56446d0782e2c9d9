// Reads and writes files under /proc/sys, and reads those of /proc/thread-self/net, from inside a namespace, which is what decides whose settings they show.
#include "sysctl.h"

#include <fcntl.h>

#include "thread.h"

namespace netloom {
namespace {

bool below(const std::string& path, const char* directory) {
  return path.rfind(directory, 0) == 0 && (path + "/").find("/../") == std::string::npos;
}

}  // namespace

// Both stay inside until the end: some settings look at the namespace of whoever reads or writes, not of whoever opened.
Failure readSysctl(Worker& worker, const Namespace& target, const std::string& path, std::string* value) {
  if (!below(path, "/proc/sys/") && !below(path, "/proc/thread-self/net/")) return {EINVAL, "open", path};
  Inside inside(worker, target);
  if (inside.failure) return inside.failure;
  Fd file(retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); }));
  if (!file) return Failure::of("open", path);
  char part[4096];
  for (;;) {
    auto count = retry([&] { return read(file.get(), part, sizeof part); });
    if (count < 0) return Failure::of("read", path);
    if (count == 0) return {};
    value->append(part, static_cast<size_t>(count));
  }
}

Failure writeSysctl(Worker& worker, const Namespace& target, const std::string& path, const std::string& value) {
  Inside inside(worker, target);
  if (inside.failure) return inside.failure;
  return writeHere(path, value);
}

Failure writeHere(const std::string& path, const std::string& value) {
  if (!below(path, "/proc/sys/")) return {EINVAL, "open", path};
  Fd file(retry([&] { return open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW); }));
  if (!file) return Failure::of("open", path);
  auto count = retry([&] { return write(file.get(), value.data(), value.size()); });
  if (count < 0) return Failure::of("write", path);
  // A second write would start a new value, so a part of one is a failure. Of IPv6's switches Linux 5.10 says that it took one character of a
  // line; the rest is white space then.
  if (value.find_first_not_of(" \n", static_cast<size_t>(count)) != std::string::npos) return {EIO, "write", path};
  return {};
}

}  // namespace netloom
