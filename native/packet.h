// Datagrams over raw, ping and packet sockets, with what the kernel knows about each.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sockets.h"

namespace netloom {

struct PacketError {
  uint32_t number = 0;
  uint8_t origin = 0;
  uint8_t type = 0;
  uint8_t code = 0;
  Bytes offender;
};

struct Packet {
  Bytes data;
  Bytes address;
  // Nanoseconds since 1970.
  int64_t time = 0;
  std::optional<int> ttl;
  std::optional<PacketError> error;
};

// Asks for times of arrival.
Failure preparePackets(int fd);
Failure sendPacket(Worker& worker, int fd, const Bytes& data, const Bytes& address, int64_t* time);
// Never waits; empty if there was nothing. Network errors come as packets, in the order in which the kernel queued them.
Failure readPackets(int fd, uint8_t* buffer, size_t capacity, std::vector<Packet>* packets);

}  // namespace netloom
