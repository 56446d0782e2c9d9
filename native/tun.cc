// Makes tun and tap devices from inside a namespace.
#include "tun.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>

#include "thread.h"

namespace netloom {

Failure createTun(Worker& worker, const Namespace& target, Tun* tun) {
  constexpr char device[] = "/dev/net/tun";
  ifreq request{};
  if (tun->name.size() >= sizeof request.ifr_name) return {EINVAL, "ioctl(TUNSETIFF)", {}};
  memcpy(request.ifr_name, tun->name.data(), tun->name.size());
  request.ifr_flags = static_cast<short>(tun->flags);
  Inside inside(worker, target);
  if (inside.failure) return inside.failure;
  Fd file(retry([&] { return open(device, O_RDWR | O_CLOEXEC); }));
  if (!file) return Failure::of("open", device);
  if (ioctl(file.get(), TUNSETIFF, &request) != 0) return Failure::of("ioctl(TUNSETIFF)");
  // Identifiers have 32 unsigned bits, and the last one is nobody's.
  auto identifier = [](int value) { return static_cast<unsigned long>(static_cast<unsigned>(value)); };
  if (tun->owner != -1 && ioctl(file.get(), TUNSETOWNER, identifier(tun->owner)) != 0) return Failure::of("ioctl(TUNSETOWNER)");
  if (tun->group != -1 && ioctl(file.get(), TUNSETGROUP, identifier(tun->group)) != 0) return Failure::of("ioctl(TUNSETGROUP)");
  // Last: until now the device goes when the descriptor does.
  if (ioctl(file.get(), TUNSETPERSIST, 1) != 0) return Failure::of("ioctl(TUNSETPERSIST)");
  tun->name = std::string(request.ifr_name, strnlen(request.ifr_name, sizeof request.ifr_name));
  return {};
}

}  // namespace netloom
