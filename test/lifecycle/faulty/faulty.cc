// Makes system calls of the addon fail: puts its own functions into the addon's table of imports, so that node's own calls stay as they are.
// install(path) gives the calls that are there; arm(call, errno, number) makes one of them fail; disarm() gives how often each was made since.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include <atomic>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <napi.h>

namespace {

// Word-sized arguments, which all of these have, travel through a function that does not know them.
using Function = long (*)(long, long, long, long, long, long);

// Reports the error as its result, and not in errno.
constexpr bool isResult(const char* name) { return name[0] == 'p' && name[1] == 't'; }
// Never undone by an error: the descriptor is free all the same.
constexpr bool isDoneAnyway(const char* name) { return name[0] == 'c' && name[1] == 'l'; }

constexpr const char* names[] = {
    "bind",       "close",  "epoll_create1", "epoll_ctl", "epoll_wait", "eventfd", "fcntl64", "flock",   "fstatfs64", "getsockname",
    "getsockopt", "ioctl",  "linkat",        "listen",    "mkdir",      "mount",   "open64",  "openat64", "poll",     "prctl",
    "read",       "recvmsg", "sendmsg",      "sendto",    "setns",      "setsockopt", "socket", "statx", "syscall",   "umount2",
    "unlink",     "unshare", "write",        "pthread_create", "readlink", "rmdir",
};
constexpr size_t count = sizeof names / sizeof *names;

Function real[count];
std::atomic<long> made[count];
std::atomic<bool> armed{false};
std::atomic<size_t> failing{count};
std::atomic<long> failingNumber{0};
std::atomic<int> failingError{0};

template <size_t index>
long standIn(long a, long b, long c, long d, long e, long f) {
  bool fails = false;
  if (armed) {
    long number = ++made[index];
    fails = failing == index && number == failingNumber;
  }
  if (!fails) return real[index](a, b, c, d, e, f);
  if (isDoneAnyway(names[index])) real[index](a, b, c, d, e, f);
  if (isResult(names[index])) return failingError;
  errno = failingError;
  return -1;
}

template <size_t... indexes>
const Function* standIns(std::index_sequence<indexes...>) {
  static const Function all[] = {standIn<indexes>...};
  return all;
}

struct Search {
  const char* path;
  bool found;
};

template <typename T>
T at(ElfW(Addr) base, ElfW(Addr) value) {
  return reinterpret_cast<T>(value < base ? base + value : value);
}

// Every place of the object's own table that leads to one of the functions.
void replace(ElfW(Addr) base, const ElfW(Dyn)* entries) {
  const ElfW(Sym)* symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Rela)* relocations = nullptr;
  size_t bytes = 0;
  for (; entries->d_tag != DT_NULL; ++entries) {
    if (entries->d_tag == DT_SYMTAB) symbols = at<const ElfW(Sym)*>(base, entries->d_un.d_ptr);
    if (entries->d_tag == DT_STRTAB) strings = at<const char*>(base, entries->d_un.d_ptr);
    if (entries->d_tag == DT_JMPREL) relocations = at<const ElfW(Rela)*>(base, entries->d_un.d_ptr);
    if (entries->d_tag == DT_PLTRELSZ) bytes = entries->d_un.d_val;
  }
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const Function* functions = standIns(std::make_index_sequence<count>());
  for (size_t number = 0; number < bytes / sizeof *relocations; ++number) {
    const char* name = strings + symbols[relocations[number].r_info >> 32].st_name;
    for (size_t index = 0; index < count; ++index) {
      if (std::strcmp(name, names[index]) != 0) continue;
      auto* place = reinterpret_cast<Function*>(base + relocations[number].r_offset);
      if (*place == functions[index]) continue;
      // It was made read-only after the object was loaded.
      auto start = reinterpret_cast<uintptr_t>(place) & ~(page - 1);
      if (mprotect(reinterpret_cast<void*>(start), page, PROT_READ | PROT_WRITE) != 0) continue;
      real[index] = *place;
      *place = functions[index];
    }
  }
}

Napi::Value Install(const Napi::CallbackInfo& info) {
  std::string path = info[0].As<Napi::String>();
  Search search{path.c_str(), false};
  auto visit = [](dl_phdr_info* object, size_t, void* data) {
    auto* wanted = static_cast<Search*>(data);
    if (object->dlpi_name == nullptr || std::strcmp(object->dlpi_name, wanted->path) != 0) return 0;
    wanted->found = true;
    for (int index = 0; index < object->dlpi_phnum; ++index) {
      const ElfW(Phdr)& header = object->dlpi_phdr[index];
      if (header.p_type == PT_DYNAMIC) replace(object->dlpi_addr, reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + header.p_vaddr));
    }
    return 1;
  };
  dl_iterate_phdr(visit, &search);
  if (!search.found) {
    Napi::Error::New(info.Env(), path + " is not loaded").ThrowAsJavaScriptException();
    return {};
  }
  Napi::Array installed = Napi::Array::New(info.Env());
  for (size_t index = 0; index < count; ++index)
    if (real[index] != nullptr) installed.Set(installed.Length(), Napi::String::New(info.Env(), names[index]));
  return installed;
}

Napi::Value Arm(const Napi::CallbackInfo& info) {
  std::string name = info[0].As<Napi::String>();
  armed = false;
  failing = count;
  for (size_t index = 0; index < count; ++index) {
    made[index] = 0;
    if (name == names[index]) failing = index;
  }
  failingError = info[1].As<Napi::Number>().Int32Value();
  failingNumber = info[2].As<Napi::Number>().Int64Value();
  armed = true;
  return info.Env().Undefined();
}

Napi::Value Disarm(const Napi::CallbackInfo& info) {
  armed = false;
  failing = count;
  Napi::Object counts = Napi::Object::New(info.Env());
  for (size_t index = 0; index < count; ++index)
    if (made[index] > 0) counts.Set(names[index], Napi::Number::New(info.Env(), static_cast<double>(made[index])));
  return counts;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("install", Napi::Function::New(env, Install));
  exports.Set("arm", Napi::Function::New(env, Arm));
  exports.Set("disarm", Napi::Function::New(env, Disarm));
  return exports;
}

}  // namespace

NODE_API_MODULE(faulty, init)
