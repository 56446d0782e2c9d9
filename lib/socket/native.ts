// The native addon: what it offers, and how it is found and loaded on first use.
import { access } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isSystemCallError, systemError } from './error.js'

/** What every failed system call throws or rejects with. */
export interface SystemCallError extends Error {
  /** Positive, as in `<errno.h>`. */
  readonly errno: number
  readonly syscall: string
  readonly path?: string
}

/** A network namespace, held open. The descriptor is closed with the handle, or when the handle is garbage-collected; work in flight keeps its own. */
export interface NamespaceHandle {
  /** −1 once closed. */
  readonly fd: number
  readonly device: number
  readonly inode: number
  /** Never reused, unlike the inode. Undefined on kernels before 5.14, and where entering the namespace is not permitted. */
  readonly cookie: bigint | undefined
  readonly closed: boolean
  close(): void
}

export interface NetlinkOptions {
  /** Bytes of kernel memory for what is not yet read, its overhead included; 1 MiB unless told. Without CAP_NET_ADMIN at most `net.core.rmem_max`. */
  receiveBuffer?: number
  /** Multicast groups, by number. */
  groups?: number[]
  /** Receive the notifications of every namespace that has an id here. Needs CAP_NET_BROADCAST. */
  allNamespaces?: boolean
}

/** Netlink messages back to back, each padded to four bytes; `done` is false if there is more to come, for `more()`. */
export interface Answer {
  data: Uint8Array
  done: boolean
}

export interface Transmitted {
  data: Uint8Array
  /** There were more answers than the receive buffer holds. */
  lost: boolean
}

export interface Notifications {
  data: Uint8Array
  /** The kernel dropped some before these: look at everything afresh. */
  lost: boolean
  /** With `allNamespaces`: where in `data` each datagram begins, and the id of the namespace it is from, −1 being the socket's own. */
  origins: [offset: number, nsid: number][]
}

/** Its calls are served in the order in which they were made. Use one either for requests or for notifications. */
export interface NetlinkSocket {
  /** `nl_pid`, the address of the socket in its namespace. */
  readonly port: number
  /**
   * Sends messages (ascending sequence numbers, each padded to four bytes) and resolves with everything that the kernel answered to them. They go out in windows,
   * the last message of each with NLM_F_ACK. After a message fails the kernel still runs the others. `maxBytes` ends the answer early, with `done: false`: then the
   * rest must be fetched with `more()` before the next exchange. Rejects with EBUSY if it was not, ENOBUFS if answers were lost, EMSGSIZE if one was cut off, EINVAL
   * for bytes that are not messages, ECANCELED if closed before its turn, EBADF if closed already. `sleeps`: the kernel will mostly wait, for milliseconds, so that
   * other work needs another thread.
   */
  exchange(messages: Uint8Array, maxBytes?: number, sleeps?: boolean): Promise<Answer>
  /**
   * Sends messages that the kernel takes as one (a batch of nfnetlink) in a single system call, as they are, and resolves with everything that the kernel answered
   * inside it. `answerBytes` is how much memory the answers may take; both buffers are made as large as is permitted. Rejects with EMSGSIZE if the messages
   * do not fit.
   */
  transmit(messages: Uint8Array, answerBytes?: number): Promise<Transmitted>
  /** Goes on with an exchange that was not done. */
  more(maxBytes?: number): Promise<Answer>
  /** Resolves as soon as there are notifications, with those that are there, up to about `maxBytes` (1 MiB unless told). Rejects with ECANCELED when the socket is closed. */
  receive(maxBytes?: number): Promise<Notifications>
  /** Resolves with the kernel's next datagram as soon as it is there, and leaves it: for an answer that comes before its exchange ends. Rejects as `receive`. */
  peek(): Promise<Uint8Array>
  /** Resolves as soon as there are notifications, and takes none; does not keep the process alive. Rejects with ECANCELED when the socket is closed. */
  readable(): Promise<void>
  /** Like `receive`, but does not wait: what is there is there, and may be nothing. Not while a `receive` waits. */
  receiveNow(maxBytes?: number): Promise<Notifications>
  /** What runs is finished, what is queued or waits for notifications rejects with ECANCELED, then the descriptor closes. May be called twice. */
  close(): void
}

export interface PacketError {
  errno: number
  /** `SO_EE_ORIGIN_…` of `linux/errqueue.h`; 0 if the error is about the socket and not about one packet. */
  origin: number
  type: number
  code: number
  /** The sockaddr of whoever reported it. */
  offender: Uint8Array
}

export interface Packet {
  /** With an error: the packet that it is about. */
  data: Uint8Array
  /** The sender's sockaddr. */
  address: Uint8Array
  /** Nanoseconds since 1970, taken by the kernel on arrival. */
  time: bigint
  /** Remaining hops, if IP_RECVTTL or IPV6_RECVHOPLIMIT was asked for. */
  ttl?: number
  error?: PacketError
}

export interface PacketSocket {
  /** Resolves with the time (nanoseconds since 1970) just before sending. */
  send(data: Uint8Array, address?: Uint8Array): Promise<bigint>
  /** Resolves with packets and errors as soon as there are any. Rejects with ECANCELED when the socket is closed. */
  receive(): Promise<Packet[]>
  close(): void
}

/** Closed with its object, unless it is taken before: in the same turn in which Node adopts it, since a worker thread may be ended between two. */
export interface Descriptor {
  /** The number, which is the caller's from here on. Throws EBADF if it has been taken or closed. */
  take(): number
  /** May be called twice, and after it was taken. */
  close(): void
}

export type SocketOption = [level: number, name: number, value: Uint8Array]

export interface ExecOptions {
  /** Files and folders that are shown in the place of others. */
  readonly binds: readonly (readonly [source: string, target: string])[]
  readonly command: string
  /** Without the command itself. */
  readonly args: readonly string[]
  /** `NAME=value`; PATH in it says where the command is looked for. */
  readonly env: readonly string[]
  /** Those that the command inherits. */
  readonly descriptors: readonly number[]
  /** What the command sees as its own name, if not `command`. */
  readonly argv0?: string | undefined
  /** Taken on after the mounts, which need root; further groups are given up. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** Netlink messages (ascending sequence numbers, each padded to four bytes), or a setting to write: its file under /proc/sys and the text. */
export type JobStep = Uint8Array | readonly [file: string, text: string]
/**
 * A message to another namespace's kernel, once in each job, whose last four bytes become the id of a thread that is in the job's namespace. It is sent before the
 * steps, whose numbers do not count it, and nobody reads what comes of it.
 */
export type JobTelling = readonly [NamespaceHandle, message: Uint8Array]
/** What is done in one namespace: in a new one that a file at this path names, in one that is there, or in one without a name that gets this one. */
export type Job = readonly [target: string | NamespaceHandle | readonly [NamespaceHandle, path: string], ...steps: (JobStep | JobTelling)[]]
export interface Performed {
  /** Jobs of which everything is done. Without a `step`, fewer than there are mean that the thread came to its end: the rest is for another call. */
  readonly done: number
  /** Inodes of the namespaces that were made, in the order of the jobs. */
  readonly made: readonly number[]
  /** Where the next job ended early; −1 before its first step: a namespace that could not be made, of which nothing is left, or entered. */
  readonly step?: number
  /** The system call that failed there. */
  readonly error?: SystemCallError
  /** Or what the kernel answered to that step's messages, of which it refused some and carried out the others. */
  readonly answer?: Uint8Array
}

/** Everything but `currentNamespace`, `runInside` and `execInside` happens on threads of the addon's own. */
export interface Native {
  readonly interfaceVersion: number
  /** The namespace of the calling thread. */
  currentNamespace(): NamespaceHandle
  /** Rejects with EINVAL if the file is not a network namespace. */
  openNamespace(path: string): Promise<NamespaceHandle>
  /**
   * A new namespace; with a path, named by a new file there, whose content stays readable once the name is gone. All of it or nothing, but if the process
   * dies meanwhile: then the file may be there without the last byte of its content, which it gets when the namespace is mounted. It is locked until then.
   */
  createNamespace(path?: string, content?: string): Promise<NamespaceHandle>
  /** Makes a directory for names whose mounts reach other mount namespaces, as `ip netns` does. Several processes may do it at once. */
  prepareNamespaceDirectory(path: string): Promise<void>
  /** Takes a name away. Rejects with ENOENT if there is none. */
  removeNamespace(path: string): Promise<void>
  /** Makes a file that nobody sees before its content is in it, locked until the descriptor is closed. Rejects with EEXIST if there is one. */
  publishFile(path: string, content: string, mode: number): Promise<Descriptor>
  /** Opens a file and locks it until the descriptor is closed. Rejects with EAGAIN if somebody else has locked it. */
  lockFile(path: string): Promise<Descriptor>
  /**
   * Removes files, symbolic links, and directories, whose paths end with a slash. What has a target other than '' goes only if it is a symbolic link that leads
   * there. Resolves with which were removed: what is not there, leads elsewhere or is not empty stays. Rejects at the first that cannot be removed.
   */
  removeEntries(paths: readonly string[], targets: readonly string[]): Promise<boolean[]>
  /** The beginning of what files of a directory contain, whatever is mounted on them; holes for those that are not there. */
  readUnderneath(directory: string, names: readonly string[]): Promise<(string | undefined)[]>
  /** Takes away the names that still lead to those namespaces, and resolves with an error for each that it could not: ESTALE if it leads elsewhere. */
  removeNamespaces(paths: readonly string[], inodes: readonly number[], device: number): Promise<(SystemCallError | undefined)[]>
  /** Up to so many namespaces without a name; fewer when the kernel refuses one. */
  createNamespaces(count: number): Promise<NamespaceHandle[]>
  /**
   * Does one job after the other on one thread, until something fails: then it says where. Namespaces that have been made stay. `content` is that of their files,
   * `protocol` that of the messages.
   */
  perform(jobs: readonly Job[], content: string, protocol: number): Promise<Performed>
  /** Also a file of /proc/thread-self/net, which is as the namespace has it. */
  readSysctl(namespace: NamespaceHandle, path: string): Promise<string>
  writeSysctl(namespace: NamespaceHandle, path: string, value: string): Promise<void>
  /**
   * Makes a tun or tap device that stays until it is deleted, all of it or nothing, and resolves with its name. `name` '' lets the kernel choose one, `flags` are IFF_…
   * of `linux/if_tun.h`, an owner or group of −1 is nobody in particular.
   */
  createTun(namespace: NamespaceHandle, name: string, flags: number, owner: number, group: number): Promise<string>
  openNetlink(namespace: NamespaceHandle, protocol: number, options?: NetlinkOptions): Promise<NetlinkSocket>
  /** A raw, ping or packet socket. `bind` is a sockaddr. */
  openPacket(
    namespace: NamespaceHandle,
    family: number,
    type: number,
    protocol: number,
    options: SocketOption[],
    bind?: Uint8Array,
  ): Promise<PacketSocket>
  /** A descriptor for Node to adopt. Bound if there is a sockaddr, listening if there is a backlog. */
  openDescriptor(
    namespace: NamespaceHandle,
    family: number,
    type: number,
    protocol: number,
    options: SocketOption[],
    bind?: Uint8Array,
    backlog?: number,
  ): Promise<Descriptor>
  /** Asks a socket that is made for it: the kernel overwrites `value`, whose size is the most that it may write. */
  getSocketOption(
    namespace: NamespaceHandle,
    family: number,
    type: number,
    protocol: number,
    level: number,
    name: number,
    value: Uint8Array,
  ): Promise<Uint8Array>
  /**
   * Sets an option of a socket that is made for it. With `outputAt`, that place of the value becomes the address of `outputSize` bytes, with
   * which it resolves once the kernel has written there.
   */
  setSocketOption(
    namespace: NamespaceHandle,
    family: number,
    type: number,
    protocol: number,
    level: number,
    name: number,
    value: Uint8Array,
    outputAt?: number,
    outputSize?: number,
  ): Promise<Uint8Array>
  /** Calls back with the calling thread inside. Only for what is done when the callback returns, such as forking: see docs/decisions.md. */
  runInside<T>(namespace: NamespaceHandle, callback: () => T): T
  /** Replaces the process by the command, with /sys and /etc as the namespace it is in should see them. Throws if a step fails; the process is then of no other use. */
  execInside(options: ExecOptions): never
}

const interfaceVersion = 13
const root = fileURLToPath(new URL('../..', import.meta.url))
let loaded: Native | undefined

/**
 * The addon, loaded on first use. Throws an error with code ERR_NETLOOM_UNSUPPORTED_PLATFORM off Linux, and with code ERR_NETLOOM_NATIVE_UNAVAILABLE if there is none
 * that fits this machine.
 */
export function native(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  if (process.platform !== 'linux') {
    throw failure('ERR_NETLOOM_UNSUPPORTED_PLATFORM', `netloom works on Linux only, and this is ${process.platform}`)
  }
  const addon = find()
  if (addon.interfaceVersion !== interfaceVersion) {
    const detail = `its interface is version ${addon.interfaceVersion}, and ${interfaceVersion} is needed`
    throw failure('ERR_NETLOOM_NATIVE_UNAVAILABLE', `netloom's native part is from another version (${detail}). ${remedy()}`)
  }
  return withWarmPool(addon)
}

function find(): Native {
  try {
    const load = createRequire(import.meta.url)('node-gyp-build') as (directory: string) => Native
    return load(root)
  } catch (cause) {
    // It is there and fits, but could not start: too many open descriptors, say.
    if (isSystemCallError(cause)) throw systemError(cause, { operation: 'start netloom' })
    throw failure('ERR_NETLOOM_NATIVE_UNAVAILABLE', `netloom's native part could not be loaded. ${remedy()}`, cause)
  }
}

function remedy(): string {
  const installed = /(^|\/)node_modules\/[^/]+\/?$/.test(root)
  const script = installed ? 'node node_modules/netloom/scripts/build-native.mjs' : 'node scripts/build-native.mjs'
  return `To build it: ${script} (in ${installed ? dirname(dirname(root)) : root})`
}

function failure(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code })
}

/** libuv's pool threads start on first use, in the namespace of whoever comes first, and stay there for ever: that must not be a namespace passed through. */
function withWarmPool(addon: Native): Native {
  let warm = false
  return {
    ...addon,
    runInside(namespace, callback) {
      if (!warm) {
        access(root, () => undefined)
        warm = true
      }
      return addon.runInside(namespace, callback)
    },
  }
}
