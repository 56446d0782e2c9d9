// What system calls on sockets return while a fuzzer runs: short, cut, foreign, late and refused answers, as its bytes say.
#include "kernel.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>

namespace fuzzed {
namespace {

FuzzedDataProvider* source = nullptr;
uint32_t sequenceBase = 0;
// What follows a datagram in the addon's buffer, which it has no business to read.
uint8_t* poisoned = nullptr;
size_t poisonedSize = 0;

void cure() {
  if (poisoned != nullptr) ASAN_UNPOISON_MEMORY_REGION(poisoned, poisonedSize);
  poisoned = nullptr;
}

// True if the call is to fail, with errno set.
bool refused() {
  constexpr int numbers[] = {EAGAIN, ENOBUFS, EINTR, ENOMEM, EPERM};
  if (source == nullptr || source->remaining_bytes() == 0) {
    errno = EIO;
    return true;
  }
  auto choice = source->ConsumeIntegralInRange<uint8_t>(0, 31);
  if (choice >= std::size(numbers)) return false;
  errno = numbers[choice];
  return true;
}

// As the kernel writes them: each with a true length, the last one cut where there is no more room.
size_t writeControl(uint8_t* room, size_t capacity) {
  constexpr int levels[] = {SOL_SOCKET, SOL_NETLINK, 0 /* IPPROTO_IP */, 41 /* IPPROTO_IPV6 */};
  constexpr int types[] = {SCM_TIMESTAMPNS, NETLINK_LISTEN_ALL_NSID, 2 /* IP_TTL */, 11 /* IP_RECVERR */, 25 /* IPV6_RECVERR */, 52 /* IPV6_HOPLIMIT */};
  size_t used = 0;
  for (int items = source->ConsumeIntegralInRange(0, 3); items > 0 && capacity - used >= sizeof(cmsghdr); --items) {
    netloom::Bytes payload = bytes(*source, 64);
    // A time of the kernel's fits into 64 bits of nanoseconds; these are the upper halves of its seconds and its nanoseconds.
    if (payload.size() >= sizeof(timespec)) {
      for (auto half : {4, 12}) std::fill_n(payload.begin() + half, 4, uint8_t{0});
    }
    size_t space = std::min(capacity - used, CMSG_LEN(payload.size()));
    cmsghdr header{};
    header.cmsg_len = space;
    header.cmsg_level = source->PickValueInArray(levels);
    header.cmsg_type = source->PickValueInArray(types);
    std::memcpy(room + used, &header, sizeof header);
    if (space > CMSG_LEN(0)) std::memcpy(room + used + CMSG_LEN(0), payload.data(), space - CMSG_LEN(0));
    used = std::min(capacity, used + CMSG_ALIGN(space));
  }
  return used;
}

ssize_t receive(msghdr* message) {
  cure();
  if (refused()) return -1;
  iovec& part = message->msg_iov[0];
  netloom::Bytes datagram = source->ConsumeBool() ? messages(*source, sequenceBase, 6) : bytes(*source, 600);
  size_t size = std::min(datagram.size(), part.iov_len);
  auto* buffer = static_cast<uint8_t*>(part.iov_base);
  if (size > 0) std::memcpy(buffer, datagram.data(), size);
  poisoned = buffer + size;
  poisonedSize = part.iov_len - size;
  ASAN_POISON_MEMORY_REGION(poisoned, poisonedSize);
  auto manner = source->ConsumeIntegralInRange<uint8_t>(0, 15);
  message->msg_flags = manner == 1 ? MSG_TRUNC : 0;
  sockaddr_nl sender{};
  sender.nl_family = AF_NETLINK;
  sender.nl_pid = manner == 2 ? 4711 : 0;
  auto length = std::min(message->msg_namelen, static_cast<socklen_t>(sizeof sender));
  if (message->msg_name != nullptr) std::memcpy(message->msg_name, &sender, length);
  message->msg_namelen = length;
  message->msg_controllen = writeControl(static_cast<uint8_t*>(message->msg_control), message->msg_controllen);
  return static_cast<ssize_t>(size);
}

}  // namespace

Kernel::Kernel(FuzzedDataProvider& data) {
  source = &data;
  sequenceBase = 0;
}

Kernel::~Kernel() {
  cure();
  source = nullptr;
}

void Kernel::expect(uint32_t sequence) { sequenceBase = sequence; }

netloom::Bytes bytes(FuzzedDataProvider& data, size_t most) { return data.ConsumeBytes<uint8_t>(data.ConsumeIntegralInRange<size_t>(0, most)); }

netloom::Bytes messages(FuzzedDataProvider& data, uint32_t sequence, size_t most) {
  constexpr uint16_t types[] = {NLMSG_ERROR, NLMSG_DONE, NLMSG_NOOP, 16, 17, 18};
  constexpr uint16_t flags[] = {NLM_F_REQUEST, NLM_F_REQUEST | NLM_F_ACK, NLM_F_REQUEST | NLM_F_DUMP, NLM_F_MULTI, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ROOT};
  netloom::Bytes result;
  for (size_t count = data.ConsumeIntegralInRange<size_t>(0, most); count > 0; --count) {
    netloom::Bytes body = bytes(data, 80);
    nlmsghdr header{};
    header.nlmsg_len = static_cast<uint32_t>(sizeof header + body.size());
    header.nlmsg_type = data.PickValueInArray(types);
    header.nlmsg_flags = data.PickValueInArray(flags);
    header.nlmsg_seq = sequence + data.ConsumeIntegralInRange<uint32_t>(0, 8) - 1;
    if (data.ConsumeIntegralInRange<uint8_t>(0, 15) == 1) header.nlmsg_len = data.ConsumeIntegral<uint32_t>();
    const auto* begin = reinterpret_cast<const uint8_t*>(&header);
    result.insert(result.end(), begin, begin + sizeof header);
    result.insert(result.end(), body.begin(), body.end());
    // Only the last one may end without its padding.
    if (count > 1 || data.ConsumeBool()) result.resize(NLMSG_ALIGN(result.size()));
  }
  return result;
}

const netloom::NamespacePointer& home() {
  static const netloom::NamespacePointer one = [] {
    netloom::NamespacePointer here;
    promise(!netloom::openCurrent(&here), "the namespace of the fuzzer is known");
    return here;
  }();
  return one;
}

netloom::Worker& worker() {
  static const std::atomic<bool> stopping{false};
  static netloom::Worker one(home(), -1, &stopping);
  return one;
}

void promise(bool kept, const char* what) {
  if (kept) return;
  (void)std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace fuzzed

using fuzzed::refused;
using fuzzed::source;

// The names are the linker's: `--wrap=recvmsg` sends the addon's calls of recvmsg here.
extern "C" {

ssize_t __wrap_recvmsg(int, msghdr* message, int) { return fuzzed::receive(message); }

ssize_t __wrap_sendmsg(int, const msghdr* message, int) {
  if (refused()) return -1;
  return static_cast<ssize_t>(message->msg_iov[0].iov_len);
}

ssize_t __wrap_sendto(int, const void*, size_t size, int, const sockaddr*, socklen_t) {
  return refused() ? -1 : static_cast<ssize_t>(size);
}

int __wrap_socket(int, int, int) { return refused() ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC); }

int __wrap_bind(int, const sockaddr*, socklen_t) { return refused() ? -1 : 0; }

int __wrap_setsockopt(int, int, int, const void* value, socklen_t size) {
  // All of it is read, as the kernel does.
  netloom::Bytes copy(static_cast<const uint8_t*>(value), static_cast<const uint8_t*>(value) + size);
  return refused() ? -1 : 0;
}

int __wrap_getsockopt(int, int, int, void* value, socklen_t* size) {
  if (refused()) return -1;
  netloom::Bytes given = fuzzed::bytes(*source, 64);
  size_t room = std::min<size_t>(given.size(), *size);
  if (room > 0) std::memcpy(value, given.data(), room);
  // Some options say how much there is, even beyond the room.
  *size = source->ConsumeBool() ? static_cast<socklen_t>(room) : source->ConsumeIntegral<uint16_t>();
  return 0;
}

int __wrap_poll(pollfd* watched, nfds_t count, int) {
  if (refused()) return -1;
  auto which = source->ConsumeIntegralInRange<nfds_t>(0, 7);
  for (nfds_t index = 0; index < count; ++index) watched[index].revents = 0;
  // Mostly the socket, at times the signal to stop.
  watched[which == 1 && count > 1 ? 1 : 0].revents = POLLIN;
  return 1;
}

}  // extern "C"
