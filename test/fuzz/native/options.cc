// Options of sockets of any size, with an address put into them anywhere, and sockets bound to any address.
#include "options.h"

#include "kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  FuzzedDataProvider data(input, size);
  fuzzed::Kernel kernel(data);
  netloom::OptionRequest request;
  request.socket.address = fuzzed::bytes(data, 40);
  for (int count = data.ConsumeIntegralInRange(0, 2); count > 0; --count) request.socket.options.push_back({1, 2, fuzzed::bytes(data, 16)});
  request.value = fuzzed::bytes(data, 64);
  request.outputAt = data.ConsumeBool() ? data.ConsumeIntegralInRange(-2, 80) : data.ConsumeIntegral<int>();
  request.outputSize = data.ConsumeIntegralInRange<size_t>(0, 4096);
  const size_t outputSize = request.outputSize;
  const size_t room = request.value.size();
  netloom::Bytes result;
  if (data.ConsumeBool()) {
    if (!netloom::getOption(fuzzed::worker(), *fuzzed::home(), std::move(request), &result))
      fuzzed::promise(result.size() <= room, "no more comes back than there was room for");
  } else if (!netloom::setOption(fuzzed::worker(), *fuzzed::home(), std::move(request), &result)) {
    fuzzed::promise(result.size() == outputSize, "the output is as large as was asked");
  }
  return 0;
}
