// The addon's functions, and the beginning and end of its life in an environment.
#include "addon.h"

#include <sched.h>
#include <sys/socket.h>

#include "arguments.h"
#include "batch.h"
#include "exec.h"
#include "files.h"
#include "handles.h"
#include "options.h"
#include "packet.h"
#include "sysctl.h"
#include "tun.h"
#include "values.h"

namespace netloom {

// Changes together with lib/socket/native.ts, which refuses any other.
constexpr int interfaceVersion = 13;

Napi::Value throwFailure(Napi::Env env, const Failure& failure) {
  napi_throw(env, makeError(env, failure));
  return {};
}

Napi::Value Addon::run(Napi::Env env, const std::shared_ptr<Strand>& strand, Work work, bool sleeps) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (!completions->begin(env, &deferred, &promise)) return {};
  pool->submit(strand, {deferred, std::move(work), sleeps});
  return {env, promise};
}

Napi::Value Addon::poll(Napi::Env env, std::shared_ptr<const Fd> fd, Attempt attempt, bool idle) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (!completions->begin(env, &deferred, &promise, idle)) return {};
  poller->submit(std::move(fd), deferred, std::move(attempt));
  return {env, promise};
}

namespace {

Outcome handleOf(const Failure& failure, NamespacePointer ns) {
  return {failure, [ns = std::move(ns)](Napi::Env env) { return NamespaceHandle::wrap(env, ns); }};
}

Napi::Value runAlone(const Napi::CallbackInfo& info, Work work) {
  return Addon::of(info.Env()).run(info.Env(), nullptr, std::move(work));
}

// ---- namespaces

Napi::Value CurrentNamespace(const Napi::CallbackInfo& info) {
  NamespacePointer ns;
  if (Failure failure = openCurrent(&ns)) return throwFailure(info.Env(), failure);
  return {info.Env(), NamespaceHandle::wrap(info.Env(), std::move(ns))};
}

Napi::Value OpenNamespace(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::string path = arguments.text(0);
  if (arguments.failed()) return {};
  return runAlone(info, [path](Worker& worker) {
    NamespacePointer ns;
    Failure failure = openNamespace(worker, path, &ns);
    return handleOf(failure, std::move(ns));
  });
}

Napi::Value CreateNamespace(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::optional<std::string> path = arguments.optionalText(0);
  std::string content = arguments.optionalText(1).value_or("");
  if (arguments.failed()) return {};
  return runAlone(info, [path, content](Worker& worker) {
    NamespacePointer ns;
    Failure failure = createNamespace(worker, path, content, &ns);
    return handleOf(failure, std::move(ns));
  });
}

template <Failure (*operation)(Worker&, const std::string&)>
Napi::Value OnPath(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::string path = arguments.text(0);
  if (arguments.failed()) return {};
  return runAlone(info, [path](Worker& worker) { return Outcome{operation(worker, path), {}}; });
}

// ---- records of what is going on

Outcome descriptorOf(const Failure& failure, Fd fd) {
  auto shared = std::make_shared<Fd>(std::move(fd));
  return {failure, [shared](Napi::Env env) { return Descriptor::wrap(env, std::move(*shared)); }};
}

Napi::Value PublishFile(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::string path = arguments.text(0);
  std::string content = arguments.text(1);
  int mode = arguments.integer(2);
  if (arguments.failed()) return {};
  return runAlone(info, [path, content, mode](Worker&) {
    Fd fd;
    Failure failure = publishFile(path, content, static_cast<mode_t>(mode), true, &fd);
    return descriptorOf(failure, std::move(fd));
  });
}

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::string path = arguments.text(0);
  if (arguments.failed()) return {};
  return runAlone(info, [path](Worker&) {
    Fd fd;
    Failure failure = lockFile(path, &fd);
    return descriptorOf(failure, std::move(fd));
  });
}

Napi::Value ReadUnderneath(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::string directory = arguments.text(0);
  std::vector<std::string> names = arguments.toTexts(info[1]);
  if (arguments.failed()) return {};
  return runAlone(info, [directory, names](Worker&) {
    std::vector<std::optional<std::string>> contents;
    Failure failure = readUnderneath(directory, names, &contents);
    return Outcome{failure, [contents = std::move(contents)](Napi::Env env) -> Napi::Value {
                     Napi::Array result = Napi::Array::New(env, contents.size());
                     for (uint32_t i = 0; i < contents.size(); ++i)
                       if (contents[i]) result.Set(i, Napi::String::New(env, *contents[i]));
                     return result;
                   }};
  });
}

Napi::Value RunInside(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Arguments arguments(info);
  NamespacePointer target = arguments.ns(0);
  if (arguments.failed()) return {};
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(env, "a function expected").ThrowAsJavaScriptException();
    return {};
  }
  // Looked up each time: calls nest, and a worker thread may live in a namespace of its own.
  NamespacePointer home;
  if (Failure failure = openCurrent(&home)) return throwFailure(env, failure);
  bool away = !(target->identity == home->identity);
  // Home first: a process in a user namespace of its own may be unable to return, and has to learn it while it is still there.
  if (away && (setns(home->fd.get(), CLONE_NEWNET) != 0 || setns(target->fd.get(), CLONE_NEWNET) != 0))
    return throwFailure(env, Failure::of("setns"));
  napi_value undefined = env.Undefined();
  napi_value result = nullptr;
  napi_status status = napi_call_function(env, undefined, info[1], 0, nullptr, &result);
  if (away && setns(home->fd.get(), CLONE_NEWNET) != 0)
    Napi::Error::Fatal("netloom", "the JavaScript thread cannot return to its network namespace; nothing it did from here on would be right");
  if (status != napi_ok) return {};
  return {env, result};
}

// ---- settings

Napi::Value ReadSysctl(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  std::string path = arguments.text(1);
  if (arguments.failed()) return {};
  return runAlone(info, [ns, path](Worker& worker) {
    std::string value;
    Failure failure = readSysctl(worker, *ns, path, &value);
    return Outcome{failure, [value](Napi::Env env) { return Napi::String::New(env, value); }};
  });
}

Napi::Value WriteSysctl(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  std::string path = arguments.text(1);
  std::string value = arguments.text(2);
  if (arguments.failed()) return {};
  return runAlone(info, [ns, path, value](Worker& worker) { return Outcome{writeSysctl(worker, *ns, path, value), {}}; });
}

// ---- devices

Napi::Value CreateTun(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  Tun tun{arguments.text(1), arguments.integer(2), arguments.integer(3), arguments.integer(4)};
  if (arguments.failed()) return {};
  return runAlone(info, [ns, tun](Worker& worker) {
    Tun made = tun;
    Failure failure = createTun(worker, *ns, &made);
    return Outcome{failure, [name = made.name](Napi::Env env) { return Napi::String::New(env, name); }};
  });
}

// ---- sockets

Napi::Value OpenNetlink(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  NetlinkOptions options;
  options.protocol = arguments.integer(1);
  if (!info[2].IsUndefined()) {
    Napi::Object given = arguments.object(2);
    Napi::Value receiveBuffer = arguments.member(given, "receiveBuffer");
    if (!receiveBuffer.IsUndefined()) options.receiveBuffer = arguments.toInteger(receiveBuffer);
    Napi::Value groups = arguments.member(given, "groups");
    if (!groups.IsUndefined()) options.groups = arguments.toNumbers(groups);
    options.allNamespaces = arguments.toFlag(arguments.member(given, "allNamespaces"));
  }
  if (arguments.failed()) return {};
  return runAlone(info, [ns, options](Worker& worker) {
    auto descriptor = std::make_shared<NetlinkDescriptor>();
    Failure failure = openNetlink(worker, *ns, options, descriptor.get());
    return Outcome{failure, [descriptor, origins = options.allNamespaces](Napi::Env env) {
                     return NetlinkSocket::wrap(env, std::move(*descriptor), origins);
                   }};
  });
}

SocketRequest socketRequest(Arguments& arguments) {
  SocketRequest request;
  request.family = arguments.integer(1);
  request.type = arguments.integer(2);
  request.protocol = arguments.integer(3);
  request.options = arguments.socketOptions(4);
  request.address = arguments.optionalBytes(5);
  return request;
}

Napi::Value OpenPacket(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  SocketRequest request = socketRequest(arguments);
  if (arguments.failed()) return {};
  request.type |= SOCK_NONBLOCK;
  return runAlone(info, [ns, request](Worker& worker) {
    auto fd = std::make_shared<Fd>();
    Failure failure = openSocket(worker, *ns, request, fd.get());
    if (!failure) failure = preparePackets(fd->get());
    return Outcome{failure, [fd, slow = request.family == AF_PACKET](Napi::Env env) {
                     return PacketSocket::wrap(env, std::move(*fd), slow);
                   }};
  });
}

Napi::Value OpenDescriptor(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  SocketRequest request = socketRequest(arguments);
  request.backlog = arguments.integer(6, -1);
  if (arguments.failed()) return {};
  return runAlone(info, [ns, request](Worker& worker) {
    auto fd = std::make_shared<Fd>();
    Failure failure = openSocket(worker, *ns, request, fd.get());
    return Outcome{failure, [fd](Napi::Env env) { return Descriptor::wrap(env, std::move(*fd)); }};
  });
}

template <Failure (*operation)(Worker&, const Namespace&, OptionRequest, Bytes*)>
Napi::Value OnOption(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  NamespacePointer ns = arguments.ns(0);
  OptionRequest request;
  request.socket = {arguments.integer(1), arguments.integer(2), arguments.integer(3), {}, {}, -1};
  request.level = arguments.integer(4);
  request.name = arguments.integer(5);
  request.value = arguments.bytes(6);
  request.outputAt = arguments.integer(7, -1);
  request.outputSize = arguments.limit(8, 0);
  if (arguments.failed()) return {};
  return runAlone(info, [ns, request](Worker& worker) {
    auto result = std::make_shared<Bytes>();
    Failure failure = operation(worker, *ns, request, result.get());
    return Outcome{failure, [result](Napi::Env env) { return toArray(env, *result); }};
  });
}

Napi::Value ExecInside(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Napi::Object given = arguments.object(0);
  if (arguments.failed()) return {};
  Command command;
  Napi::Array binds = arguments.array(arguments.member(given, "binds"));
  for (uint32_t index = 0; index < binds.Length() && !arguments.failed(); ++index) {
    Napi::Array pair = arguments.array(arguments.element(binds, index));
    command.binds.emplace_back(arguments.toText(arguments.element(pair, 0)), arguments.toText(arguments.element(pair, 1)));
  }
  command.command = arguments.toText(arguments.member(given, "command"));
  command.args = arguments.toTexts(arguments.member(given, "args"));
  command.env = arguments.toTexts(arguments.member(given, "env"));
  command.descriptors = arguments.toNumbers(arguments.member(given, "descriptors"));
  Napi::Value argv0 = arguments.member(given, "argv0");
  if (!argv0.IsUndefined()) command.argv0 = arguments.toText(argv0);
  Napi::Value uid = arguments.member(given, "uid");
  if (!uid.IsUndefined()) command.uid = static_cast<uint32_t>(arguments.toInteger(uid));
  Napi::Value gid = arguments.member(given, "gid");
  if (!gid.IsUndefined()) command.gid = static_cast<uint32_t>(arguments.toInteger(gid));
  if (arguments.failed()) return {};
  return throwFailure(info.Env(), execute(command));
}

// ---- life

// Node waits for this before it takes the environment apart. A worker thread may be ended at any moment, in the middle of requests.
void stop(napi_async_cleanup_hook_handle handle, void* data) {
  auto* addon = static_cast<Addon*>(data);
  addon->pool->stop();
  addon->poller->stop();
  addon->completions->close();
  napi_remove_async_cleanup_hook(handle);
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void add(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(exports.Env(), name));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  NamespacePointer home;
  if (Failure failure = openCurrent(&home)) {
    throwFailure(env, failure);
    return exports;
  }
  std::shared_ptr<Completions> completions = Completions::create(env);
  if (!completions) return exports;
  std::shared_ptr<Pool> pool;
  if (Failure failure = Pool::create(completions, home, &pool)) {
    completions->close();
    throwFailure(env, failure);
    return exports;
  }
  auto* addon = new Addon;
  env.SetInstanceData(addon);
  addon->completions = std::move(completions);
  addon->pool = std::move(pool);
  addon->poller = std::make_shared<Poller>(addon->completions, home);
  addon->completions->afterwards([pool = addon->pool.get()] { pool->grow(); });
  addon->namespaceHandle = Napi::Persistent(NamespaceHandle::define(env));
  addon->netlinkSocket = Napi::Persistent(NetlinkSocket::define(env));
  addon->packetSocket = Napi::Persistent(PacketSocket::define(env));
  addon->descriptor = Napi::Persistent(Descriptor::define(env));
  napi_add_async_cleanup_hook(env, stop, addon, nullptr);

  exports.Set("interfaceVersion", interfaceVersion);
  add<CurrentNamespace>(exports, "currentNamespace");
  add<OpenNamespace>(exports, "openNamespace");
  add<CreateNamespace>(exports, "createNamespace");
  add<OnPath<prepareDirectory>>(exports, "prepareNamespaceDirectory");
  add<OnPath<removeNamespace>>(exports, "removeNamespace");
  add<PublishFile>(exports, "publishFile");
  add<LockFile>(exports, "lockFile");
  add<RemoveEntries>(exports, "removeEntries");
  add<ReadUnderneath>(exports, "readUnderneath");
  add<RemoveNamespaces>(exports, "removeNamespaces");
  add<CreateNamespaces>(exports, "createNamespaces");
  add<Perform>(exports, "perform");
  add<RunInside>(exports, "runInside");
  add<ReadSysctl>(exports, "readSysctl");
  add<WriteSysctl>(exports, "writeSysctl");
  add<CreateTun>(exports, "createTun");
  add<OpenNetlink>(exports, "openNetlink");
  add<OpenPacket>(exports, "openPacket");
  add<OpenDescriptor>(exports, "openDescriptor");
  add<OnOption<getOption>>(exports, "getSocketOption");
  add<OnOption<setOption>>(exports, "setSocketOption");
  add<ExecInside>(exports, "execInside");
  return exports;
}

}  // namespace

NODE_API_MODULE(netloom, init)

}  // namespace netloom
