// Files that appear complete or not at all, locks that end with their process, and what lies underneath mounts.
#include "files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Newer than the oldest kernel headers that the addon builds with.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

namespace netloom {
namespace {

Failure writeAll(int fd, const std::string& content, const std::string& path) {
  for (size_t written = 0; written < content.size();) {
    auto count = retry([&] { return write(fd, content.data() + written, content.size() - written); });
    if (count < 0) return Failure::of("write", path);
    written += static_cast<size_t>(count);
  }
  return {};
}

Failure fill(int fd, const std::string& path, const std::string& content, bool lock) {
  if (lock && retry([&] { return flock(fd, LOCK_EX | LOCK_NB); }) != 0) return Failure::of("flock", path);
  return writeAll(fd, content, path);
}

// Of file systems that have none, and of kernels that do not know the flag.
bool meansNoNamelessFiles(int number) { return number == EOPNOTSUPP || number == EISDIR || number == EINVAL; }

Failure publishVisibly(const std::string& path, const std::string& content, mode_t mode, bool lock, Fd* result) {
  Fd file(retry([&] { return open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode); }));
  if (!file) return Failure::of("open", path);
  if (Failure failure = fill(file.get(), path, content, lock)) {
    unlink(path.c_str());
    return failure;
  }
  *result = std::move(file);
  return {};
}

// True if it is no link, or one that leads elsewhere, or not there.
Failure leadsElsewhere(const Entry& entry, bool* elsewhere) {
  if (entry.target.empty()) return {};
  std::string target(entry.target.size() + 1, '\0');
  auto size = readlink(entry.path.c_str(), target.data(), target.size());
  if (size < 0 && errno != ENOENT && errno != ENOTDIR && errno != EINVAL) return Failure::of("readlink", entry.path);
  *elsewhere = size < 0 || target.compare(0, static_cast<size_t>(size), entry.target) != 0;
  return {};
}

}  // namespace

Failure publishFile(const std::string& path, const std::string& content, mode_t mode, bool lock, Fd* result) {
  std::string directory = path.substr(0, path.rfind('/'));
  Fd file(retry([&] { return open(directory.c_str(), O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, mode); }));
  if (!file) {
    Failure failure = Failure::of("open", path);
    return meansNoNamelessFiles(failure.number) ? publishVisibly(path, content, mode, lock, result) : failure;
  }
  if (Failure failure = fill(file.get(), path, content, lock)) return failure;
  std::string nameless = "/proc/thread-self/fd/" + std::to_string(file.get());
  if (linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) return Failure::of("link", path);
  *result = std::move(file);
  return {};
}

Failure lockFile(const std::string& path, Fd* result) {
  Fd file(retry([&] { return open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY); }));
  if (!file) return Failure::of("open", path);
  if (retry([&] { return flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) return Failure::of("flock", path);
  struct statx status;
  if (statx(file.get(), "", AT_EMPTY_PATH, STATX_NLINK, &status) != 0) return Failure::of("statx", path);
  if (status.stx_nlink == 0) return {ENOENT, "flock", path};
  *result = std::move(file);
  return {};
}

Failure readUnderneath(const std::string& directory, const std::vector<std::string>& names,
                       std::vector<std::optional<std::string>>* contents) {
  // A copy of the directory's mount alone, without those on its files.
  Fd bare(static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, directory.c_str(), OPEN_TREE_CLONE | O_CLOEXEC)));
  if (!bare) return Failure::of("open_tree", directory);
  for (const auto& name : names) {
    Fd file(retry([&] { return openat(bare.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY); }));
    char buffer[256];
    auto size = file ? retry([&] { return read(file.get(), buffer, sizeof buffer); }) : -1;
    contents->push_back(size < 0 ? std::nullopt : std::optional<std::string>(std::in_place, buffer, static_cast<size_t>(size)));
  }
  return {};
}

Failure removeEntries(const std::vector<Entry>& entries, std::vector<bool>* removed) {
  for (const Entry& entry : entries) {
    bool elsewhere = false;
    if (Failure failure = leadsElsewhere(entry, &elsewhere)) return failure;
    const char* path = entry.path.c_str();
    const bool directory = !entry.path.empty() && entry.path.back() == '/';
    removed->push_back(!elsewhere && (directory ? rmdir(path) : unlink(path)) == 0);
    if (removed->back() || elsewhere) continue;
    const bool stays = errno == ENOENT || errno == ENOTDIR || (directory && (errno == ENOTEMPTY || errno == EEXIST));
    if (!stays) return Failure::of(directory ? "rmdir" : "unlink", entry.path);
  }
  return {};
}

}  // namespace netloom
