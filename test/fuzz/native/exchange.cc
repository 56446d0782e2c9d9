// Requests of any form, and answers of any form to them: what is handed on is whole messages that belong to the requests.
#include <cstring>

#include <linux/netlink.h>

#include "kernel.h"

namespace {

// The messages lie back to back, each with its padding, and answer one of the requests.
void check(const netloom::Bytes& answers, uint32_t first, uint32_t span) {
  for (size_t offset = 0; offset < answers.size();) {
    nlmsghdr header;
    fuzzed::promise(answers.size() - offset >= sizeof header, "an answer has a header");
    std::memcpy(&header, answers.data() + offset, sizeof header);
    size_t aligned = (size_t{header.nlmsg_len} + 3) & ~size_t{3};
    fuzzed::promise(header.nlmsg_len >= sizeof header && aligned <= answers.size() - offset, "an answer is whole");
    fuzzed::promise(header.nlmsg_seq - first <= span, "an answer belongs to a request");
    offset += aligned;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  FuzzedDataProvider data(input, size);
  fuzzed::Kernel kernel(data);
  netloom::Exchange exchange(data.ConsumeIntegralInRange<size_t>(1, 4));
  // The next one begins after the last one is answered, and also after it failed.
  for (int round = 0; round < 3 && data.remaining_bytes() > 0; ++round) {
    auto sequence = data.ConsumeIntegral<uint32_t>();
    kernel.expect(sequence);
    netloom::Bytes requests = fuzzed::messages(data, sequence, 8);
    uint32_t first = 0;
    uint32_t last = 0;
    size_t offset = 0;
    for (nlmsghdr header; offset + sizeof header <= requests.size(); offset += (size_t{header.nlmsg_len} + 3) & ~size_t{3}) {
      std::memcpy(&header, requests.data() + offset, sizeof header);
      if (offset == 0) first = header.nlmsg_seq;
      last = header.nlmsg_seq;
      if (header.nlmsg_len < sizeof header) break;
    }
    if (exchange.start(std::move(requests))) continue;
    fuzzed::promise(exchange.active(), "what began is active");
    size_t limit = data.ConsumeBool() ? data.ConsumeIntegralInRange<size_t>(1, 400) : size_t{1} << 40;
    bool done = false;
    while (!done) {
      netloom::Bytes answers;
      if (exchange.advance(fuzzed::worker(), 0, limit, &answers, &done)) break;
      check(answers, first, last - first);
    }
    if (done) fuzzed::promise(!exchange.active(), "what is done is over");
  }
  return 0;
}
