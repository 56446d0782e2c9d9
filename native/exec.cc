// Gives the process mounts of its own, makes it a clean one, and executes the command in its place.
#include "exec.h"

#include <csignal>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

namespace netloom {
namespace {

Failure mountSys() {
  unsigned long flags = 0;
  if (umount2("/sys", MNT_DETACH) != 0) {
    // It stays underneath then; in a container it may be read-only, and a writable one on top is refused.
    struct statfs status;
    if (statfs("/sys", &status) == 0 && (status.f_flags & ST_RDONLY) != 0) flags = MS_RDONLY;
  }
  if (mount("netloom", "/sys", "sysfs", flags, nullptr) != 0) return Failure::of("mount", "/sys");
  return {};
}

Failure bindFiles(const Command& command) {
  for (const auto& [source, target] : command.binds) {
    if (mount(source.c_str(), target.c_str(), "none", MS_BIND, nullptr) != 0) return Failure::of("mount", target);
  }
  return {};
}

// Node marks what it inherited itself to be closed on exec.
Failure keep(const std::vector<uint32_t>& descriptors) {
  for (uint32_t descriptor : descriptors) {
    if (fcntl(static_cast<int>(descriptor), F_SETFD, 0) != 0) return Failure::of("fcntl");
  }
  return {};
}

// As child_process.spawn does. Root's further groups would be rights that the user does not have; a user namespace may forbid to give them up.
Failure becomeUser(const Command& command) {
  if (!command.uid && !command.gid) return {};
  if (setgroups(0, nullptr) != 0 && errno != EPERM) return Failure::of("setgroups");
  if (command.gid && setgid(*command.gid) != 0) return Failure::of("setgid");
  if (command.uid && setuid(*command.uid) != 0) return Failure::of("setuid");
  return {};
}

// Node ignores SIGPIPE and handles others; a command expects what a shell would give it.
void resetSignals() {
  for (int number = 1; number < NSIG; ++number) {
    if (number != SIGKILL && number != SIGSTOP) (void)signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

Failure execute(const Command& command) {
  if (unshare(CLONE_NEWNS) != 0) return Failure::of("unshare");
  // What is mounted from here on stays here, while the machine's later mounts still arrive.
  if (mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) != 0) return Failure::of("mount", "/");
  if (Failure failure = mountSys()) return failure;
  if (Failure failure = bindFiles(command)) return failure;
  if (Failure failure = keep(command.descriptors)) return failure;
  if (Failure failure = becomeUser(command)) return failure;
  std::vector<std::string> arguments = command.args;
  arguments.insert(arguments.begin(), command.argv0.value_or(command.command));
  std::vector<char*> argv = pointers(arguments);
  std::vector<char*> env = pointers(command.env);
  resetSignals();
  // The search path is the command's, not ours.
  environ = env.data();
  execvp(command.command.c_str(), argv.data());
  return Failure::of("execvp", command.command);
}

}  // namespace netloom
