// Datagrams, errors and control messages of any form on packet and raw sockets.
#include "packet.h"

#include "kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  FuzzedDataProvider data(input, size);
  fuzzed::Kernel kernel(data);
  netloom::Bytes sent = fuzzed::bytes(data, 100);
  netloom::Bytes address = fuzzed::bytes(data, 40);
  int64_t time = 0;
  netloom::sendPacket(fuzzed::worker(), 0, sent, address, &time);
  std::vector<netloom::Packet> packets;
  netloom::readPackets(0, fuzzed::worker().buffer(), netloom::Worker::bufferSize, &packets);
  fuzzed::promise(packets.size() <= 256, "no more packets than are read at a time");
  for (const netloom::Packet& packet : packets) {
    fuzzed::promise(packet.address.size() <= 128, "an address fits an address");
    if (packet.error) fuzzed::promise(packet.error->offender.size() <= 1024, "an offender is what came with the error");
  }
  return 0;
}
