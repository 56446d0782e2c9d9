// Makes a socket inside a namespace, where it stays wherever it is used from.
#include "sockets.h"

#include <sys/socket.h>

#include "thread.h"

namespace netloom {

Failure openSocket(Worker& worker, const Namespace& target, const SocketRequest& request, Fd* result) {
  Fd fd;
  {
    Inside inside(worker, target);
    if (inside.failure) return inside.failure;
    fd.reset(socket(request.family, request.type | SOCK_CLOEXEC, request.protocol));
    if (!fd) return Failure::of("socket");
  }
  for (const SocketOption& option : request.options) {
    auto size = static_cast<socklen_t>(option.value.size());
    if (setsockopt(fd.get(), option.level, option.name, option.value.data(), size) != 0)
      return Failure::of("setsockopt");
  }
  if (!request.address.empty()) {
    const auto* address = reinterpret_cast<const sockaddr*>(request.address.data());
    if (bind(fd.get(), address, static_cast<socklen_t>(request.address.size())) != 0) return Failure::of("bind");
  }
  if (request.backlog >= 0 && listen(fd.get(), request.backlog) != 0) return Failure::of("listen");
  *result = std::move(fd);
  return {};
}

}  // namespace netloom
