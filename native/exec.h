// Turns the calling process into a command with the mounts that `ip netns exec` gives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fd.h"

namespace netloom {

struct Command {
  // What is shown in the place of what: pairs of paths.
  std::vector<std::pair<std::string, std::string>> binds;
  std::string command;
  std::vector<std::string> args;
  std::vector<std::string> env;
  // Those that the command inherits.
  std::vector<uint32_t> descriptors;
  // What the command sees as its own name, if not `command`.
  std::optional<std::string> argv0;
  // Taken on after the mounts, which need root.
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
};

// Returns only if a step failed.
Failure execute(const Command& command);

}  // namespace netloom
