// Opens, creates, names and removes network namespaces.
#include "namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "files.h"
#include "thread.h"

// Newer than the oldest kernel headers that the addon builds with.
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef NS_GET_ID
#define NS_GET_ID _IOR(NSIO, 13, uint64_t)
#endif

namespace netloom {
namespace {

constexpr char current[] = "/proc/thread-self/ns/net";

Failure identify(int fd, Identity* identity, const char* path = "", int flags = AT_EMPTY_PATH) {
  // Not fstat: it would tie the addon to a C library from 2021 on.
  struct statx status;
  if (statx(fd, path, flags, STATX_INO, &status) != 0) return Failure::of("statx", path);
  *identity = {makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino};
  return {};
}

std::optional<uint64_t> cookieByDescriptor(int fd) {
  uint64_t cookie = 0;
  if (ioctl(fd, NS_GET_ID, &cookie) == 0) return cookie;
  return std::nullopt;
}

// The older way to ask: through a socket of the namespace that the calling thread is in.
std::optional<uint64_t> cookieInside() {
  Fd probe(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (probe && getsockopt(probe.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0) return cookie;
  return std::nullopt;
}

Failure checkKind(int fd, const std::string& path) {
  struct statfs filesystem;
  if (fstatfs(fd, &filesystem) != 0) return Failure::of("fstatfs", path);
  if (filesystem.f_type != NSFS_MAGIC) return {EINVAL, "fstatfs", path};
  int kind = ioctl(fd, NS_GET_NSTYPE);
  if (kind < 0) return Failure::of("ioctl(NS_GET_NSTYPE)", path);
  if (kind != CLONE_NEWNET) return {EINVAL, "ioctl(NS_GET_NSTYPE)", path};
  return {};
}

// A name that is being made; taken away again unless it was kept. Until it is finished its file is locked and lacks the end of its content: one that
// lacks it and is not locked was left behind by a process that died.
class Name {
 public:
  explicit Name(std::string path) : path_(std::move(path)) {}
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  ~Name() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
    if (created_) unlink(path_.c_str());
  }

  Failure create(std::string content) {
    if (!content.empty()) {
      end_ = content.back();
      content.pop_back();
    }
    Failure failure = publishFile(path_, content, 0444, true, &file_);
    created_ = !failure;
    return failure;
  }

  Failure finish() {
    if (mount(current, path_.c_str(), "none", MS_BIND, nullptr) != 0) return Failure::of("mount", path_);
    mounted_ = true;
    if (end_ && retry([&] { return write(file_.get(), &*end_, 1); }) != 1) return Failure::of("write", path_);
    return {};
  }

  void keep() { created_ = mounted_ = false; }

 private:
  std::string path_;
  Fd file_;
  std::optional<char> end_;
  bool created_ = false;
  bool mounted_ = false;
};

Failure makeDirectories(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string parent = path.substr(0, end);
    if (mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) return Failure::of("mkdir", parent);
    if (end == std::string::npos) return {};
  }
}

}  // namespace

Failure identifyCurrent(Identity* identity) {
  Fd fd(retry([] { return open(current, O_RDONLY | O_CLOEXEC); }));
  if (!fd) return Failure::of("open", current);
  return identify(fd.get(), identity);
}

Failure openCurrent(NamespacePointer* result) {
  Fd fd(retry([] { return open(current, O_RDONLY | O_CLOEXEC); }));
  if (!fd) return Failure::of("open", current);
  auto made = std::make_shared<Namespace>();
  if (Failure failure = identify(fd.get(), &made->identity)) return failure;
  made->cookie = cookieByDescriptor(fd.get());
  if (!made->cookie) made->cookie = cookieInside();
  made->fd = std::move(fd);
  *result = std::move(made);
  return {};
}

Failure openNamespace(Worker& worker, const std::string& path, NamespacePointer* result) {
  // O_NONBLOCK: a pipe in the place of a namespace file must not hold the thread.
  Fd fd(retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }));
  if (!fd) return Failure::of("open", path);
  if (Failure failure = checkKind(fd.get(), path)) return failure;
  auto made = std::make_shared<Namespace>();
  if (Failure failure = identify(fd.get(), &made->identity)) return failure;
  made->cookie = cookieByDescriptor(fd.get());
  made->fd = std::move(fd);
  if (!made->cookie) {
    Inside inside(worker, *made);
    if (!inside.failure) made->cookie = cookieInside();
  }
  *result = std::move(made);
  return {};
}

Failure createNamespace(Worker& worker, const std::optional<std::string>& path, const std::string& content,
                        NamespacePointer* result) {
  Name name(path.value_or(""));
  if (path) {
    if (Failure failure = name.create(content)) return failure;
  }
  if (Failure failure = worker.enterNew()) return failure;
  Failure failure;
  NamespacePointer made;
  if (path) failure = name.finish();
  if (!failure) failure = openCurrent(&made);
  worker.leave();
  if (failure) return failure;
  name.keep();
  *result = std::move(made);
  return {};
}

Failure enterNamed(Worker& worker, const std::string& path, const std::string& content, const Namespace* made,
                   Identity* identity) {
  Name name(path);
  if (Failure failure = name.create(content)) return failure;
  if (Failure failure = made != nullptr ? worker.enter(*made) : worker.enterNew()) return failure;
  Failure failure = name.finish();
  if (!failure) failure = identify(AT_FDCWD, identity, current, 0);
  if (failure) worker.leave();
  else name.keep();
  return failure;
}

Failure identifyName(const std::string& path, Identity* identity) {
  return identify(AT_FDCWD, identity, path.c_str(), AT_SYMLINK_NOFOLLOW);
}

Failure removeNamespace(Worker& worker, const std::string& path) {
  constexpr int attempts = 40;
  constexpr int others = 4;
  for (int attempt = 0;; ++attempt) {
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
      return Failure::of("umount2", path);
    if (unlink(path.c_str()) == 0) return {};
    Failure failure = Failure::of("unlink", path);
    // Busy for as long as somebody mounts, or mounted twice, on the same name.
    // Another error may pass too, and now that the namespace is gone from the name nobody could tell whose file it is.
    int most = failure.number == EBUSY ? attempts : failure.number == ENOENT ? 0 : others;
    if (attempt >= most || !worker.pause(attempt < 10 ? 1 : 10)) return failure;
  }
}

Failure prepareDirectory(Worker& worker, const std::string& path) {
  if (Failure failure = makeDirectories(path)) return failure;
  Fd lock(retry([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!lock) return Failure::of("open", path);
  // Two processes that both find no mount would stack one on the other's, and hide names made in between. Freed with the descriptor.
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    Failure failure = Failure::of("flock", path);
    if (failure.number != EWOULDBLOCK && failure.number != EINTR) return failure;
    if (!worker.pause(5)) return {ECANCELED, "flock", path};
  }
  // Shared, so that names made here appear in mount namespaces that exist already.
  if (mount("", path.c_str(), "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  if (errno != EINVAL) return Failure::of("mount", path);
  if (mount(path.c_str(), path.c_str(), "none", MS_BIND | MS_REC, nullptr) != 0) return Failure::of("mount", path);
  if (mount("", path.c_str(), "none", MS_SHARED | MS_REC, nullptr) != 0) return Failure::of("mount", path);
  return {};
}

}  // namespace netloom
