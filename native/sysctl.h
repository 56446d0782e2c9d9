// Kernel settings as a namespace sees them.
#pragma once

#include <string>

#include "fd.h"
#include "namespace.h"

namespace netloom {

// Where a thread finds the files of /proc/sys. Every namespace leaves an entry of each name that was opened in it in the kernel's cache of
// names, and all of one name are in one list, so that the thousandth namespace takes ten times the time to open a setting: after a while the
// thread mounts an instance of procfs that nobody else sees, whose lists are empty, and then another.
class SettingsRoot {
 public:
  // Opens a file of /proc.
  Fd open(const char* path, int flags);

 private:
  void renew();

  Fd instance_;
  unsigned opened_ = 0;
};

Failure readSysctl(Worker& worker, const Namespace& target, const std::string& path, std::string* value);
Failure writeSysctl(Worker& worker, const Namespace& target, const std::string& path, const std::string& value);
// In the namespace that the thread is in.
Failure writeHere(Worker& worker, const std::string& path, const std::string& value);

}  // namespace netloom
