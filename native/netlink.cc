// Sends netlink requests, receives what belongs to them, and reads notifications.
#include "netlink.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "thread.h"

namespace netloom {
namespace {

constexpr int defaultReceiveBuffer = 1 << 20;
constexpr size_t windowBytes = size_t{32} * 1024;
constexpr size_t windowMessages = 64;
// The kernel charges a page and its own overhead for an ordinary answer.
constexpr size_t answerCharge = size_t{6} * 1024;
constexpr int receiveAttempts = 4;

struct Datagram {
  ssize_t size;
  bool foreign;
  bool truncated;
  int origin;
};

Datagram receiveDatagram(int fd, uint8_t* buffer, size_t capacity, int flags = 0) {
  sockaddr_nl sender{};
  alignas(cmsghdr) char control[256];
  iovec part{buffer, capacity};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  Datagram datagram{};
  // What was sent has been carried out, and only its answer says how: an error that passes must not hide it.
  for (int attempt = 0; attempt < receiveAttempts; ++attempt) {
    datagram.size = retry([&] { return recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags); });
    if (datagram.size >= 0 || errno == EAGAIN || errno == ENOBUFS) break;
  }
  if (datagram.size < 0) return datagram;
  datagram.foreign = sender.nl_pid != 0;
  datagram.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  datagram.origin = -1;
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == SOL_NETLINK && item->cmsg_type == NETLINK_LISTEN_ALL_NSID &&
        item->cmsg_len >= CMSG_LEN(sizeof datagram.origin))
      std::memcpy(&datagram.origin, CMSG_DATA(item), sizeof datagram.origin);
  }
  return datagram;
}

// After answers were lost the rest of them is of no use, and must not be taken for the next request's.
void discard(int fd, uint8_t* buffer, size_t capacity) {
  for (int datagrams = 0; datagrams < 100'000; ++datagrams) {
    if (receiveDatagram(fd, buffer, capacity).size < 0 && errno != ENOBUFS) return;
  }
}

bool isDump(const nlmsghdr& header) {
  return (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP && (header.nlmsg_flags & (NLM_F_CREATE | NLM_F_APPEND)) == 0;
}

nlmsghdr headerAt(const uint8_t* bytes) {
  nlmsghdr header;
  std::memcpy(&header, bytes, sizeof header);
  return header;
}

int setFlag(int fd, int name) {
  int on = 1;
  return setsockopt(fd, SOL_NETLINK, name, &on, sizeof on);
}

// Makes a buffer at least so large, if that is permitted: what does not fit says so itself.
void enlarge(int fd, int name, int force, size_t wanted) {
  int size = 0;
  socklen_t length = sizeof size;
  // The kernel doubles what it is told, for its own overhead, and tells the double.
  if (getsockopt(fd, SOL_SOCKET, name, &size, &length) == 0 && static_cast<size_t>(size) / 2 >= wanted) return;
  size = static_cast<int>(std::min(wanted, static_cast<size_t>(std::numeric_limits<int>::max() / 2)));
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) != 0) setsockopt(fd, SOL_SOCKET, name, &size, sizeof size);
}

// Sends to the kernel all at once.
Failure sendTo(int fd, uint8_t* bytes, size_t size) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  iovec part{bytes, size};
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (retry([&] { return sendmsg(fd, &message, 0); }) < 0) return Failure::of("sendmsg");
  return {};
}

Failure readWindow(int fd, size_t* window) {
  int size = 0;
  socklen_t length = sizeof size;
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) != 0) return Failure::of("getsockopt(SO_RCVBUF)");
  *window = std::clamp(static_cast<size_t>(size) / answerCharge, size_t{1}, windowMessages);
  return {};
}

}  // namespace

Failure openHere(int protocol, Fd* result, size_t* window) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return Failure::of("socket");
  for (int name : {NETLINK_EXT_ACK, NETLINK_CAP_ACK}) {
    if (setFlag(fd.get(), name) != 0 && errno != ENOPROTOOPT) return Failure::of("setsockopt");
  }
  if (Failure failure = readWindow(fd.get(), window)) return failure;
  *result = std::move(fd);
  return {};
}

Failure openNetlink(Worker& worker, const Namespace& target, const NetlinkOptions& options, NetlinkDescriptor* result) {
  Fd fd;
  {
    Inside inside(worker, target);
    if (inside.failure) return inside.failure;
    fd.reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, options.protocol));
    if (!fd) return Failure::of("socket");
  }
  for (int name : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (setFlag(fd.get(), name) != 0 && errno != ENOPROTOOPT) return Failure::of("setsockopt");
  }
  int size = options.receiveBuffer > 0 ? options.receiveBuffer : defaultReceiveBuffer;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0 &&
      setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0)
    return Failure::of("setsockopt(SO_RCVBUF)");
  if (Failure failure = readWindow(fd.get(), &result->window)) return failure;
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Failure::of("bind");
  socklen_t length = sizeof address;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return Failure::of("getsockname");
  if (options.allNamespaces && setFlag(fd.get(), NETLINK_LISTEN_ALL_NSID) != 0)
    return Failure::of("setsockopt(NETLINK_LISTEN_ALL_NSID)");
  for (uint32_t group : options.groups) {
    if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
      return Failure::of("setsockopt(NETLINK_ADD_MEMBERSHIP)");
  }
  result->fd = std::move(fd);
  result->port = address.nl_pid;
  return {};
}

Failure Exchange::start(Bytes messages) {
  if (active_) return {EBUSY, "exchange", {}};
  if (messages.empty()) return {EINVAL, "exchange", {}};
  for (size_t offset = 0; offset < messages.size();) {
    size_t rest = messages.size() - offset;
    if (rest < sizeof(nlmsghdr)) return {EINVAL, "exchange", {}};
    nlmsghdr header = headerAt(messages.data() + offset);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest) return {EINVAL, "exchange", {}};
    if (offset == 0) first_ = header.nlmsg_seq;
    span_ = header.nlmsg_seq - first_;
    offset += std::min(rest, static_cast<size_t>(NLMSG_ALIGN(header.nlmsg_len)));
  }
  messages_ = std::move(messages);
  next_ = 0;
  waiting_ = false;
  active_ = true;
  return {};
}

Failure Exchange::advance(Worker& worker, int fd, size_t limit, Bytes* data, bool* done) {
  if (!active_) return {EINVAL, "more", {}};
  Failure failure;
  *done = false;
  while (!failure) {
    if (!waiting_ && next_ == messages_.size()) {
      *done = true;
      break;
    }
    if (data->size() >= limit) return {};
    if (worker.stopping()) return {ECANCELED, "exchange", {}};
    failure = waiting_ ? receive(worker, fd, data) : send(fd);
  }
  active_ = false;
  messages_ = {};
  return failure;
}

Failure Exchange::send(int fd) {
  const size_t begin = next_;
  size_t end = begin;
  size_t last = begin;
  for (size_t count = 0; count < window_ && end < messages_.size(); ++count) {
    nlmsghdr header = headerAt(messages_.data() + end);
    size_t size = std::min(messages_.size() - end, static_cast<size_t>(NLMSG_ALIGN(header.nlmsg_len)));
    if (count > 0 && end - begin + size > windowBytes) break;
    last = end;
    end += size;
    awaited_ = header.nlmsg_seq;
    // Its answer goes on arriving after sendmsg(), where another's would come in between.
    if (isDump(header)) break;
  }
  nlmsghdr header = headerAt(messages_.data() + last);
  if (!isDump(header)) {
    header.nlmsg_flags |= NLM_F_ACK;
    std::memcpy(messages_.data() + last, &header, sizeof header);
  }
  alone_ = last == begin && !isDump(header);
  lost_ = false;
  if (Failure failure = sendTo(fd, messages_.data() + begin, end - begin)) return failure;
  next_ = end;
  waiting_ = true;
  return {};
}

Failure Exchange::receive(Worker& worker, int fd, Bytes* data) {
  uint8_t* buffer = worker.buffer();
  Datagram datagram = receiveDatagram(fd, buffer, Worker::bufferSize);
  if (datagram.size < 0) {
    Failure failure = Failure::of("recvmsg");
    if (failure.number == EAGAIN && !lost_) return worker.wait(fd, POLLIN);
    if (failure.number == EAGAIN) return {ENOBUFS, "recvmsg", {}};
    if (failure.number != ENOBUFS) return failure;
    // Others may have filled the buffer: the acknowledgement may be there all the same.
    if (alone_ && !lost_) {
      lost_ = true;
      return {};
    }
    discard(fd, buffer, Worker::bufferSize);
    return failure;
  }
  // Any process may send to our port; only the kernel's word counts.
  if (datagram.foreign) return {};
  if (datagram.truncated) {
    discard(fd, buffer, Worker::bufferSize);
    return {EMSGSIZE, "recvmsg", {}};
  }
  take(buffer, static_cast<size_t>(datagram.size), data);
  return {};
}

void Exchange::take(const uint8_t* datagram, size_t size, Bytes* data) {
  for (size_t offset = 0; size - offset >= sizeof(nlmsghdr);) {
    nlmsghdr header = headerAt(datagram + offset);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > size - offset) return;
    size_t aligned = NLMSG_ALIGN(header.nlmsg_len);
    if (header.nlmsg_seq - first_ <= span_) {
      data->insert(data->end(), datagram + offset, datagram + offset + header.nlmsg_len);
      data->resize(data->size() + aligned - header.nlmsg_len);
      bool final = header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE;
      if (final && header.nlmsg_seq == awaited_) waiting_ = false;
    }
    offset += std::min(size - offset, aligned);
  }
}

Failure transmit(Worker& worker, int fd, Bytes messages, size_t expected, Transmitted* result) {
  if (messages.size() < sizeof(nlmsghdr)) return {EINVAL, "transmit", {}};
  enlarge(fd, SO_SNDBUF, SO_SNDBUFFORCE, messages.size());
  enlarge(fd, SO_RCVBUF, SO_RCVBUFFORCE, expected);
  uint8_t* buffer = worker.buffer();
  // What is there now belongs to nobody: answers that came after their reader had given up.
  discard(fd, buffer, Worker::bufferSize);
  if (Failure failure = sendTo(fd, messages.data(), messages.size())) return failure;
  for (;;) {
    Datagram datagram = receiveDatagram(fd, buffer, Worker::bufferSize);
    if (datagram.size < 0) {
      Failure failure = Failure::of("recvmsg");
      if (failure.number == EAGAIN) return {};
      if (failure.number != ENOBUFS) return failure;
      result->lost = true;
      continue;
    }
    // Any process may send to our port; only the kernel's word counts.
    if (datagram.foreign) continue;
    result->lost = result->lost || datagram.truncated;
    result->data.insert(result->data.end(), buffer, buffer + std::min(static_cast<size_t>(datagram.size), Worker::bufferSize));
    result->data.resize(NLMSG_ALIGN(result->data.size()));
  }
}

bool isReadable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

std::optional<Failure> peekAnswer(int fd, uint8_t* buffer, size_t capacity, Bytes* result) {
  Datagram datagram = receiveDatagram(fd, buffer, capacity, MSG_PEEK);
  if (datagram.size < 0 && errno != EAGAIN) return Failure::of("recvmsg");
  if (datagram.size < 0 || datagram.foreign) return std::nullopt;
  result->assign(buffer, buffer + datagram.size);
  return Failure{};
}

std::optional<Failure> readNotifications(int fd, uint8_t* buffer, size_t capacity, size_t limit,
                                         Notifications* result) {
  // The bound is for strangers' datagrams, which add nothing to the size.
  for (int datagrams = 0; datagrams < 10'000 && result->data.size() < limit; ++datagrams) {
    Datagram datagram = receiveDatagram(fd, buffer, capacity);
    if (datagram.size < 0) {
      Failure failure = Failure::of("recvmsg");
      if (failure.number == EAGAIN) break;
      if (failure.number != ENOBUFS) return failure;
      result->lost = true;
      continue;
    }
    if (datagram.foreign) continue;
    if (datagram.truncated) {
      result->lost = true;
      continue;
    }
    result->origins.emplace_back(static_cast<uint32_t>(result->data.size()), datagram.origin);
    result->data.insert(result->data.end(), buffer, buffer + datagram.size);
    // Datagrams lie back to back, so that their messages do.
    result->data.resize(NLMSG_ALIGN(result->data.size()));
  }
  if (result->data.empty() && !result->lost) return std::nullopt;
  return Failure{};
}

}  // namespace netloom
