// Network namespaces as descriptors, and their names in the file system.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "fd.h"

namespace netloom {

class Worker;

struct Identity {
  uint64_t device = 0;
  uint64_t inode = 0;

  bool operator==(const Identity& other) const { return device == other.device && inode == other.inode; }
};

struct Namespace {
  Fd fd;
  Identity identity;
  // Never reused by the kernel, unlike the inode. Unknown on kernels before 5.14 and where entering is not allowed.
  std::optional<uint64_t> cookie;
};

using NamespacePointer = std::shared_ptr<const Namespace>;

// The namespace of the calling thread.
Failure identifyCurrent(Identity* identity);
Failure openCurrent(NamespacePointer* result);

Failure openNamespace(Worker& worker, const std::string& path, NamespacePointer* result);
Failure createNamespace(Worker& worker, const std::optional<std::string>& path, const std::string& content,
                        NamespacePointer* result);
// Makes one that a new file names and stays in it until the worker leaves. All of it or nothing.
Failure enterNamed(Worker& worker, const std::string& path, const std::string& content, const Namespace* made,
                   Identity* identity);
// What a file is mounted over with, or the file itself.
Failure identifyName(const std::string& path, Identity* identity);
Failure removeNamespace(Worker& worker, const std::string& path);
Failure prepareDirectory(Worker& worker, const std::string& path);

}  // namespace netloom
