// Asks and sets options whose values are whole tables, such as those of iptables: larger than what fits a call, or with an address in them.
#include "options.h"

#include <sys/socket.h>

#include <cstring>

#include "thread.h"

namespace netloom {

Failure getOption(Worker& worker, const Namespace& target, OptionRequest request, Bytes* value) {
  Fd fd;
  if (Failure failure = openSocket(worker, target, request.socket, &fd)) return failure;
  auto size = static_cast<socklen_t>(request.value.size());
  if (getsockopt(fd.get(), request.level, request.name, request.value.data(), &size) != 0) return Failure::of("getsockopt");
  // A size beyond the buffer would be the kernel's word for how much there is.
  if (size < request.value.size()) request.value.resize(size);
  *value = std::move(request.value);
  return {};
}

Failure setOption(Worker& worker, const Namespace& target, OptionRequest request, Bytes* output) {
  // Before the order: memory that cannot be had is nothing to learn of in its middle.
  Bytes room(request.outputSize);
  if (request.outputAt >= 0) {
    const void* address = room.data();
    auto at = static_cast<size_t>(request.outputAt);
    if (at > request.value.size() || request.value.size() - at < sizeof address) return {EINVAL, "setsockopt", {}};
    std::memcpy(request.value.data() + at, &address, sizeof address);
  }
  Fd fd;
  if (Failure failure = openSocket(worker, target, request.socket, &fd)) return failure;
  auto size = static_cast<socklen_t>(request.value.size());
  if (setsockopt(fd.get(), request.level, request.name, request.value.data(), size) != 0) return Failure::of("setsockopt");
  *output = std::move(room);
  return {};
}

}  // namespace netloom
