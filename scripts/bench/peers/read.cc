// The floor of the reading side, for scripts/bench/read.mjs: receives the kernel's lists and walks over their attributes, making nothing of them.
// Reads "OPERATION TIMES" lines, answers each with a line of JSON.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double processor() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

struct Request {
  nlmsghdr header;
  char body[sizeof(ifinfomsg)];
};

volatile unsigned seen;

// The number of objects, the attributes of all of which have been looked at.
long list(int fd, std::vector<char>& buffer, bool links) {
  Request request{};
  const size_t header = links ? sizeof(ifinfomsg) : sizeof(rtmsg);
  request.header.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(header));
  request.header.nlmsg_type = links ? RTM_GETLINK : RTM_GETROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (!links) request.body[0] = AF_INET;
  if (send(fd, &request, request.header.nlmsg_len, 0) < 0) fail("send");
  for (long count = 0;;) {
    ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got < 0) fail("recv");
    size_t rest = static_cast<size_t>(got);
    for (auto* at = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(at, rest); at = NLMSG_NEXT(at, rest)) {
      if (at->nlmsg_type == NLMSG_DONE) return count;
      if (at->nlmsg_type == NLMSG_ERROR) fail("answer");
      ++count;
      auto* attribute = reinterpret_cast<rtattr*>(static_cast<char*>(NLMSG_DATA(at)) + NLMSG_ALIGN(header));
      size_t length = at->nlmsg_len - NLMSG_SPACE(header);
      for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length)) seen = seen + attribute->rta_type;
    }
  }
}

}  // namespace

int main() {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) fail("socket");
  std::vector<char> buffer(size_t{1} << 16);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string operation;
    int times = 0;
    words >> operation >> times;
    std::ostringstream taken;
    long count = 0;
    const double before = processor();
    for (int i = 0; i < times; ++i) {
      const double start = now();
      count = list(fd, buffer, operation == "links");
      taken << (i == 0 ? "" : ",") << now() - start;
    }
    std::cout << "{\"times\":[" << taken.str() << "],\"cpu\":" << processor() - before << ",\"count\":" << count << "}" << std::endl;
  }
}
