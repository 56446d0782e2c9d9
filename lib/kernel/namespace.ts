// The public Namespace: where links, addresses, routes and the rest live, and what owns the descriptor.
import type { ChildProcess } from 'node:child_process'
import type { Socket as DatagramSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import { openCurrent } from '../namespace/current.js'
import { type ExecOptions, exec } from '../namespace/exec.js'
import { type Identifiable, identify } from '../namespace/identity.js'
import { formatIdentity, labelOf, type NamespaceInfo, namespaceInfo, type OpenNamespace, sameNamespace } from '../namespace/info.js'
import { createAnonymous, createNamed, deleteNamed } from '../namespace/lifecycle.js'
import { type ListOptions, listNamespaces } from '../namespace/list.js'
import { type ConnectOptions, connect, type ListenOptions, listen, type UdpOptions, udp } from '../namespace/node-sockets.js'
import { type PingOptions, ping } from '../namespace/ping.js'
import { held, type NamespaceSource, openSource } from '../namespace/source.js'
import { type NamespaceSpawnOptions, spawn } from '../namespace/spawn.js'
import { getSysctl, setSysctl } from '../namespace/sysctl.js'
import { NetloomError } from '../socket/error.js'
import { expectClose } from '../socket/unclosed.js'
import { addressVerbs } from './addresses.js'
import { checkOptions, isBoolean, isOneOf } from './arguments.js'
import { conntrackVerbs } from './conntrack.js'
import { fdbVerbs } from './fdb.js'
import { iptablesVerbs } from './iptables/iptables.js'
import type { Ipv6Policy } from './link-request.js'
import { type LinkVerbs, linkVerbs } from './links.js'
import { neighbourVerbs } from './neighbours.js'
import { nftablesVerbs } from './nftables/nftables.js'
import { nsidOf } from './nsid.js'
import { routeVerbs } from './routes.js'
import { ruleVerbs } from './rules.js'
import { Scope, scoped } from './scope.js'
import { watch } from './watch.js'
import type { WatchEvent, WatchKind, WatchOptions } from './watch-events.js'

export interface NamespaceCreateOptions {
  /** Sets `lo` up, which a new namespace has down. Default false, as `ip netns add`. */
  readonly loopback?: boolean
  /** For every device that will be in it: 'none' switches IPv6 off, 'static' keeps the kernel from making up addresses. Default 'kernel'. */
  readonly ipv6?: Ipv6Policy
}
/** What undoing the call that gave the namespace means. */
type Ownership = 'created' | 'opened' | 'current'
const closingAdvice = {
  created: 'declare it with await using, or delete() or close() it',
  opened: 'declare it with await using, or close() it',
}

export class Namespace implements NamespaceInfo, AsyncDisposable {
  /** @internal Verbs on links that a layer above has: set when it is loaded. */
  static moreLinkVerbs: ((namespace: Namespace) => object) | undefined
  readonly device: number
  readonly inode: number
  declare readonly name?: string
  declare readonly path?: string
  declare readonly pids?: readonly number[]
  readonly links: LinkVerbs
  readonly addresses: ReturnType<typeof addressVerbs>
  readonly routes: ReturnType<typeof routeVerbs>
  readonly neighbours: ReturnType<typeof neighbourVerbs>
  /** MAC tables of bridges. */
  readonly fdb: ReturnType<typeof fdbVerbs>
  readonly rules: ReturnType<typeof ruleVerbs>
  /** The tables of iptables, legacy and nft, as neighbours that others have set up. */
  readonly iptables: ReturnType<typeof iptablesVerbs>
  /** Connections that the kernel remembers. */
  readonly conntrack: ReturnType<typeof conntrackVerbs>
  /** Kernel settings of this namespace: 'net.ipv4.ip_forward'. */
  readonly sysctl: { get(key: string): Promise<string>; set(key: string, value: string | number): Promise<void> }
  /** Tables, chains, rules, sets and named objects of nftables; changes are atomic. */
  readonly nftables: ReturnType<typeof nftablesVerbs>
  readonly #scope: Scope
  readonly #ownership: Ownership
  #deleted = false

  private constructor(opened: OpenNamespace, ownership: Ownership) {
    const scope = new Scope(opened)
    const { info } = opened
    this.#scope = scope
    this.#ownership = ownership
    // The scope, because verbs and watches go on without the Namespace that they were taken from.
    if (ownership !== 'current') expectClose(scope, { what: `namespace ${labelOf(info)}`, advice: closingAdvice[ownership] })
    this.device = info.device
    this.inode = info.inode
    const { name, path, pids } = info
    Object.assign(this, name === undefined ? {} : { name }, path === undefined ? {} : { path }, pids === undefined ? {} : { pids })
    this.links = Object.assign(linkVerbs(scope), Namespace.moreLinkVerbs?.(this)) as LinkVerbs
    this.addresses = addressVerbs(scope)
    this.routes = routeVerbs(scope)
    this.neighbours = neighbourVerbs(scope)
    this.fdb = fdbVerbs(scope)
    this.rules = ruleVerbs(scope)
    this.conntrack = conntrackVerbs(scope)
    this.iptables = iptablesVerbs(scope)
    this.nftables = nftablesVerbs(scope)
    this.sysctl = { get: key => getSysctl(scope, key), set: (key, value) => setSysctl(scope, key, value) }
  }

  /** The namespace of the calling thread. Closing it does nothing, deleting it throws. */
  static current(): Namespace {
    return new Namespace(openCurrent(), 'current')
  }

  /**
   * Makes a namespace: named, under /run/netns, as `ip netns add` does, until it is deleted; without a name for as long as somebody holds it.
   *
   * Errors: EEXIST the name is taken, EPERM without CAP_SYS_ADMIN, ENOSPC over user.max_net_namespaces.
   */
  static async create(name?: string, options: NamespaceCreateOptions = {}): Promise<Namespace> {
    checkOptions(options, { loopback: isBoolean, ipv6: isOneOf(['none', 'static', 'kernel']) })
    const made = new Namespace(name === undefined ? await createAnonymous() : await createNamed(name), 'created')
    try {
      await made.#prepare(options)
      return made
    } catch (error) {
      await made.delete()
      throw error
    }
  }

  /**
   * Opens a namespace by name, pid, path or descriptor, or the one that a NamespaceInfo tells of, provided it is still that one.
   *
   * Errors: ENOENT no such name or path, ESRCH no such process, EINVAL a file that is no network namespace, ESTALE gone since.
   */
  static async open(source: NamespaceSource): Promise<Namespace> {
    return new Namespace(await openSource(source), 'opened')
  }

  /** @internal One that was made elsewhere, and from now on belongs to the caller. */
  static adopt(opened: OpenNamespace): Namespace {
    return new Namespace(opened, 'created')
  }

  /** The live namespaces under /run/netns; with `processes` also those that only processes hold, and the pids of all. */
  static list(options?: ListOptions): Promise<NamespaceInfo[]> {
    return listNamespaces(options)
  }

  /** Which namespace this process, another process or a name is in, without opening it. */
  static identify(whose: Identifiable): Promise<NamespaceInfo> {
    return identify(whose)
  }

  /** @internal */
  get [held](): OpenNamespace['handle'] {
    return this.#scope.handle
  }
  /** @internal */
  get [scoped](): Scope {
    return this.#scope
  }

  /** The number under which this namespace knows another one, if it has one for it. */
  nsid(other: NamespaceSource): Promise<number | undefined> {
    return nsidOf(this.#scope, other)
  }

  /**
   * Every change as data, in this namespace or, with `namespaces: 'all'`, in all that have a name too. Begins with 'reset', the present state as
   * 'set' events and 'ready'; the same again whenever the kernel had to drop events. Leave the loop, or use `signal`, to end it.
   */
  watch<K extends WatchKind>(kinds: readonly K[], options: WatchOptions = {}): AsyncGenerator<WatchEvent<K>, void> {
    return watch(this.#scope, kinds, options)
  }

  /** Starts a process inside, as child_process.spawn does outside; `mounts: true` as `ip netns exec` does. */
  spawn(command: string, args: readonly string[] = [], options: NamespaceSpawnOptions = {}): ChildProcess {
    return spawn(this.#scope, command, args, options)
  }

  /** Runs a command inside to its end. Rejects for another exit code than 0, with what it printed. */
  exec(command: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<{ stdout: string; stderr: string }> {
    return exec(this.#scope, command, args, options)
  }

  /** Sends ICMP or ICMPv6 echo requests; tells losses, unreachable destinations and round-trip times in milliseconds. */
  ping(address: string, options: PingOptions = {}): ReturnType<typeof ping> {
    return ping(this.#scope, address, options)
  }

  /** Makes a net, http, https or http2 server listen in this namespace, on this event loop. Gives the server; `await using` closes it. */
  listen<S extends Server>(server: S, options: ListenOptions): Promise<S> {
    return listen(this.#scope, server, options)
  }

  /** Connects over TCP from inside: an ordinary net.Socket. */
  connect(options: ConnectOptions): Promise<Socket> {
    return connect(this.#scope, options)
  }

  /** A bound UDP socket inside, as dgram gives it. */
  udp(options: UdpOptions): Promise<DatagramSocket> {
    return udp(this.#scope, options)
  }

  /** Frees the descriptors; the namespace itself stays. Closing twice is fine. */
  async close(): Promise<void> {
    if (this.#ownership !== 'current') this.#scope.close()
  }

  /**
   * Removes the name, and with it the namespace as soon as nobody else holds it, with all virtual devices in it. Deleting twice is fine, and so
   * is deleting what somebody else has deleted; a namespace of the same name that was made since is left alone.
   */
  async delete(): Promise<void> {
    if (this.#ownership === 'current') throw this.#refusal('it is the one that this process is in')
    const { name } = this
    if (name === undefined && this.#ownership === 'opened')
      throw this.#refusal('it has no name under /run/netns; it ends with the last process or descriptor that holds it')
    if (!this.#deleted && name !== undefined && (await this.#stillNamed(name))) await deleteNamed(name)
    this.#deleted = true
    this.#scope.close()
  }

  /** Undoes the call that gave it: what create() made is deleted, what open() opened is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#ownership === 'created' ? this.delete() : this.close())
  }

  /** 'net:[4026531956]', as readlink of /proc/<pid>/ns/net prints. */
  toString(): string {
    return formatIdentity(this.inode)
  }

  toJSON(): NamespaceInfo {
    const { device, inode, name, path, pids } = this
    return namespaceInfo({ device, inode, name, path, pids })
  }

  async #prepare({ loopback, ipv6 = 'kernel' }: NamespaceCreateOptions): Promise<void> {
    if (ipv6 === 'none') for (const which of ['all', 'default']) await this.sysctl.set(`net.ipv6.conf.${which}.disable_ipv6`, 1)
    if (ipv6 === 'static') await this.sysctl.set('net.ipv6.conf.default.addr_gen_mode', 1)
    if (loopback) await this.links.update('lo', { up: true })
  }

  async #stillNamed(name: string): Promise<boolean> {
    try {
      return sameNamespace(await identify({ name }), this)
    } catch (error) {
      if (error instanceof NetloomError && (error.code === 'ENOENT' || error.code === 'EINVAL')) return false
      throw error
    }
  }

  #refusal(reason: string): NetloomError {
    return new NetloomError('EINVAL', { operation: 'delete namespace', subject: this.name ?? String(this), reason })
  }
}
