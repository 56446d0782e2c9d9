// Kernel settings as a namespace sees them.
#pragma once

#include <string>

#include "fd.h"
#include "namespace.h"

namespace netloom {

Failure readSysctl(Worker& worker, const Namespace& target, const std::string& path, std::string* value);
Failure writeSysctl(Worker& worker, const Namespace& target, const std::string& path, const std::string& value);
// In the namespace that the thread is in.
Failure writeHere(const std::string& path, const std::string& value);

}  // namespace netloom
