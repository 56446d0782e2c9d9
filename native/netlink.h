// A netlink socket: requests with their answers, and notifications.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "fd.h"
#include "namespace.h"

namespace netloom {

using Bytes = std::vector<uint8_t>;

struct NetlinkOptions {
  int protocol = 0;
  int receiveBuffer = 0;
  std::vector<uint32_t> groups;
  bool allNamespaces = false;
};

struct NetlinkDescriptor {
  Fd fd;
  uint32_t port = 0;
  // How many answers surely fit into the receive buffer.
  size_t window = 1;
};

Failure openNetlink(Worker& worker, const Namespace& target, const NetlinkOptions& options, NetlinkDescriptor* result);

// For requests in the namespace that the thread is in; `window` is how many answers surely fit into its buffer.
Failure openHere(int protocol, Fd* result, size_t* window);

// Requests on their way: sent a window at a time, because the kernel answers inside sendmsg() and drops what does not fit.
// Only ever touched by one thread at a time: the one that runs the strand of the socket.
class Exchange {
 public:
  explicit Exchange(size_t window) : window_(window) {}

  Failure start(Bytes messages);
  bool active() const { return active_; }
  // Goes on until everything is answered, or at least `limit` bytes are there.
  Failure advance(Worker& worker, int fd, size_t limit, Bytes* data, bool* done);

 private:
  Failure send(int fd);
  Failure receive(Worker& worker, int fd, Bytes* data);
  void take(const uint8_t* datagram, size_t size, Bytes* data);

  const size_t window_;
  Bytes messages_;
  size_t next_ = 0;
  uint32_t first_ = 0;
  uint32_t span_ = 0;
  uint32_t awaited_ = 0;
  bool waiting_ = false;
  // One request, whose acknowledgement is all that is needed of its answer.
  bool alone_ = false;
  // Something was dropped, but perhaps not that.
  bool lost_ = false;
  bool active_ = false;
};

struct Transmitted {
  Bytes data;
  // Answers that did not fit into the receive buffer.
  bool lost = false;
};

// Sends messages that the kernel takes as one, in a single system call, inside which it answers everything.
// `expected` is how many bytes of memory the answers may take.
Failure transmit(Worker& worker, int fd, Bytes messages, size_t expected, Transmitted* result);

struct Notifications {
  Bytes data;
  bool lost = false;
  // Where a datagram begins in `data`, and the nsid it came from; −1 is the socket's own namespace.
  std::vector<std::pair<uint32_t, int32_t>> origins;
};

// True for an error that waits to be read too.
bool isReadable(int fd);

// What will be read next, and stays; nothing if there is nothing, or nothing of the kernel's. Never waits.
std::optional<Failure> peekAnswer(int fd, uint8_t* buffer, size_t capacity, Bytes* result);

// Never waits; nothing at all if there was nothing to read.
std::optional<Failure> readNotifications(int fd, uint8_t* buffer, size_t capacity, size_t limit, Notifications* result);

}  // namespace netloom
