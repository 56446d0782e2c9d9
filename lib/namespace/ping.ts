// Ping from inside a namespace: what the caller asks for, the right kind of socket, and the words for what goes wrong.
import { randomBytes, randomInt } from 'node:crypto'
import { argumentError, expectOnly, inside, rangeError, shown } from '../codec/errors.js'
import { parseIp } from '../codec/ip.js'
import { onAbort } from '../socket/abort.js'
import { errnoNumbers } from '../socket/errno.js'
import { AbortError, isSystemCallError } from '../socket/error.js'
import { type NamespaceHandle, native, type PacketSocket } from '../socket/native.js'
import { EchoSession, type PingResult } from './echo-session.js'
import { type Attempt, checkOpen, failure, type Meanings } from './failure.js'
import type { Family } from './icmp.js'
import { labelOf, type OpenNamespace } from './info.js'
import { checkInterfaceName } from './names.js'
import { AF_INET, AF_INET6, encodeSocketAddress } from './sockaddr.js'

export interface PingOptions {
  /** How many requests, 1 to 65,535. Default 3. */
  readonly count?: number
  /** Seconds from one request to the next. Default 0.2. */
  readonly interval?: number
  /** Seconds to wait for an answer to each. Default 4: the kernel needs 3 to give up on a neighbour that does not answer, and then says so. */
  readonly timeout?: number
  /** Bytes after the ICMP header, 0 to 65,507. Default 56. */
  readonly size?: number
  readonly signal?: AbortSignal | undefined
}

/** `socket(2)`: types, protocols, levels and option names. */
const SOCK_DGRAM = 2
const SOCK_RAW = 3
const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58
const SOL_SOCKET = 1
const SO_BINDTODEVICE = 25
const SOL_IP = 0
const IP_RECVERR = 11
const IP_RECVTTL = 12
const SOL_IPV6 = 41
const IPV6_RECVERR = 25
const IPV6_RECVHOPLIMIT = 51
const SOL_RAW = 255
const ICMP_FILTER = 1

/** What is left of an IPv4 packet of 65,535 bytes after its header and the ICMP header. */
const LARGEST_SIZE = 65_507
/** setTimeout's limit, in seconds. */
const LONGEST = 2_147_483

/**
 * Sends ICMP or ICMPv6 echo requests from inside the namespace and waits until each is answered, refused or out of time. An address that
 * does not answer is no error: the result says so. Times are the kernel's, so a busy event loop does not lengthen them.
 *
 * Uses raw sockets with CAP_NET_RAW, else ping sockets, which `net.ipv4.ping_group_range` of the namespace has to allow.
 *
 * Errors: ENETUNREACH no route to that subnet, EHOSTUNREACH an unreachable route, EACCES a broadcast address, a prohibiting route or no right
 * to send, EPERM a firewall rule, ENODEV no such zone; ERR_NETLOOM_INVALID_ADDRESS, ERR_NETLOOM_INVALID_OPTION; AbortError.
 */
export async function ping(where: OpenNamespace, address: string, options: PingOptions = {}): Promise<PingResult> {
  return pingThrough(['raw', 'ping'], where, address, options)
}

export type SocketKind = 'raw' | 'ping'

/** ping() with the kinds of socket to try. */
export async function pingThrough(
  kinds: readonly SocketKind[],
  where: OpenNamespace,
  address: string,
  options: PingOptions,
): Promise<PingResult> {
  const target = parseTarget(address)
  const { count, interval, timeout, size, signal } = checkOptions(options)
  const attempt = { operation: 'ping', subject: address, namespace: labelOf(where.info) }
  checkOpen(where, attempt)
  if (signal?.aborted) throw new AbortError('ping', signal)
  const { socket, kind } = await openSocket(kinds, where.handle, target, attempt)
  const session = new EchoSession(socket, {
    family: target.family,
    raw: kind === 'raw',
    address: encodeSocketAddress({ ip: target.ip, scope: target.scope }),
    identifier: randomInt(0x1_0000),
    payload: makePayload(size),
    count,
    interval,
    timeout,
  })
  const release = signal && onAbort(signal, () => session.stop(new AbortError('ping', signal)))
  try {
    if (signal?.aborted) throw new AbortError('ping', signal)
    return await session.run()
  } catch (error) {
    throw failure(error, attempt, sendMeanings(target, attempt.namespace))
  } finally {
    release?.()
    socket.close()
  }
}

interface Target {
  readonly family: Family
  readonly ip: Uint8Array
  /** Interface index, if the zone is one. */
  readonly scope: number
  /** Interface name, if the zone is one. */
  readonly device?: string
}

function parseTarget(address: string): Target {
  const refuse = (why: string) => argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(address)}: ${why}`, 'address')
  if (typeof address !== 'string') throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${typeof address} is not an address`, 'address')
  const percent = address.indexOf('%')
  const ip = parseHere(percent < 0 ? address : address.slice(0, percent))
  const family = ip.length === 4 ? 4 : 6
  const linkLocal = family === 6 && ((ip[0] === 0xfe && (ip[1]! & 0xc0) === 0x80) || (ip[0] === 0xff && (ip[1]! & 0x0f) === 2))
  if (percent < 0) {
    if (linkLocal) throw refuse(`a link-local address is different on each link: say which one, as in ${address}%eth0`)
    if (family === 6 && isMapped(ip)) throw refuse('an IPv4 address in IPv6 clothes cannot be pinged; give the IPv4 address')
    return { family, ip, scope: 0 }
  }
  if (!linkLocal) throw refuse('only link-local IPv6 addresses have a zone')
  const zone = address.slice(percent + 1)
  if (/^[1-9]\d{0,8}$/.test(zone)) return { family, ip, scope: Number(zone) }
  return { family, ip, scope: 0, device: checkInterfaceName(zone, 'address') }
}

function parseHere(text: string): Uint8Array {
  try {
    return parseIp(text)
  } catch (error) {
    throw inside(error, 'address')
  }
}

const isMapped = (ip: Uint8Array) => ip.subarray(0, 10).every(byte => byte === 0) && ip[10] === 0xff && ip[11] === 0xff

function checkOptions(options: PingOptions): Required<Omit<PingOptions, 'signal'>> & { signal: AbortSignal | undefined } {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'the options of ping are an object')
  expectOnly(options, ['count', 'interval', 'timeout', 'size', 'signal'])
  const { count = 3, interval = 0.2, timeout = 4, size = 56, signal } = options
  const whole = (value: number, least: number, most: number, path: string) => {
    if (typeof value !== 'number') throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${typeof value} is not a number`, path)
    if (!Number.isInteger(value) || value < least || value > most)
      throw rangeError('ERR_NETLOOM_INVALID_OPTION', `${value} is not a whole number from ${least} to ${most}`, path)
  }
  const seconds = (value: number, path: string) => {
    if (typeof value !== 'number') throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${typeof value} is not a number`, path)
    if (!(value >= 0 && value <= LONGEST))
      throw rangeError('ERR_NETLOOM_INVALID_OPTION', `${value} is not between 0 and ${LONGEST} seconds`, path)
  }
  whole(count, 1, 0xffff, 'count')
  whole(size, 0, LARGEST_SIZE, 'size')
  seconds(interval, 'interval')
  seconds(timeout, 'timeout')
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'not an AbortSignal', 'signal')
  return { count, interval, timeout, size, signal }
}

/** Random bytes that only our own answers bring back, then a pattern in which damage can be seen. */
function makePayload(size: number): Uint8Array {
  const payload = Uint8Array.from({ length: size }, (_, i) => i & 0xff)
  payload.set(randomBytes(Math.min(size, 16)))
  return payload
}

async function openSocket(kinds: readonly SocketKind[], handle: NamespaceHandle, target: Target, attempt: Attempt) {
  let refusal: unknown
  for (const kind of kinds) {
    try {
      return { kind, socket: await openKind(kind, handle, target) }
    } catch (error) {
      refusal = error
      if (!isSystemCallError(error) || (error.errno !== errnoNumbers.EPERM && error.errno !== errnoNumbers.EACCES)) break
    }
  }
  throw failure(refusal, attempt, {
    EPERM: NO_SOCKET,
    EACCES: NO_SOCKET,
    ENODEV: { reason: `no interface ${target.device} in ${attempt.namespace}` },
    EAFNOSUPPORT: { reason: `this kernel has no IPv${target.family}` },
  })
}

const NO_SOCKET = {
  reason: 'raw sockets need CAP_NET_RAW, and ping sockets are closed to this group in the namespace',
  hint: "run as root, or open them: sysctl.set('net.ipv4.ping_group_range', '0 2147483647') (in a user namespace '0 0': its own groups only)",
}

function openKind(kind: SocketKind, handle: NamespaceHandle, { family, device }: Target): Promise<PacketSocket> {
  const six = family === 6
  const on = int(1)
  const options: [number, number, Uint8Array][] = six
    ? [
        [SOL_IPV6, IPV6_RECVERR, on],
        [SOL_IPV6, IPV6_RECVHOPLIMIT, on],
      ]
    : [
        [SOL_IP, IP_RECVERR, on],
        [SOL_IP, IP_RECVTTL, on],
      ]
  if (kind === 'raw') options.push(six ? [IPPROTO_ICMPV6, ICMP_FILTER, filter6()] : [SOL_RAW, ICMP_FILTER, int(~1)])
  if (device !== undefined) options.push([SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`)])
  const type = kind === 'raw' ? SOCK_RAW : SOCK_DGRAM
  return native().openPacket(handle, six ? AF_INET6 : AF_INET, type, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, options)
}

const int = (value: number) => new Uint8Array(Int32Array.of(value).buffer)

/** Lets echo replies through (type 129) and nothing else: a bit that is set blocks its type. */
function filter6(): Uint8Array {
  const words = new Uint32Array(8).fill(0xffff_ffff)
  words[129 >> 5]! &= ~(1 << (129 & 31))
  return new Uint8Array(words.buffer)
}

function sendMeanings({ family, ip }: Target, namespace: string): Meanings {
  const loopback = family === 4 ? ip[0] === 127 : ip.every((byte, i) => byte === (i === 15 ? 1 : 0))
  const noRoute = {
    reason: 'no route to that subnet',
    hint: loopback
      ? "lo is down: links.update('lo', { up: true })"
      : `${namespace} has neither an up interface with an address in that subnet nor a route to it: see routes.list(), then addresses.add() or routes.add()`,
  }
  return {
    ENETUNREACH: noRoute,
    EHOSTUNREACH: { reason: 'a route of type unreachable covers it', hint: 'see routes.lookup()' },
    ENOBUFS: {
      reason: 'the kernel had no room for the packet',
      hint: 'with very many namespaces the neighbour table, which all of them share, may be full: net.ipv4.neigh.default.gc_thresh3 of the machine',
    },
    EADDRNOTAVAIL: {
      reason: 'no source address can be used for it',
      hint: 'a new IPv6 address is tentative for a second or two: wait, or add it with noDad',
    },
    EACCES: { reason: 'a broadcast address, or a route of type prohibit covers it', hint: 'see routes.lookup()' },
    EINVAL: { reason: 'a route of type blackhole covers it, or the zone is no interface', hint: 'see routes.lookup() and links.list()' },
    EPERM: { reason: `a firewall rule of ${namespace} drops outgoing echo requests`, hint: 'see the output chains of its rule sets' },
    ENETDOWN: { reason: 'the interface is down' },
  }
}
