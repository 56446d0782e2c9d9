// Sends datagrams with the time of sending; drains the receive queue and the error queue of a socket.
#include "packet.h"

#include <cstring>
#include <ctime>

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "thread.h"

namespace netloom {
namespace {

constexpr size_t mostPackets = 256;

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

bool isErrorReport(const cmsghdr& item) {
  return (item.cmsg_level == IPPROTO_IP && item.cmsg_type == IP_RECVERR) ||
         (item.cmsg_level == IPPROTO_IPV6 && item.cmsg_type == IPV6_RECVERR);
}

PacketError readError(const uint8_t* bytes, size_t size) {
  PacketError error;
  sock_extended_err report{};
  if (size < sizeof report) return error;
  std::memcpy(&report, bytes, sizeof report);
  error.number = report.ee_errno;
  error.origin = report.ee_origin;
  error.type = report.ee_type;
  error.code = report.ee_code;
  error.offender.assign(bytes + sizeof report, bytes + size);
  return error;
}

void readControl(msghdr* message, Packet* packet) {
  for (cmsghdr* item = CMSG_FIRSTHDR(message); item != nullptr; item = CMSG_NXTHDR(message, item)) {
    const uint8_t* data = CMSG_DATA(item);
    size_t size = item->cmsg_len - CMSG_LEN(0);
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS && size >= sizeof(timespec)) {
      timespec time;
      std::memcpy(&time, data, sizeof time);
      packet->time = nanoseconds(time);
    } else if (((item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_TTL) ||
                (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_HOPLIMIT)) &&
               size >= sizeof(int)) {
      int ttl = 0;
      std::memcpy(&ttl, data, sizeof ttl);
      packet->ttl = ttl;
    } else if (isErrorReport(*item)) {
      packet->error = readError(data, size);
    }
  }
}

// One datagram from one of the two queues; false with errno set if there is none.
bool readOne(int fd, int flags, uint8_t* buffer, size_t capacity, Packet* packet) {
  sockaddr_storage sender{};
  alignas(cmsghdr) char control[1024];
  iovec part{buffer, capacity};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = retry([&] { return recvmsg(fd, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
  if (size < 0) return false;
  packet->time = now();
  packet->data.assign(buffer, buffer + size);
  const auto* name = reinterpret_cast<const uint8_t*>(&sender);
  packet->address.assign(name, name + message.msg_namelen);
  readControl(&message, packet);
  return true;
}

}  // namespace

Failure preparePackets(int fd) {
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) return Failure::of("setsockopt(SO_TIMESTAMPNS)");
  return {};
}

Failure sendPacket(Worker& worker, int fd, const Bytes& data, const Bytes& address, int64_t* time) {
  // An earlier packet's error, which is in the error queue as well, would otherwise be taken for this one's.
  int earlier = 0;
  socklen_t size = sizeof earlier;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &earlier, &size) != 0) return Failure::of("getsockopt(SO_ERROR)");
  const auto* to = address.empty() ? nullptr : reinterpret_cast<const sockaddr*>(address.data());
  for (;;) {
    *time = now();
    auto length = static_cast<socklen_t>(address.size());
    if (retry([&] { return sendto(fd, data.data(), data.size(), MSG_NOSIGNAL, to, length); }) >= 0) return {};
    if (errno != EAGAIN) return Failure::of("sendto");
    if (Failure failure = worker.wait(fd, POLLOUT)) return failure;
  }
}

Failure readPackets(int fd, uint8_t* buffer, size_t capacity, std::vector<Packet>* packets) {
  while (packets->size() < mostPackets) {
    Packet packet;
    // Errors first: reading them is what takes them off the socket, where they would fail the other read.
    if (readOne(fd, MSG_ERRQUEUE, buffer, capacity, &packet)) {
      packets->push_back(std::move(packet));
      continue;
    }
    if (errno != EAGAIN) return Failure::of("recvmsg");
    if (readOne(fd, 0, buffer, capacity, &packet)) {
      packets->push_back(std::move(packet));
      continue;
    }
    if (errno == EAGAIN) break;
    int number = errno;
    Packet report;
    // It arrived between the two reads.
    if (readOne(fd, MSG_ERRQUEUE, buffer, capacity, &report)) {
      packets->push_back(std::move(report));
      continue;
    }
    // Not about one packet: the device went down, say.
    packet.time = now();
    packet.error = PacketError{static_cast<uint32_t>(number), 0, 0, 0, {}};
    packets->push_back(std::move(packet));
  }
  return {};
}

}  // namespace netloom
