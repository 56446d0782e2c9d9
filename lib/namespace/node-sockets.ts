// Ordinary Node sockets that live in a namespace: the descriptor is made inside, Node adopts it, and no thread goes anywhere.
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { closeSync } from 'node:fs'
import { type LookupFunction, type Server, Socket } from 'node:net'
import { argumentError, expectObject, inside, rangeError, shown } from '../codec/errors.js'
import { ipFamily, parseIp } from '../codec/ip.js'
import { errnoNumbers } from '../socket/errno.js'
import { AbortError, NetloomError, orAborted } from '../socket/error.js'
import { type Descriptor, native, type SocketOption } from '../socket/native.js'
import { type Attempt, checkOpen, failure, type Meanings } from './failure.js'
import { labelOf, type OpenNamespace } from './info.js'
import { checkInterfaceName } from './names.js'
import { AF_INET, AF_INET6, encodeSocketAddress } from './sockaddr.js'

export interface ListenOptions {
  /** 0 lets the kernel choose: see server.address(). */
  readonly port: number
  /** An address of the namespace, with '%eth0' for link-local ones. Left out: all, IPv4 and IPv6, as net.Server does. */
  readonly host?: string
  /** Connections that may wait to be accepted; default 511. */
  readonly backlog?: number
  readonly ipv6Only?: boolean
}
export interface ConnectOptions {
  /** An address, with '%eth0' for link-local ones; a name only together with `lookup`. */
  readonly host: string
  readonly port: number
  readonly localAddress?: string
  readonly localPort?: number
  /** Finds the address of a name, as net.connect's. There is none by default: the machine's resolver answers from outside. */
  readonly lookup?: LookupFunction
  readonly signal?: AbortSignal | undefined
}
export interface UdpOptions {
  readonly type: 'udp4' | 'udp6'
  /** 0 or left out: the kernel chooses. */
  readonly port?: number
  readonly address?: string
  readonly reuseAddr?: boolean
  readonly ipv6Only?: boolean
  /** For names given to send(); without it they are refused. */
  readonly lookup?: LookupFunction
  readonly signal?: AbortSignal | undefined
}

/** `sys/socket.h`, `netinet/in.h` */
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BINDTODEVICE = 25
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const defaultBacklog = 511

const meanings: Meanings = {
  EADDRNOTAVAIL: {
    reason: 'no link of the namespace has that address',
    hint: 'add it first; an IPv6 address can be used when its duplicate detection is over: noDad skips that',
  },
  EADDRINUSE: { hint: 'another socket of the namespace has that port' },
  ENODEV: { hint: 'no link of that name in the namespace' },
  EACCES: { hint: 'ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE' },
  ECONNREFUSED: { reason: 'nothing listens there' },
  ENETUNREACH: { reason: 'no route to that subnet', hint: 'routes.lookup() asks the kernel which way it would take' },
  EHOSTUNREACH: { reason: 'no answer from that host, or from the router to it' },
}

/**
 * Makes a server listen in the namespace: net, http, https, http2. It gives the same server; `await using` closes it. Deleting the namespace
 * leaves it running, unreachable, in a namespace without a name.
 *
 * Errors: EADDRINUSE, EADDRNOTAVAIL no such address there, EACCES; ERR_NETLOOM_HOST_NAME for a name; ERR_SERVER_ALREADY_LISTEN.
 */
export async function listen<S extends Server>(where: OpenNamespace, server: S, options: ListenOptions): Promise<S> {
  checkAsked(options)
  const { port, host, backlog = defaultBacklog, ipv6Only = false } = options
  checkPort(port, 'port')
  if (typeof server?.listen !== 'function') throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'not a server: it has no listen()', 'server')
  if (!Number.isInteger(backlog) || backlog < 1)
    throw rangeError('ERR_NETLOOM_INVALID_OPTION', `${shown(backlog)} is not a number of connections`, 'backlog')
  const address = host === undefined ? undefined : literal(host, 'host')
  const descriptor = await listening(where, address, port, { backlog, ipv6Only })
  await adopt(descriptor, where, 'listen', take => handOver(server, take, backlog))
  return server
}

async function listening(
  where: OpenNamespace,
  address: Literal | undefined,
  port: number,
  { backlog, ipv6Only }: { backlog: number; ipv6Only: boolean },
): Promise<Descriptor> {
  const attempt = { operation: 'listen', subject: `${address?.text ?? '*'}:${port}`, namespace: labelOf(where.info) }
  const reuse: SocketOption = [SOL_SOCKET, SO_REUSEADDR, int(1)]
  try {
    return await open(where, SOCK_STREAM, address ?? any6, port, attempt, [reuse, ...v6Only(address ?? any6, ipv6Only)], backlog)
  } catch (error) {
    // Without IPv6 there, all addresses are those of IPv4, as net.Server has it.
    const without = error instanceof NetloomError && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
    if (address || ipv6Only || !without) throw error
    return open(where, SOCK_STREAM, any4, port, attempt, [reuse], backlog)
  }
}

function handOver(server: Server, take: () => number, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening = () => {
      server.off('error', failed)
      resolve()
    }
    const failed = (error: unknown) => {
      server.off('error', failed).off('listening', listening)
      reject(error)
    }
    server.once('error', failed).once('listening', listening)
    try {
      server.listen({ fd: take(), backlog })
    } catch (error) {
      failed(error)
    }
  })
}

/**
 * Connects to an address from inside the namespace, over TCP. Gives an ordinary net.Socket: for http pass it as `createConnection`, for TLS to
 * tls.connect({ socket }).
 *
 * Errors: ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH; AbortError; ERR_NETLOOM_HOST_NAME for a name without `lookup`.
 */
export async function connect(where: OpenNamespace, options: ConnectOptions): Promise<Socket> {
  checkAsked(options)
  const { host, port, localAddress, localPort = 0, lookup, signal } = options
  checkPort(port, 'port', 1)
  checkPort(localPort, 'localPort')
  const local = localAddress === undefined ? undefined : literal(localAddress, 'localAddress')
  if (signal?.aborted) throw new AbortError('connect', signal)
  const target = await resolved(host, 'host', lookup, signal)
  const attempt = { operation: 'connect', subject: `${host}:${port}`, namespace: labelOf(where.info) }
  if (local && local.bytes.length !== target.bytes.length)
    throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `not of the same family as ${target.text}`, 'localAddress')
  const from = local ?? (localPort ? (target.bytes.length === 16 ? any6 : any4) : undefined)
  const descriptor = await open(
    where,
    SOCK_STREAM,
    { bytes: target.bytes, zone: target.zone ?? local?.zone },
    from && localPort,
    attempt,
    [],
    undefined,
    from?.bytes,
  )
  return adopt(descriptor, where, 'connect', async take => {
    const socket = new Socket({ fd: take(), readable: true, writable: true })
    const connected = new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect({ host: target.text, port }, () => {
        socket.off('error', reject)
        resolve()
      })
    })
    try {
      await orAborted(connected, `connect ${attempt.subject}`, signal)
      return socket
    } catch (error) {
      socket.destroy()
      throw ofNode(error, attempt)
    }
  })
}

/**
 * A bound UDP socket in the namespace, as dgram gives it. Of a datagram from a link-local address Node looks for the zone's name outside the
 * namespace: where there is no link of that index, the socket emits an 'error' (ENXIO) in place of the message.
 *
 * Errors: EADDRINUSE, EADDRNOTAVAIL, EACCES; ERR_NETLOOM_HOST_NAME for a name.
 */
export async function udp(where: OpenNamespace, options: UdpOptions): Promise<DatagramSocket> {
  checkAsked(options)
  const { type, port = 0, address, reuseAddr = false, ipv6Only = false, lookup, signal } = options
  if (type !== 'udp4' && type !== 'udp6') throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(type)} is none of udp4, udp6`, 'type')
  checkPort(port, 'port')
  if (signal?.aborted) throw new AbortError('open udp socket', signal)
  const bound = address === undefined ? (type === 'udp6' ? any6 : any4) : literal(address, 'address')
  if ((bound.bytes.length === 16) !== (type === 'udp6'))
    throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${bound.text} is no address for ${type}`, 'address')
  const attempt = { operation: 'open udp socket', subject: `${bound.text}:${port}`, namespace: labelOf(where.info) }
  const reuse: SocketOption[] = reuseAddr ? [[SOL_SOCKET, SO_REUSEADDR, int(1)]] : []
  const descriptor = await open(where, SOCK_DGRAM, bound, port, attempt, [...reuse, ...v6Only(bound, ipv6Only)])
  return adopt(descriptor, where, 'udp', async take => {
    const socket = createSocket({ type, lookup: lookup ?? noLookup, ...(signal && { signal }) } as Parameters<typeof createSocket>[0])
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ fd: take() }, () => {
        socket.off('error', reject)
        resolve()
      })
    })
    return socket
  })
}

interface Literal {
  readonly text: string
  readonly bytes: Uint8Array
  readonly zone?: string | undefined
}
const any4: Literal = { text: '0.0.0.0', bytes: new Uint8Array(4) }
const any6: Literal = { text: '::', bytes: new Uint8Array(16) }

/** A zone binds the socket to its device: names of devices mean something else to the thread that is outside. */
function literal(host: string, path: string): Literal {
  const [text = '', zone] = typeof host === 'string' ? host.split('%', 2) : []
  if (ipFamily(text) === 0)
    throw argumentError(
      'ERR_NETLOOM_HOST_NAME',
      `${shown(host)} is not an address; names are not looked up: the resolver would answer from outside the namespace. Give an address, or to connect a lookup`,
      path,
    )
  if (zone !== undefined) checkInterfaceName(zone, path)
  return { text, bytes: parseIp(text), zone }
}

async function resolved(host: string, path: string, lookup: LookupFunction | undefined, signal: AbortSignal | undefined): Promise<Literal> {
  if (!lookup || (typeof host === 'string' && ipFamily(host.split('%', 1)[0]!) !== 0)) return literal(host, path)
  const found = new Promise<string>((resolve, reject) => {
    lookup(host, {}, (error, address) => {
      const first = Array.isArray(address) ? address[0]?.address : address
      if (error) reject(error)
      else if (first === undefined) reject(new NetloomError('ENOENT', { operation: 'look up', subject: host, reason: 'no address found' }))
      else resolve(first)
    })
  })
  return literal(await orAborted(found, `look up ${host}`, signal), path)
}

/** What dgram asks for every address that send() is given. */
const noLookup: LookupFunction = (host, _options, callback) => {
  const family = ipFamily(host)
  if (family !== 0) callback(null, host, family)
  else
    callback(
      argumentError('ERR_NETLOOM_HOST_NAME', `${shown(host)} is not an address; names are not looked up unless a lookup is given`),
      '',
      0,
    )
}

async function open(
  where: OpenNamespace,
  type: number,
  { bytes, zone }: Pick<Literal, 'bytes' | 'zone'>,
  port: number | undefined,
  attempt: Attempt,
  options: SocketOption[],
  backlog?: number,
  bind: Uint8Array = bytes,
): Promise<Descriptor> {
  checkOpen(where, attempt)
  const all: SocketOption[] = zone === undefined ? options : [...options, [SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${zone}\0`)]]
  const address = port === undefined ? undefined : encodeSocketAddress({ ip: bind, port })
  try {
    return await native().openDescriptor(
      where.handle,
      bytes.length === 16 ? AF_INET6 : AF_INET,
      type | SOCK_NONBLOCK,
      0,
      all,
      address,
      backlog,
    )
  } catch (error) {
    throw failure(error, attempt, meanings)
  }
}

/**
 * The descriptor is Node's from here on; it is ours to close only if Node did not take it. Node adopts a bare number, so that it is taken at the last
 * moment: a worker thread that is terminated between the two leaves it open.
 */
async function adopt<T>(
  descriptor: Descriptor,
  where: OpenNamespace,
  operation: string,
  give: (take: () => number) => Promise<T>,
): Promise<T> {
  let fd = -1
  try {
    return await give(() => {
      fd = descriptor.take()
      return fd
    })
  } catch (error) {
    const refused =
      error instanceof Error && 'code' in error && (error.code === 'ERR_SERVER_ALREADY_LISTEN' || error.code === 'ERR_INVALID_FD_TYPE')
    descriptor.close()
    if (refused && fd >= 0) closeSync(fd)
    throw ofNode(error, { operation, namespace: labelOf(where.info) })
  }
}

/** A failed system call that Node reports, in our words. */
function ofNode(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof Error) || error instanceof NetloomError || !('code' in error) || typeof error.code !== 'string') return error
  if (errnoNumbers[error.code] === undefined || error instanceof AbortError) return error
  return new NetloomError(error.code, { ...attempt, ...meanings[error.code], cause: error })
}

const v6Only = ({ bytes }: Literal, only: boolean): SocketOption[] =>
  bytes.length === 16 ? [[IPPROTO_IPV6, IPV6_V6ONLY, int(only ? 1 : 0)]] : []
const int = (value: number) => new Uint8Array(Int32Array.of(value).buffer)

/** Not one that may be left out: what to listen on is said nowhere else. */
function checkAsked(options: unknown): void {
  try {
    expectObject(options)
  } catch (error) {
    throw inside(error, 'options')
  }
}

function checkPort(port: unknown, path: string, least = 0): void {
  if (typeof port === 'number' && Number.isInteger(port) && port >= least && port <= 65535) return
  throw rangeError('ERR_NETLOOM_INVALID_PORT', `${shown(port)} is not a port: ${least} to 65535`, path)
}
