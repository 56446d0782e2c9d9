// Notifications and answers of any form on a socket that only listens, or that sends everything at once.
#include <linux/netlink.h>

#include "kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  FuzzedDataProvider data(input, size);
  fuzzed::Kernel kernel(data);
  constexpr size_t limit = 2000;
  bool listens = data.ConsumeBool();
  if (listens) {
    netloom::Notifications found;
    netloom::readNotifications(0, fuzzed::worker().buffer(), netloom::Worker::bufferSize, limit, &found);
    uint32_t before = 0;
    for (auto [offset, nsid] : found.origins) {
      fuzzed::promise(offset >= before && offset <= found.data.size() && offset % NLMSG_ALIGNTO == 0, "a datagram begins where it is said to");
      before = offset;
    }
    fuzzed::promise(found.data.empty() || !found.origins.empty(), "what was read came from somewhere");
  } else {
    netloom::Transmitted result;
    netloom::Bytes messages = fuzzed::messages(data, 1, 8);
    auto expected = data.ConsumeIntegral<size_t>();
    netloom::transmit(fuzzed::worker(), 0, std::move(messages), expected, &result);
    fuzzed::promise(result.data.size() % NLMSG_ALIGNTO == 0, "answers lie back to back");
  }
  return 0;
}
