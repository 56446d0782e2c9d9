// The verbs on MAC tables in one namespace: those of bridges, of vxlan devices, and the addresses that a device itself listens to.
import type { Decoded, Encodable } from '../codec/codec.js'
import { neighbour as neighbourTable } from '../protocol/neighbour.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { Context } from '../socket/request.js'
import {
  type Checks,
  checkOptions,
  conflict,
  isAddress,
  isBoolean,
  isInteger,
  isLink,
  isList,
  isMac,
  isOneOf,
  isRead,
  lacking,
  present,
} from './arguments.js'
import { blaming } from './blame.js'
import { indexAt } from './link-index.js'
import { type LinkRef, nameOf, type Scope } from './scope.js'

/** 'static' never ages, 'reachable' and 'stale' do, 'permanent' belongs to this host. */
export type FdbState = 'permanent' | 'static' | 'reachable' | 'stale'

/** An entry to add, replace or delete; one that list() gave is one too. */
export interface FdbSpec {
  readonly mac: string
  /** The port of the bridge, or the vxlan device, that leads to the MAC. */
  readonly port: LinkRef
  readonly vlan?: number
  /** In bridges 'static' by default, elsewhere 'permanent'; frames to a permanent MAC of a bridge go to this host, not out of the port. */
  readonly state?: FdbState
  /** In the port's own table, not in its bridge's; goes without saying with `destination`. */
  readonly self?: boolean
  /** It stays at this port even if frames from it come in by another. */
  readonly sticky?: boolean
  /** vxlan: the other end of the tunnel. */
  readonly destination?: string
  /** vxlan: its UDP port, if it is not the device's. */
  readonly destinationPort?: number
  /** vxlan: its network identifier, if it is not the device's. */
  readonly vni?: number
  /** vxlan: the identifier it holds for, on a device that has many. */
  readonly sourceVni?: number
  /** vxlan: the link that leads to the other end; ifindex or link. */
  readonly via?: LinkRef
  /** vxlan: one more destination for this MAC, in place of an error because there is one. Only add() takes it. */
  readonly append?: boolean
  /** As read; not sent, and so are the next ones. */
  readonly bridge?: number
  readonly age?: number
  readonly used?: number
  readonly permanent?: boolean
  readonly local?: boolean
  readonly flags?: readonly string[]
}

/** An entry of a MAC table. */
export interface FdbEntry {
  readonly mac: string
  /** ifindex of the bridge whose table it is in; absent where it is the device's own. */
  readonly bridge?: number
  /** ifindex of the port, or of the bridge itself for its own addresses. */
  readonly port: number
  readonly vlan?: number
  readonly state: FdbState
  /** Seconds since a frame from it last came in; for entries that age only. The bridge forgets it after `ageingTime`. */
  readonly age?: number
  /** Seconds since a frame last went to it. */
  readonly used?: number
  /** It does not age. A static one still moves with its host, unless it is sticky. */
  readonly permanent: boolean
  /** It belongs to this host: the address of the bridge, of a port, or one that a device listens to. */
  readonly local: boolean
  /** In the device's own table: of a vxlan its destinations, of others the addresses that it listens to. */
  readonly self?: boolean
  readonly sticky?: boolean
  readonly destination?: string
  readonly destinationPort?: number
  readonly vni?: number
  readonly sourceVni?: number
  /** ifindex */
  readonly via?: number
  /** 'extLearned', 'offloaded', 'locked' … */
  readonly flags: readonly string[]
}
export interface FdbFilter {
  /** Only this bridge's table and its ports' own addresses. */
  readonly bridge?: LinkRef
  /** Only what lies behind this port, and its own addresses. */
  readonly port?: LinkRef
}

export type FdbMessage = Encodable<typeof neighbourTable>
type RawEntry = Decoded<typeof neighbourTable>

const checks: Checks<FdbSpec> = {
  mac: isMac(6),
  port: isLink,
  vlan: isInteger(1, 4094),
  state: isOneOf(['permanent', 'static', 'reachable', 'stale']),
  self: isBoolean,
  sticky: isBoolean,
  destination: isAddress,
  destinationPort: isInteger(1, 0xffff),
  vni: isInteger(0, 0xff_ffff),
  sourceVni: isInteger(0, 0xff_ffff),
  via: isLink,
  append: isBoolean,
  bridge: isRead,
  age: isRead,
  used: isRead,
  permanent: isRead,
  local: isRead,
  flags: isList(isRead),
}
const ofTunnels = ['destinationPort', 'vni', 'sourceVni', 'via', 'append'] as const

const reply = { type: rtm.newNeigh, codec: neighbourTable }
const hints = {
  EEXIST: 'the table has the MAC already: replace() changes it, and for a vxlan `append: true` adds a destination',
  ENOENT: 'the table has no such entry; entries of the port itself need self: true',
  ENODEV: 'links.list() says which links there are',
  EINVAL: 'the port must be one of a bridge, unless the entry is meant for its own table (self: true); vlan needs a bridge that filters',
  EOPNOTSUPP: 'the port is in no bridge and has no table of its own',
} as const

/** What EPERM may mean for an entry that ages. */
const notForwarding =
  'a port that is not up and forwarding takes only static and permanent entries; otherwise this needs CAP_NET_ADMIN: run as root, or in a user namespace of your own'
const agingStates: readonly (FdbState | undefined)[] = ['reachable', 'stale']

/** The kernel's words for the states of an entry: what is static to people needs no ARP. */
const wireStates = { permanent: 'permanent', static: 'noarp', reachable: 'reachable', stale: 'reachable' } as const

/** The message for an entry, less the indexes of `port` and `via`. */
export function fdbMessage(spec: FdbSpec, deleting = false): FdbMessage {
  checkOptions(spec, checks)
  const { mac, vlan, sticky, destination } = spec
  if (mac === undefined) throw lacking('mac', 'say which MAC address')
  if (spec.port === undefined) throw lacking('port', 'say at which port')
  const ownTable = destination !== undefined || spec.self === true || isBridge(spec)
  if (destination === undefined)
    for (const name of ofTunnels)
      if (spec[name] !== undefined) throw conflict(name, 'needs a destination: only the entries of a vxlan have it')
  if (destination !== undefined && spec.self === false)
    throw conflict('self', 'an entry with a destination is in the table of the vxlan itself')
  if (sticky && ownTable) throw conflict('sticky', 'only the entries of bridges can be sticky')
  const state = spec.state ?? (ownTable ? 'permanent' : 'static')
  return present({
    family: 'bridge' as const,
    // Wanted for deleting too, by devices without a bridge's table.
    state: [wireStates[state]],
    flags: [ownTable ? ('self' as const) : ('master' as const), ...(sticky && !deleting ? (['sticky'] as const) : [])],
    lladdr: mac,
    vlan,
    dst: destination,
    port: spec.destinationPort,
    vni: spec.vni,
    srcVni: spec.sourceVni,
  }) as FdbMessage
}

/** An entry that was read from the bridge's table and belongs to the bridge itself: the bridge is asked, not a master that it does not have. */
const isBridge = ({ bridge, port }: FdbSpec) => bridge !== undefined && bridge === (typeof port === 'object' ? port.index : port)

/** The caller's name of a field of the message. */
export function fdbField([first]: readonly string[]): string | undefined {
  const names: Partial<Record<string, string>> = {
    lladdr: 'mac',
    index: 'port',
    dst: 'destination',
    port: 'destinationPort',
    srcVni: 'sourceVni',
    ifindex: 'via',
    flags: 'self',
  }
  return first === undefined ? undefined : (names[first] ?? first)
}

/** Said by a field of its own. */
const own: readonly string[] = ['self', 'master', 'sticky']

function stateOf({ state: [state] }: RawEntry): FdbState {
  if (state === 'noarp') return 'static'
  return state === 'permanent' || state === 'stale' ? state : 'reachable'
}

/** An entry as callers see it. */
export function toFdbEntry(raw: RawEntry): FdbEntry {
  const state = stateOf(raw)
  const flags: readonly string[] = [...raw.flags, ...(raw.flagsExt ?? [])]
  const ages = raw.master !== undefined && (state === 'reachable' || state === 'stale') && raw.cacheinfo !== undefined
  return {
    mac: raw.lladdr ?? '',
    ...present({ bridge: raw.master }),
    port: raw.index,
    ...present({ vlan: raw.vlan }),
    state,
    ...(ages ? { age: raw.cacheinfo?.updated ?? 0, used: raw.cacheinfo?.used ?? 0 } : {}),
    permanent: state === 'permanent' || state === 'static',
    local: state === 'permanent' && raw.dst === undefined,
    ...present({
      self: flags.includes('self') || undefined,
      sticky: flags.includes('sticky') || undefined,
      destination: raw.dst,
      destinationPort: raw.port,
      vni: raw.vni,
      sourceVni: raw.srcVni,
      via: raw.ifindex,
    }),
    flags: flags.filter(flag => !own.includes(flag)),
  }
}

export function fdbVerbs(scope: Scope) {
  async function change(operation: string, type: number, flags: number, spec: FdbSpec): Promise<void> {
    const value = fdbMessage(spec, type === rtm.delNeigh)
    const context: Context = {
      operation,
      subject: `${spec.mac} at ${nameOf(spec.port)}`,
      namespace: scope.label,
      field: fdbField,
      hints: { ...hints, ...(type === rtm.newNeigh && agingStates.includes(spec.state) && { EPERM: notForwarding }) },
    }
    const index = await indexAt(scope, spec.port, context, 'port')
    const ifindex = spec.via === undefined ? undefined : await indexAt(scope, spec.via, context, 'via')
    const connection = await scope.connection()
    const whole = present({ ...value, index, ifindex }) as FdbMessage
    await blaming(connection.request({ type, flags, codec: neighbourTable, value: whole, context }), [[/ENODEV/, 'port']])
  }

  return {
    /**
     * Says where a MAC is: `add({ mac: '02:00:00:00:00:09', port: 'veth9' })` in the bridge of that port, for good; with `destination` in a vxlan.
     * Unlike `bridge fdb add`, whose entries are the host's own addresses ('permanent') unless told otherwise.
     *
     * Errors: EEXIST there is one, ENODEV no such port, EINVAL the port is in no bridge, EPERM without CAP_NET_ADMIN.
     */
    async add(entry: FdbSpec): Promise<void> {
      const append = entry?.append ? requestFlags.append : requestFlags.exclusive
      await change('add MAC', rtm.newNeigh, requestFlags.create | append, entry)
    },

    /** As add, and moves a MAC that the table has already. */
    async replace(entry: Omit<FdbSpec, 'append'>): Promise<void> {
      if ((entry as FdbSpec)?.append !== undefined) throw conflict('append', 'replace() puts one destination in place of others')
      await change('replace MAC', rtm.newNeigh, requestFlags.create | requestFlags.replace, entry)
    },

    /** Removes an entry; throws ENOENT if there is none. */
    async delete(entry: FdbSpec): Promise<void> {
      await change('delete MAC', rtm.delNeigh, 0, entry)
    },

    /** The entries of a bridge, of a port, or all, as `bridge fdb show` has them; the kernel does the choosing. */
    async list(filter: FdbFilter = {}): Promise<FdbEntry[]> {
      checkOptions(filter, { bridge: isLink, port: isLink })
      const context: Context = { operation: 'list MACs', namespace: scope.label, hints }
      const index = async (ref: LinkRef | undefined, path: string) => (ref === undefined ? undefined : indexAt(scope, ref, context, path))
      const master = await index(filter.bridge, 'bridge')
      const port = await index(filter.port, 'port')
      const value = present({ family: 'bridge' as const, ifindex: port, master }) as FdbMessage
      const connection = await scope.connection()
      const entries = await connection.dump({ type: rtm.getNeigh, codec: neighbourTable, value, context }, reply)
      return entries.filter(raw => port === undefined || raw.index === port).map(toFdbEntry)
    },
  }
}
