// Gives namespaces and sockets to JavaScript, and turns what they return into values.
#include "handles.h"

#include "arguments.h"
#include "packet.h"
#include "values.h"

namespace netloom {
namespace {

constexpr size_t mostNotifications = size_t{1} << 20;
// What the kernel writes of a dump at a time.
constexpr size_t longestDump = size_t{32} * 1024;

// Recognises our own objects, so that a foreign one given in their place is an error and not a crash.
constexpr napi_type_tag namespaceTag = {0x6e65746c6f6f6d01, 0x9d2c4e7f1b3a5860};

napi_value toObject(Napi::Env env, const Notifications& notifications) {
  napi_value origins = nullptr;
  napi_create_array(env, &origins);
  uint32_t index = 0;
  for (auto [offset, nsid] : notifications.origins) {
    napi_value pair = nullptr;
    napi_value number = nullptr;
    napi_create_array_with_length(env, 2, &pair);
    napi_create_uint32(env, offset, &number);
    napi_set_element(env, pair, 0, number);
    napi_create_int32(env, nsid, &number);
    napi_set_element(env, pair, 1, number);
    napi_set_element(env, origins, index++, pair);
  }
  Record record(env);
  record.set("data", toArray(env, notifications.data)).set("lost", notifications.lost).set("origins", origins);
  return record.object();
}

napi_value toObject(Napi::Env env, const Packet& packet) {
  Record record(env);
  record.set("data", toArray(env, packet.data)).set("address", toArray(env, packet.address));
  record.set("time", toBigint(env, packet.time));
  if (packet.ttl) record.set("ttl", static_cast<double>(*packet.ttl));
  if (packet.error) {
    Record error(env);
    error.set("errno", static_cast<double>(packet.error->number));
    error.set("origin", static_cast<double>(packet.error->origin));
    error.set("type", static_cast<double>(packet.error->type)).set("code", static_cast<double>(packet.error->code));
    error.set("offender", toArray(env, packet.error->offender));
    record.set("error", error.object());
  }
  return record.object();
}

// Null when the environment is ending. That may begin at any moment: then there may be an object, and nothing in it.
template <typename Handle>
Handle* make(Napi::Env env, const Napi::FunctionReference& constructor, napi_value* object) {
  void* self = nullptr;
  if (napi_new_instance(env, constructor.Value(), 0, nullptr, object) != napi_ok) return nullptr;
  if (napi_unwrap(env, *object, &self) != napi_ok) return nullptr;
  return static_cast<Handle*>(self);
}

}  // namespace

// ---- namespaces

Napi::Function NamespaceHandle::define(Napi::Env env) {
  return DefineClass(env, "NamespaceHandle",
                     {InstanceAccessor<&NamespaceHandle::fd>("fd"), InstanceAccessor<&NamespaceHandle::device>("device"),
                      InstanceAccessor<&NamespaceHandle::inode>("inode"),
                      InstanceAccessor<&NamespaceHandle::cookie>("cookie"),
                      InstanceAccessor<&NamespaceHandle::closed>("closed"),
                      InstanceMethod<&NamespaceHandle::close>("close")});
}

napi_value NamespaceHandle::wrap(Napi::Env env, NamespacePointer ns) {
  napi_value object = nullptr;
  auto* handle = make<NamespaceHandle>(env, Addon::of(env).namespaceHandle, &object);
  if (handle == nullptr) return nullptr;
  handle->identity_ = ns->identity;
  handle->cookie_ = ns->cookie;
  handle->ns_ = std::move(ns);
  return object;
}

NamespaceHandle* NamespaceHandle::from(Napi::Value value) {
  bool ours = false;
  if (!value.IsObject() || napi_check_object_type_tag(value.Env(), value, &namespaceTag, &ours) != napi_ok || !ours)
    return nullptr;
  return Unwrap(value.As<Napi::Object>());
}

NamespaceHandle::NamespaceHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  napi_type_tag_object(info.Env(), info.This(), &namespaceTag);
}

Napi::Value NamespaceHandle::fd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ns_ ? ns_->fd.get() : -1);
}

Napi::Value NamespaceHandle::device(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(identity_.device));
}

Napi::Value NamespaceHandle::inode(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(identity_.inode));
}

Napi::Value NamespaceHandle::cookie(const Napi::CallbackInfo& info) {
  if (!cookie_) return info.Env().Undefined();
  return Napi::BigInt::New(info.Env(), *cookie_);
}

Napi::Value NamespaceHandle::closed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), !ns_); }

Napi::Value NamespaceHandle::close(const Napi::CallbackInfo& info) {
  ns_.reset();
  return info.Env().Undefined();
}

// ---- netlink

Napi::Function NetlinkSocket::define(Napi::Env env) {
  return DefineClass(env, "NetlinkSocket",
                     {InstanceAccessor<&NetlinkSocket::port>("port"), InstanceMethod<&NetlinkSocket::exchange>("exchange"),
                      InstanceMethod<&NetlinkSocket::transmit>("transmit"), InstanceMethod<&NetlinkSocket::more>("more"),
                      InstanceMethod<&NetlinkSocket::receive>("receive"),
                      InstanceMethod<&NetlinkSocket::peek>("peek"), InstanceMethod<&NetlinkSocket::readable>("readable"),
                      InstanceMethod<&NetlinkSocket::receiveNow>("receiveNow"),
                      InstanceMethod<&NetlinkSocket::close>("close")});
}

napi_value NetlinkSocket::wrap(Napi::Env env, NetlinkDescriptor descriptor, bool origins) {
  napi_value object = nullptr;
  auto* self = make<NetlinkSocket>(env, Addon::of(env).netlinkSocket, &object);
  if (self == nullptr) return nullptr;
  self->fd_ = std::make_shared<const Fd>(std::move(descriptor.fd));
  self->strand_ = std::make_shared<Strand>();
  self->exchange_ = std::make_shared<Exchange>(descriptor.window);
  self->port_ = descriptor.port;
  self->origins_ = origins;
  return object;
}

NetlinkSocket::NetlinkSocket(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

Napi::Value NetlinkSocket::port(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), port_); }

namespace {

Outcome advance(Exchange& exchange, Worker& worker, const Fd& fd, size_t limit) {
  auto data = std::make_shared<Bytes>();
  // Part of a long answer, which would otherwise be copied again and again as it grows.
  if (limit <= mostNotifications) data->reserve(limit + longestDump);
  bool done = false;
  if (Failure failure = exchange.advance(worker, fd.get(), limit, data.get(), &done)) return {failure, {}};
  return {{}, [data, done](Napi::Env env) {
            return Record(env).set("data", toArray(env, *data)).set("done", done).object();
          }};
}

}  // namespace

Napi::Value NetlinkSocket::exchange(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Bytes messages = arguments.bytes(0);
  size_t limit = arguments.limit(1, std::numeric_limits<size_t>::max());
  bool sleeps = arguments.toFlag(info[2]);
  if (arguments.failed()) return {};
  if (!fd_) return throwFailure(info.Env(), {EBADF, "sendmsg", {}});
  auto work = [fd = fd_, exchange = exchange_, messages = std::move(messages), limit](Worker& worker) mutable -> Outcome {
    if (Failure failure = exchange->start(std::move(messages))) return {failure, {}};
    return advance(*exchange, worker, *fd, limit);
  };
  return Addon::of(info.Env()).run(info.Env(), strand_, std::move(work), sleeps);
}

Napi::Value NetlinkSocket::more(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  size_t limit = arguments.limit(0, std::numeric_limits<size_t>::max());
  if (arguments.failed()) return {};
  if (!fd_) return throwFailure(info.Env(), {EBADF, "recvmsg", {}});
  return Addon::of(info.Env()).run(info.Env(), strand_, [fd = fd_, exchange = exchange_, limit](Worker& worker) {
    return advance(*exchange, worker, *fd, limit);
  });
}

Napi::Value NetlinkSocket::transmit(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Bytes messages = arguments.bytes(0);
  size_t expected = arguments.limit(1, 0);
  if (arguments.failed()) return {};
  if (!fd_) return throwFailure(info.Env(), {EBADF, "sendmsg", {}});
  return Addon::of(info.Env())
      .run(info.Env(), strand_,
           [fd = fd_, exchange = exchange_, messages = std::move(messages), expected](Worker& worker) mutable -> Outcome {
             if (exchange->active()) return {{EBUSY, "transmit", {}}, {}};
             auto result = std::make_shared<Transmitted>();
             Failure failure = netloom::transmit(worker, fd->get(), std::move(messages), expected, result.get());
             return {failure, [result](Napi::Env env) {
                       return Record(env).set("data", toArray(env, result->data)).set("lost", result->lost).object();
                     }};
           });
}

namespace {

std::optional<Outcome> attemptToRead(const Fd& fd, uint8_t* buffer, size_t capacity, size_t limit, bool origins) {
  auto found = std::make_shared<Notifications>();
  std::optional<Failure> outcome = readNotifications(fd.get(), buffer, capacity, limit, found.get());
  if (!outcome) return std::nullopt;
  if (!origins) found->origins.clear();
  return Outcome{*outcome, [found](Napi::Env env) { return toObject(env, *found); }};
}

}  // namespace

Napi::Value NetlinkSocket::receive(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  size_t limit = arguments.limit(0, mostNotifications);
  if (arguments.failed()) return {};
  if (!fd_) return throwFailure(info.Env(), {EBADF, "recvmsg", {}});
  return Addon::of(info.Env())
      .poll(info.Env(), fd_, [fd = fd_, limit, origins = origins_](uint8_t* buffer, size_t capacity) {
        return attemptToRead(*fd, buffer, capacity, limit, origins);
      });
}

Napi::Value NetlinkSocket::peek(const Napi::CallbackInfo& info) {
  if (!fd_) return throwFailure(info.Env(), {EBADF, "recvmsg", {}});
  auto look = [fd = fd_](uint8_t* buffer, size_t capacity) -> std::optional<Outcome> {
    auto data = std::make_shared<Bytes>();
    std::optional<Failure> outcome = peekAnswer(fd->get(), buffer, capacity, data.get());
    if (!outcome) return std::nullopt;
    return Outcome{*outcome, [data](Napi::Env env) { return toArray(env, *data); }};
  };
  return Addon::of(info.Env()).poll(info.Env(), fd_, look);
}

Napi::Value NetlinkSocket::readable(const Napi::CallbackInfo& info) {
  if (!fd_) return throwFailure(info.Env(), {EBADF, "poll", {}});
  auto look = [fd = fd_](uint8_t*, size_t) -> std::optional<Outcome> {
    if (!isReadable(fd->get())) return std::nullopt;
    return Outcome{};
  };
  return Addon::of(info.Env()).poll(info.Env(), fd_, look, true);
}

Napi::Value NetlinkSocket::receiveNow(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  size_t limit = arguments.limit(0, mostNotifications);
  if (arguments.failed()) return {};
  if (!fd_) return throwFailure(info.Env(), {EBADF, "recvmsg", {}});
  return Addon::of(info.Env()).run(info.Env(), strand_, [fd = fd_, limit, origins = origins_](Worker& worker) {
    auto outcome = attemptToRead(*fd, worker.buffer(), Worker::bufferSize, limit, origins);
    return outcome ? std::move(*outcome) : Outcome{{}, [](Napi::Env env) { return toObject(env, Notifications{}); }};
  });
}

Napi::Value NetlinkSocket::close(const Napi::CallbackInfo& info) {
  if (!fd_) return info.Env().Undefined();
  Addon& addon = Addon::of(info.Env());
  addon.pool->close(*strand_);
  addon.poller->cancel(*fd_);
  fd_.reset();
  return info.Env().Undefined();
}

// ---- packets

Napi::Function PacketSocket::define(Napi::Env env) {
  return DefineClass(env, "PacketSocket",
                     {InstanceMethod<&PacketSocket::send>("send"), InstanceMethod<&PacketSocket::receive>("receive"),
                      InstanceMethod<&PacketSocket::close>("close")});
}

napi_value PacketSocket::wrap(Napi::Env env, Fd fd, bool slow) {
  napi_value object = nullptr;
  auto* self = make<PacketSocket>(env, Addon::of(env).packetSocket, &object);
  if (self == nullptr) return nullptr;
  self->fd_ = std::make_shared<const Fd>(std::move(fd));
  self->strand_ = std::make_shared<Strand>();
  self->slow_ = slow;
  return object;
}

PacketSocket::PacketSocket(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

Napi::Value PacketSocket::send(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Bytes data = arguments.bytes(0);
  Bytes address = arguments.optionalBytes(1);
  if (arguments.failed()) return {};
  if (!fd_) return throwFailure(info.Env(), {EBADF, "sendto", {}});
  return Addon::of(info.Env())
      .run(info.Env(), strand_, [fd = fd_, data = std::move(data), address = std::move(address)](Worker& worker) {
        int64_t time = 0;
        Failure failure = sendPacket(worker, fd->get(), data, address, &time);
        return Outcome{failure, [time](Napi::Env env) { return toBigint(env, time); }};
      });
}

Napi::Value PacketSocket::receive(const Napi::CallbackInfo& info) {
  if (!fd_) return throwFailure(info.Env(), {EBADF, "recvmsg", {}});
  return Addon::of(info.Env())
      .poll(info.Env(), fd_, [fd = fd_](uint8_t* buffer, size_t capacity) -> std::optional<Outcome> {
        auto packets = std::make_shared<std::vector<Packet>>();
        Failure failure = readPackets(fd->get(), buffer, capacity, packets.get());
        if (!failure && packets->empty()) return std::nullopt;
        return Outcome{failure, [packets](Napi::Env env) {
                         napi_value array = nullptr;
                         napi_create_array(env, &array);
                         uint32_t index = 0;
                         for (const Packet& packet : *packets)
                           napi_set_element(env, array, index++, toObject(env, packet));
                         return array;
                       }};
      });
}

Napi::Value PacketSocket::close(const Napi::CallbackInfo& info) {
  if (!fd_) return info.Env().Undefined();
  Addon& addon = Addon::of(info.Env());
  addon.pool->close(*strand_);
  addon.poller->cancel(*fd_);
  auto last = std::exchange(fd_, nullptr);
  if (slow_) addon.run(info.Env(), nullptr, [last = std::move(last)](Worker&) mutable { return last.reset(), Outcome{}; }, true);
  return info.Env().Undefined();
}

// ---- descriptors

Napi::Function Descriptor::define(Napi::Env env) {
  return DefineClass(env, "Descriptor", {InstanceMethod<&Descriptor::take>("take"), InstanceMethod<&Descriptor::close>("close")});
}

napi_value Descriptor::wrap(Napi::Env env, Fd fd) {
  napi_value object = nullptr;
  auto* self = make<Descriptor>(env, Addon::of(env).descriptor, &object);
  if (self == nullptr) return nullptr;
  self->fd_ = std::move(fd);
  return object;
}

Descriptor::Descriptor(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

Napi::Value Descriptor::take(const Napi::CallbackInfo& info) {
  if (!fd_) return throwFailure(info.Env(), {EBADF, "take", {}});
  return Napi::Number::New(info.Env(), fd_.release());
}

Napi::Value Descriptor::close(const Napi::CallbackInfo& info) {
  fd_.reset();
  return info.Env().Undefined();
}

}  // namespace netloom
