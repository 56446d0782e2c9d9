// Turns the calling process into a command with the mounts that `ip netns exec` gives it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fd.h"

namespace netloom {

struct Command {
  std::optional<std::string> namespaceName;
  std::string command;
  std::vector<std::string> args;
  std::vector<std::string> env;
};

// Returns only if a step failed.
Failure execute(const Command& command);

}  // namespace netloom
