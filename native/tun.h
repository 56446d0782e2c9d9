// Devices whose packets come from and go to a program (tun and tap), which the kernel makes through a device file only.
#pragma once

#include <string>

#include "fd.h"
#include "namespace.h"

namespace netloom {

struct Tun {
  // Empty: the kernel chooses; afterwards the name that the device has.
  std::string name;
  // IFF_… of linux/if_tun.h.
  int flags = 0;
  // -1: not set.
  int owner = -1;
  int group = -1;
};

// Makes a device that stays when nobody has it open, or nothing at all.
Failure createTun(Worker& worker, const Namespace& target, Tun* tun);

}  // namespace netloom
