// Options of sockets that are made for one question or one order, inside a namespace.
#pragma once

#include "fd.h"
#include "namespace.h"
#include "sockets.h"

namespace netloom {

struct OptionRequest {
  SocketRequest socket;
  int level = 0;
  int name = 0;
  // Asking: what the kernel reads and overwrites; its size is the most that comes back.
  Bytes value;
  // Ordering: where in the value the address of the output belongs; negative: there is none.
  int outputAt = -1;
  size_t outputSize = 0;
};

Failure getOption(Worker& worker, const Namespace& target, OptionRequest request, Bytes* value);
// Gives what the kernel wrote to the output.
Failure setOption(Worker& worker, const Namespace& target, OptionRequest request, Bytes* output);

}  // namespace netloom
