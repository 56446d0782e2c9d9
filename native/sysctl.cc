// Reads and writes files under /proc/sys, and reads those of /proc/thread-self/net, from inside a namespace, which is what decides whose settings they show.
#include "sysctl.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "thread.h"

namespace netloom {
namespace {

// How many files are opened in one instance: making another takes some 0.3 ms.
constexpr unsigned mostOpened = 64;
constexpr size_t rootLength = sizeof "/proc/" - 1;

bool below(const std::string& path, const char* directory) {
  return path.rfind(directory, 0) == 0 && (path + "/").find("/../") == std::string::npos;
}

// An instance of procfs that is mounted nowhere.
Failure mountProc(Fd* result) {
  Fd context(static_cast<int>(syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC)));
  if (!context) return Failure::of("fsopen");
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return Failure::of("fsconfig");
  unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  result->reset(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, attributes)));
  return *result ? Failure{} : Failure::of("fsmount");
}

// Whoever mounted it so wants nothing to be changed.
bool isReadOnly(const char* path) {
  Fd directory(retry([&] { return open(path, O_PATH | O_CLOEXEC); }));
  struct statfs found{};
  return !directory || fstatfs(directory.get(), &found) != 0 || (found.f_flags & ST_RDONLY) != 0;
}

}  // namespace

Fd SettingsRoot::open(const char* path, int flags) {
  if (opened_++ == mostOpened) renew();
  flags |= O_CLOEXEC | O_NOFOLLOW;
  if (instance_) return Fd(retry([&] { return openat(instance_.get(), path + rootLength, flags); }));
  return Fd(retry([&] { return ::open(path, flags); }));
}

void SettingsRoot::renew() {
  opened_ = 1;
  instance_.reset();
  // It is only quicker: without the privilege, or the memory, things go on as before.
  if (!isReadOnly("/proc/sys")) (void)mountProc(&instance_);
}

// Both stay inside until the end: some settings look at the namespace of whoever reads or writes, not of whoever opened.
Failure readSysctl(Worker& worker, const Namespace& target, const std::string& path, std::string* value) {
  if (!below(path, "/proc/sys/") && !below(path, "/proc/thread-self/net/")) return {EINVAL, "open", path};
  Inside inside(worker, target);
  if (inside.failure) return inside.failure;
  Fd file = worker.settings().open(path.c_str(), O_RDONLY);
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
  return writeHere(worker, path, value);
}

Failure writeHere(Worker& worker, const std::string& path, const std::string& value) {
  if (!below(path, "/proc/sys/")) return {EINVAL, "open", path};
  Fd file = worker.settings().open(path.c_str(), O_WRONLY);
  if (!file) return Failure::of("open", path);
  auto count = retry([&] { return write(file.get(), value.data(), value.size()); });
  if (count < 0) return Failure::of("write", path);
  // A second write would start a new value, so a part of one is a failure. Of IPv6's switches Linux 5.10 says that it took one character of a
  // line; the rest is white space then.
  if (value.find_first_not_of(" \n", static_cast<size_t>(count)) != std::string::npos) return {EIO, "write", path};
  return {};
}

}  // namespace netloom
