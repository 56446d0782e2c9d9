// The objects that JavaScript holds: a namespace, a netlink socket, a packet socket, a descriptor for Node.
#pragma once

#include <memory>

#include <napi.h>

#include "addon.h"
#include "netlink.h"
#include "sockets.h"

namespace netloom {

class NamespaceHandle : public Napi::ObjectWrap<NamespaceHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  // Null when the environment is ending.
  static napi_value wrap(Napi::Env env, NamespacePointer ns);
  // Null unless the value is one of these.
  static NamespaceHandle* from(Napi::Value value);

  explicit NamespaceHandle(const Napi::CallbackInfo& info);
  const NamespacePointer& pointer() const { return ns_; }

 private:
  Napi::Value fd(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value inode(const Napi::CallbackInfo& info);
  Napi::Value cookie(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  // Work in flight has its own share, so closing never takes a descriptor from under it.
  NamespacePointer ns_;
  Identity identity_;
  std::optional<uint64_t> cookie_;
};

class NetlinkSocket : public Napi::ObjectWrap<NetlinkSocket> {
 public:
  static Napi::Function define(Napi::Env env);
  static napi_value wrap(Napi::Env env, NetlinkDescriptor descriptor, bool origins);

  explicit NetlinkSocket(const Napi::CallbackInfo& info);

 private:
  Napi::Value port(const Napi::CallbackInfo& info);
  Napi::Value exchange(const Napi::CallbackInfo& info);
  Napi::Value transmit(const Napi::CallbackInfo& info);
  Napi::Value more(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value peek(const Napi::CallbackInfo& info);
  Napi::Value readable(const Napi::CallbackInfo& info);
  Napi::Value receiveNow(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<const Fd> fd_;
  std::shared_ptr<Strand> strand_;
  std::shared_ptr<Exchange> exchange_;
  uint32_t port_ = 0;
  bool origins_ = false;
};

class PacketSocket : public Napi::ObjectWrap<PacketSocket> {
 public:
  static Napi::Function define(Napi::Env env);
  // The kernel waits for all processors when a packet socket is closed, some 10 ms: those that are `slow` are closed on a thread of the pool.
  static napi_value wrap(Napi::Env env, Fd fd, bool slow);

  explicit PacketSocket(const Napi::CallbackInfo& info);

 private:
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<const Fd> fd_;
  std::shared_ptr<Strand> strand_;
  bool slow_ = false;
};

// A descriptor that is for Node, which takes plain numbers. Until then it is closed with its object: a thread may be ended in between.
class Descriptor : public Napi::ObjectWrap<Descriptor> {
 public:
  static Napi::Function define(Napi::Env env);
  static napi_value wrap(Napi::Env env, Fd fd);

  explicit Descriptor(const Napi::CallbackInfo& info);

 private:
  Napi::Value take(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  Fd fd_;
};

}  // namespace netloom
