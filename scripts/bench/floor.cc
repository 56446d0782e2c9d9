// The least that the kernel asks for: N namespaces, each with a veth to a bridge port, an address and a default route, and their removal.
// Usage: floor N POLICY REMOVAL. POLICY none: no IPv6 on the ports and none of the kernel's own inside; kernel: its defaults. REMOVAL names:
// returns when the names are gone; group: the ports go first, by one request for all that share a group; drain: so too, and returns when the
// kernel has removed the last device. Prints 'made' and a line of JSON.
// One thread, one batch a namespace with the last message acknowledged, ports in batches of 64, no name looked up twice.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

constexpr int portsPerBridge = 1000;
constexpr int batchSize = 64;
constexpr uint32_t portGroup = 4711;
constexpr char current[] = "/proc/thread-self/ns/net";

[[noreturn]] void fail(const std::string& what) {
  perror(what.c_str());
  exit(1);
}

double seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

double processor() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

class Messages {
 public:
  template <typename Header>
  void begin(int type, int flags, const Header& header) {
    start_ = bytes_.size();
    nlmsghdr message{};
    message.nlmsg_type = type;
    message.nlmsg_flags = NLM_F_REQUEST | flags;
    message.nlmsg_seq = ++sequence_;
    append(&message, sizeof message);
    append(&header, sizeof header);
  }
  void end() { at(start_)->nlmsg_len = bytes_.size() - start_; }
  size_t nest(int type) {
    size_t place = bytes_.size();
    attribute(type, nullptr, 0);
    return place;
  }
  void close(size_t place) {
    auto* opened = reinterpret_cast<rtattr*>(bytes_.data() + place);
    opened->rta_len = bytes_.size() - place;
  }
  void attribute(int type, const void* data, size_t size) {
    rtattr head{static_cast<unsigned short>(RTA_LENGTH(size)), static_cast<unsigned short>(type)};
    append(&head, sizeof head);
    append(data, size);
  }
  void number(int type, uint32_t value) { attribute(type, &value, sizeof value); }
  void text(int type, const std::string& value) { attribute(type, value.c_str(), value.size() + 1); }
  template <typename Header>
  void raw(const Header& header) { append(&header, sizeof header); }
  bool empty() const { return bytes_.empty(); }

  // Sends all of them; only failures and the last are answered.
  void exchange(int fd) {
    at(start_)->nlmsg_flags |= NLM_F_ACK;
    if (send(fd, bytes_.data(), bytes_.size(), 0) < 0) fail("send");
    alignas(nlmsghdr) char answer[8192];
    for (bool done = false; !done;) {
      ssize_t size = recv(fd, answer, sizeof answer, 0);
      if (size < 0) fail("recv");
      auto* message = reinterpret_cast<nlmsghdr*>(answer);
      for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
        if (message->nlmsg_type != NLMSG_ERROR) continue;
        errno = -static_cast<nlmsgerr*>(NLMSG_DATA(message))->error;
        if (errno != 0) fail("message " + std::to_string(message->nlmsg_seq));
        done = done || message->nlmsg_seq == sequence_;
      }
    }
    bytes_.clear();
  }

 private:
  nlmsghdr* at(size_t place) { return reinterpret_cast<nlmsghdr*>(bytes_.data() + place); }
  void append(const void* data, size_t size) {
    size_t place = bytes_.size();
    bytes_.resize(place + NLMSG_ALIGN(size));
    if (size > 0) memcpy(bytes_.data() + place, data, size);
  }
  std::vector<char> bytes_;
  size_t start_ = 0;
  uint32_t sequence_ = 0;
};

int netlink() {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) fail("socket");
  return fd;
}

ifinfomsg link(int index, bool up = false) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = header.ifi_change = up ? IFF_UP : 0;
  return header;
}

void mac(Messages& out, int side, int i) {
  unsigned char bytes[6] = {2, static_cast<unsigned char>(side), 0, 0, static_cast<unsigned char>(i >> 8),
                            static_cast<unsigned char>(i)};
  out.attribute(IFLA_ADDRESS, bytes, sizeof bytes);
}

void address(Messages& out, int index, uint32_t ip) {
  ifaddrmsg header{AF_INET, 16, 0, RT_SCOPE_UNIVERSE, static_cast<unsigned>(index)};
  out.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, header);
  out.number(IFA_LOCAL, htonl(ip));
  out.number(IFA_ADDRESS, htonl(ip));
  out.end();
}

uint32_t gateway(int bridge) { return 10u << 24 | (100 + bridge) << 16 | 1; }
std::string port(int i) { return "bp" + std::to_string(i); }
std::string path(int i) { return "/run/netns/b" + std::to_string(i); }

void switchOff(const std::string& name) {
  std::string file = "/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6";
  int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "1", 1) != 1) fail(file);
  close(fd);
}

int linkCount() {
  int fd = netlink();
  struct { nlmsghdr head; ifinfomsg body; } request{};
  request.head = {sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
  if (send(fd, &request, sizeof request, 0) < 0) fail("send");
  static char buffer[1 << 16];
  for (int count = 0;;) {
    ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    auto* message = reinterpret_cast<nlmsghdr*>(buffer);
    for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
      if (message->nlmsg_type == NLMSG_DONE) {
        close(fd);
        return count;
      }
      ++count;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 100;
  const bool quiet = argc <= 2 || strcmp(argv[2], "none") == 0;
  const bool drains = argc > 3 && strcmp(argv[3], "drain") == 0;
  const bool byGroup = drains || (argc > 3 && strcmp(argv[3], "group") == 0);
  const int bridges = (count + portsPerBridge - 1) / portsPerBridge;
  const int home = open(current, O_RDONLY | O_CLOEXEC);
  const int socket = netlink();
  Messages host;
  const double start = seconds(), startProcessor = processor();
  std::vector<int> index;
  for (int b = 0; b < bridges; ++b) {
    std::string name = "bench" + std::to_string(b);
    host.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link(0, true));
    host.text(IFLA_IFNAME, name);
    mac(host, 3, b);
    size_t info = host.nest(IFLA_LINKINFO);
    host.text(IFLA_INFO_KIND, "bridge");
    host.close(info);
    host.end();
    host.exchange(socket);
    index.push_back(if_nametoindex(name.c_str()));
    address(host, index.back(), gateway(b));
    host.exchange(socket);
  }
  std::vector<std::string> waiting;
  auto flush = [&] {
    if (waiting.empty()) return;
    if (setns(home, CLONE_NEWNET) != 0) fail("setns");
    if (quiet)
      for (const auto& name : waiting) switchOff(name);
    host.exchange(socket);
    waiting.clear();
  };
  for (int i = 0; i < count; ++i) {
    const int bridge = i / portsPerBridge, number = i % portsPerBridge;
    const uint32_t ip = (gateway(bridge) & 0xffff0000) | (number / 250 + 1) << 8 | (number % 250 + 1);
    int file = open(path(i).c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (file < 0) fail(path(i));
    close(file);
    if (unshare(CLONE_NEWNET) != 0) fail("unshare");
    if (mount(current, path(i).c_str(), "none", MS_BIND, nullptr) != 0) fail("mount");
    const int inside = netlink();
    Messages batch;
    batch.begin(RTM_NEWLINK, 0, link(1, true));
    batch.end();
    batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link(2, !quiet));
    batch.text(IFLA_IFNAME, "eth0");
    mac(batch, 1, i);
    batch.number(IFLA_NUM_TX_QUEUES, 1);
    batch.number(IFLA_NUM_RX_QUEUES, 1);
    size_t info = batch.nest(IFLA_LINKINFO);
    batch.text(IFLA_INFO_KIND, "veth");
    size_t data = batch.nest(IFLA_INFO_DATA);
    size_t peer = batch.nest(VETH_INFO_PEER);
    batch.raw(link(0));
    batch.text(IFLA_IFNAME, port(i));
    mac(batch, 2, i);
    batch.number(IFLA_NUM_TX_QUEUES, 1);
    batch.number(IFLA_NUM_RX_QUEUES, 1);
    if (byGroup) batch.number(IFLA_GROUP, portGroup);
    batch.number(IFLA_NET_NS_FD, home);
    for (size_t nest : {peer, data, info}) batch.close(nest);
    batch.end();
    if (quiet) {
      batch.begin(RTM_NEWLINK, 0, link(2));
      size_t families = batch.nest(IFLA_AF_SPEC), six = batch.nest(AF_INET6);
      const unsigned char none = 1;
      batch.attribute(IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
      for (size_t nest : {six, families}) batch.close(nest);
      batch.end();
      batch.begin(RTM_NEWLINK, 0, link(2, true));
      batch.end();
    }
    address(batch, 2, ip);
    rtmsg route{};
    route.rtm_family = AF_INET;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_BOOT;
    route.rtm_type = RTN_UNICAST;
    batch.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
    batch.number(RTA_GATEWAY, htonl(gateway(bridge)));
    batch.number(RTA_OIF, 2);
    batch.end();
    batch.exchange(inside);
    close(inside);
    waiting.push_back(port(i));
    host.begin(RTM_NEWLINK, 0, link(0, true));
    host.text(IFLA_IFNAME, port(i));
    host.number(IFLA_MASTER, index[bridge]);
    host.end();
    if (waiting.size() >= batchSize) flush();
  }
  flush();
  if (setns(home, CLONE_NEWNET) != 0) fail("setns");
  const double made = seconds(), madeProcessor = processor();
  puts("made");
  fflush(stdout);
  if (byGroup) {
    host.begin(RTM_DELLINK, 0, link(0));
    host.number(IFLA_GROUP, portGroup);
    host.end();
    host.exchange(socket);
  }
  for (int i = 0; i < count; ++i)
    if (umount2(path(i).c_str(), MNT_DETACH) != 0 || unlink(path(i).c_str()) != 0) fail(path(i));
  for (int one : index) {
    host.begin(RTM_DELLINK, 0, link(one));
    host.end();
    host.exchange(socket);
  }
  auto drain = [] {
    while (linkCount() > 1) usleep(2000);
  };
  if (drains) drain();
  const double removed = seconds(), removedProcessor = processor();
  drain();
  const double gone = seconds();
  const double each = 1e6 / count;
  printf("{\"create\":%.1f,\"createCpu\":%.1f,\"remove\":%.1f,\"removeCpu\":%.1f,\"gone\":%.1f}\n", (made - start) * each,
         (madeProcessor - startProcessor) * each, (removed - made) * each, (removedProcessor - madeProcessor) * each,
         (gone - made) * each);
}
