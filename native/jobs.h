// Work in many namespaces one after the other on one thread, and the removal of many names.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fd.h"
#include "namespace.h"
#include "netlink.h"

namespace netloom {

// Messages for the kernel, or a setting to write.
struct Step {
  Bytes messages;
  std::string path;
  std::string value;
};

// What is done in one namespace: in one that is there, in a new one that `path` names, or in one that is there without a name and gets this one.
// Before its steps another namespace may be told of it: with a message whose last four bytes become the id of the thread, which is in the job's by then.
struct Job {
  NamespacePointer target;
  std::string path;
  NamespacePointer elsewhere;
  Bytes telling;
  std::vector<Step> steps;
};

struct Performed {
  // Jobs of which everything is done.
  size_t done = 0;
  // Of the namespaces that were made.
  std::vector<Identity> made;
  // Where it ended early: in which step of the next job, and why. Before the first step the namespace could not be made, and nothing is left of it.
  bool stopped = false;
  bool entered = false;
  size_t step = 0;
  Failure failure;
  // Of the kernel, if it refused one of the step's messages.
  Bytes answer;
};

// Ends with the first system call that fails, after the first step of which the kernel refuses a message, and when the thread cannot come home.
Performed perform(Worker& worker, std::vector<Job> jobs, const std::string& content, int protocol);

struct Name {
  std::string path;
  uint64_t inode;
};

// Takes away the names that still lead to those namespaces; a failure for each in turn, ESTALE for one that leads elsewhere.
std::vector<Failure> removeNames(Worker& worker, const std::vector<Name>& names, uint64_t device);

}  // namespace netloom
