// Sockets of any family, made inside a namespace.
#pragma once

#include <vector>

#include "fd.h"
#include "namespace.h"

namespace netloom {

using Bytes = std::vector<uint8_t>;

struct SocketOption {
  int level;
  int name;
  Bytes value;
};

struct SocketRequest {
  int family = 0;
  int type = 0;
  int protocol = 0;
  std::vector<SocketOption> options;
  // A sockaddr; empty: not bound.
  Bytes address;
  // Negative: does not listen.
  int backlog = -1;
};

Failure openSocket(Worker& worker, const Namespace& target, const SocketRequest& request, Fd* result);

}  // namespace netloom
