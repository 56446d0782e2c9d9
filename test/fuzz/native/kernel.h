// A kernel that says what the fuzzer's bytes say: the addon's system calls on sockets end here (the linker wraps them), not at the real one.
#pragma once

#include <cstddef>
#include <cstdint>

#include <fuzzer/FuzzedDataProvider.h>

#include "fd.h"
#include "namespace.h"
#include "netlink.h"
#include "thread.h"

namespace fuzzed {

// Makes the bytes decide what system calls return until the end of the scope. When they are used up, every call fails with EIO.
class Kernel {
 public:
  explicit Kernel(FuzzedDataProvider& data);
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel();
  // Sequence numbers of answers lie near this one, or hardly any would belong to a request.
  void expect(uint32_t sequence);
};

// Netlink messages one behind the other: most of them well formed, some whose lengths lie, at times anything.
netloom::Bytes messages(FuzzedDataProvider& data, uint32_t sequence, size_t most);
netloom::Bytes bytes(FuzzedDataProvider& data, size_t most);

// A thread's worker that never leaves home, where every namespace here is.
netloom::Worker& worker();
const netloom::NamespacePointer& home();

// Ends the process, which the fuzzer keeps the input of, if something is not as promised.
void promise(bool kept, const char* what);

}  // namespace fuzzed
