// Files that appear complete or not at all, locks that end with their process, and what lies underneath mounts.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "fd.h"

namespace netloom {

// Makes a file that nobody sees before its content is in it; EEXIST if there is one. On file systems without nameless files it is seen while
// it is written. With `lock` it is locked before anybody sees it.
Failure publishFile(const std::string& path, const std::string& content, mode_t mode, bool lock, Fd* result);

// Opens a file and locks it: EWOULDBLOCK if somebody else has, ENOENT if it was removed meanwhile.
Failure lockFile(const std::string& path, Fd* result);

// The beginning of what the files of a directory contain, whatever is mounted on them; nothing for those that are not there.
Failure readUnderneath(const std::string& directory, const std::vector<std::string>& names,
                       std::vector<std::optional<std::string>>* contents);

// The name of a file, or of a directory where it ends with a slash. With a target it is a symbolic link, and goes only if it leads there.
struct Entry {
  std::string path;
  std::string target;
};

// Removes one entry after the other until one cannot be removed. What is not there, leads elsewhere or is not empty stays, and is no failure: `removed` tells.
Failure removeEntries(const std::vector<Entry>& entries, std::vector<bool>* removed);

}  // namespace netloom
