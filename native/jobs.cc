// Makes namespaces and does what is to be done in them without returning to JavaScript in between: each step would cost a change of threads.
#include "jobs.h"

#include <cstring>
#include <limits>

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sysctl.h"
#include "thread.h"

namespace netloom {
namespace {

bool refuses(const Bytes& answer) {
  for (size_t offset = 0; answer.size() - offset >= sizeof(nlmsghdr) + sizeof(int);) {
    nlmsghdr header;
    int error = 0;
    std::memcpy(&header, answer.data() + offset, sizeof header);
    std::memcpy(&error, answer.data() + offset + sizeof header, sizeof error);
    if (header.nlmsg_type == NLMSG_ERROR && error != 0) return true;
    if (header.nlmsg_len < sizeof header || NLMSG_ALIGN(header.nlmsg_len) > answer.size() - offset) return false;
    offset += NLMSG_ALIGN(header.nlmsg_len);
  }
  return false;
}

// The steps of one job, in the namespace that the thread is in.
class Inner {
 public:
  Inner(Worker& worker, int protocol) : worker_(worker), protocol_(protocol) {}

  Failure run(Step& step, Bytes* answer) {
    if (step.messages.empty()) return writeHere(worker_, step.path, step.value);
    if (!socket_) {
      if (Failure failure = openHere(protocol_, &socket_, &window_)) return failure;
    }
    Exchange exchange(window_);
    bool done = false;
    if (Failure failure = exchange.start(std::move(step.messages))) return failure;
    return exchange.advance(worker_, socket_.get(), std::numeric_limits<size_t>::max(), answer, &done);
  }

 private:
  Worker& worker_;
  const int protocol_;
  Fd socket_;
  size_t window_ = 1;
};

// Tells other namespaces of the one that the thread is in. Whatever comes of it nobody reads: it is for what only makes the kernel faster.
class Teller {
 public:
  Teller(Worker& worker, int protocol) : worker_(worker), protocol_(protocol) {}

  // To be called at home. A thread that could not come back would be lost for the job itself.
  void prepare(const NamespacePointer& where) {
    if (!where || where == where_) return;
    where_ = where;
    socket_ = Fd();
    if (!worker_.returns()) return;
    size_t window = 1;
    Inside inside(worker_, *where);
    if (!inside.failure) openHere(protocol_, &socket_, &window);
  }

  void tell(Bytes message) const {
    const auto thread = static_cast<uint32_t>(syscall(SYS_gettid));
    if (!socket_ || message.size() < sizeof thread) return;
    std::memcpy(message.data() + message.size() - sizeof thread, &thread, sizeof thread);
    sendto(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
  }

 private:
  Worker& worker_;
  const int protocol_;
  NamespacePointer where_;
  Fd socket_;
};

Failure enter(Worker& worker, const Job& job, const std::string& content, Performed* performed) {
  if (job.path.empty()) return worker.enter(*job.target);
  Identity identity;
  if (Failure failure = enterNamed(worker, job.path, content, job.target.get(), &identity)) return failure;
  performed->made.push_back(identity);
  return {};
}

// True if there is nothing more to be done, for good or bad.
bool stops(Worker& worker, Job& job, int protocol, Performed* performed) {
  Inner inner(worker, protocol);
  for (performed->step = 0; performed->step < job.steps.size(); ++performed->step) {
    Bytes answer;
    performed->failure = inner.run(job.steps[performed->step], &answer);
    if (performed->failure) return true;
    if (!refuses(answer)) continue;
    performed->answer = std::move(answer);
    return true;
  }
  return false;
}

}  // namespace

Performed perform(Worker& worker, std::vector<Job> jobs, const std::string& content, int protocol) {
  Performed performed;
  Teller teller(worker, protocol);
  for (Job& job : jobs) {
    teller.prepare(job.elsewhere);
    if (worker.lost()) break;
    performed.failure = worker.stopping() ? Failure{ECANCELED, "perform", {}} : enter(worker, job, content, &performed);
    performed.entered = !performed.failure;
    if (performed.entered && job.elsewhere) teller.tell(std::move(job.telling));
    performed.stopped = !performed.entered || stops(worker, job, protocol, &performed);
    // Always home in between: what a new namespace inherits may depend on where it is made.
    worker.leave();
    if (performed.stopped) break;
    ++performed.done;
    // Another thread can do the rest.
    if (worker.lost()) break;
  }
  return performed;
}

std::vector<Failure> removeNames(Worker& worker, const std::vector<Name>& names, uint64_t device) {
  std::vector<Failure> failures;
  failures.reserve(names.size());
  for (const Name& name : names) {
    Identity found;
    Failure failure = worker.stopping() ? Failure{ECANCELED, "umount2", name.path} : identifyName(name.path, &found);
    if (!failure && !(found == Identity{device, name.inode})) failure = {ESTALE, "statx", name.path};
    if (!failure) failure = removeNamespace(worker, name.path);
    failures.push_back(std::move(failure));
  }
  return failures;
}

}  // namespace netloom
