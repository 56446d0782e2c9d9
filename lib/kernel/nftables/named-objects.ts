// Named counters, quotas and limits as callers see them and as the kernel has them.
import type { Decoded, Encodable } from '../../codec/codec.js'
import { netfilterFamilies } from '../../protocol/netfilter.js'
import type { limit as limitTable, quota as quotaTable } from '../../protocol/nftables/expressions/stateful.js'
import type { object as objectTable } from '../../protocol/nftables/object.js'
import { type Checks, checkOptions, isBoolean, isInteger, isOneOf, isRead, present } from '../arguments.js'
import { publicFamily, wireFamily } from './family.js'
import type { ByteUnit, TimeUnit } from './fields.js'
import type { ConnectionProtocol, CounterObject, LimitObject, QuotaObject, RulesetObject } from './objects.js'
import { isComment, isFamily, isName, type NamedRef, namedRefChecks, reference } from './references.js'
import { commentData, commentOf } from './userdata.js'

export type RawObject = Decoded<typeof objectTable>
type ObjectMessage = Encodable<typeof objectTable>
/** How one kind of object is checked, sent and read. */
export interface ObjectKind<T extends NamedRef> {
  readonly what: string
  readonly checks: Checks<T>
  readonly type: 'counter' | 'quota' | 'limit'
  write(object: T): object
  read(raw: RawObject): Omit<T, 'family' | 'table' | 'name' | 'handle' | 'comment'>
  /** The caller's name for a field of the object's data. */
  readonly field?: Readonly<Record<string, string>>
}

const isCount = isInteger(0, Number.MAX_SAFE_INTEGER)
const common = { family: isFamily, table: isName, name: isName, handle: isRead, comment: isComment }

export const counterKind: ObjectKind<CounterObject> = {
  what: 'counter',
  type: 'counter',
  checks: { ...common, packets: isCount, bytes: isCount },
  write: ({ packets = 0, bytes = 0 }) => ({ bytes, packets }),
  read({ type, data }) {
    const { packets, bytes } = type === 'counter' && data ? data : {}
    return { packets: packets ?? 0, bytes: bytes ?? 0 }
  },
}

export const quotaKind: ObjectKind<QuotaObject> = {
  what: 'quota',
  type: 'quota',
  checks: { ...common, bytes: isCount, used: isCount, inv: isBoolean },
  write: ({ bytes, used, inv }): Encodable<typeof quotaTable> => ({
    bytes,
    flags: inv ? ['inv'] : [],
    ...present({ consumed: used }),
  }),
  read({ type, data }) {
    const { bytes, consumed, flags } = type === 'quota' && data ? data : {}
    return { bytes: bytes ?? 0, used: consumed ?? 0, inv: flags?.includes('inv') ?? false }
  },
  field: { consumed: 'used', flags: 'inv' },
}

const seconds = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 } as const satisfies Record<TimeUnit, number>
const units = { bytes: 1, kbytes: 1024, mbytes: 1024 * 1024 } as const satisfies Record<ByteUnit, number>
const factor = (unit: 'packets' | ByteUnit | undefined) => (unit === undefined || unit === 'packets' ? 1 : units[unit])
/** Packets that nft lets through at once where nobody says. */
const defaultBurst = 5

export const limitKind: ObjectKind<LimitObject> = {
  what: 'limit',
  type: 'limit',
  checks: {
    ...common,
    rate: isCount,
    per: isOneOf(Object.keys(seconds)),
    rate_unit: isOneOf(['packets', ...Object.keys(units)]),
    burst: isInteger(0, 0xffff_ffff),
    burst_unit: isOneOf(['packets', ...Object.keys(units)]),
    inv: isBoolean,
  },
  write({ rate, per = 'second', rate_unit, burst, burst_unit, inv }): Encodable<typeof limitTable> {
    const inPackets = rate_unit === undefined || rate_unit === 'packets'
    return {
      rate: rate * factor(rate_unit),
      unit: seconds[per],
      burst: burst === undefined ? (inPackets ? defaultBurst : 0) : burst * factor(burst_unit),
      type: inPackets ? 'pkts' : 'pktBytes',
      flags: inv ? ['inv'] : [],
    }
  },
  read({ type, data }) {
    const raw = type === 'limit' && data ? data : {}
    const { rate = 0, unit, burst = 0, flags } = raw
    const per = (Object.entries(seconds).find(([, value]) => value === unit)?.[0] ?? 'second') as TimeUnit
    const inv = flags?.includes('inv') ? { inv: true } : {}
    if (raw.type !== 'pktBytes') return { rate, per, burst, ...inv }
    const [rateUnit, shownRate] = inUnit(rate)
    const [burstUnit, shownBurst] = inUnit(burst)
    return { rate: shownRate, rate_unit: rateUnit, per, ...(burst ? { burst: shownBurst, burst_unit: burstUnit } : {}), ...inv }
  },
  field: { unit: 'per', type: 'rate_unit', flags: 'inv' },
}

/** Bytes in the largest unit that they are a multiple of, as nft prints them. */
function inUnit(bytes: number): [ByteUnit, number] {
  const fitting = (['mbytes', 'kbytes'] as const).find(unit => bytes > 0 && bytes % units[unit] === 0)
  return fitting ? [fitting, bytes / units[fitting]] : ['bytes', bytes]
}

export function objectMessage<T extends NamedRef>(kind: ObjectKind<T>, object: T): ObjectMessage {
  reference<NamedRef>(object, namedRefChecks)
  checkOptions(object, kind.checks)
  const { family, table, name, comment } = object as T & { readonly comment?: string }
  const data = kind.write(object)
  return { family: wireFamily(family), table, name, type: kind.type, data, ...present({ userdata: commentData(comment) }) } as ObjectMessage
}

export function toObject<T extends NamedRef>(kind: ObjectKind<T>, raw: RawObject): T {
  const { table = '', name = '', handle, userdata } = raw
  return {
    ...present({ family: publicFamily(raw.family), table, name, handle, comment: commentOf(userdata) }),
    ...kind.read(raw),
  } as unknown as T
}

export const objectField =
  (kind: { readonly field?: Readonly<Record<string, string>> }) =>
  ([first, second]: readonly string[]): string | undefined => {
    if (first === 'userdata') return 'comment'
    return first === 'data' && second !== undefined ? (kind.field?.[second] ?? second) : first
  }

const protocolNames = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [132, 'sctp'],
  [136, 'udplite'],
])
const protocolName = (number = 0) => (protocolNames.get(number) ?? number) as ConnectionProtocol
const addressFamily = (number = 0) => (number === netfilterFamilies.ipv4 ? 'ip' : number === netfilterFamilies.ipv6 ? 'ip6' : 'inet')

/** Any object as an entry of a rule set; undefined for kinds that JSON has no words for. */
export function toRulesetObject(raw: RawObject): RulesetObject | undefined {
  const { table = '', name = '', handle, userdata } = raw
  const common = present({ family: publicFamily(raw.family), table, name, handle, comment: commentOf(userdata) })
  switch (raw.type) {
    case 'counter':
      return { counter: toObject(counterKind, raw) }
    case 'quota':
      return { quota: toObject(quotaKind, raw) }
    case 'limit':
      return { limit: toObject(limitKind, raw) }
    case 'ctHelper': {
      const { name: type = '', l3proto, l4proto } = raw.data ?? {}
      return { 'ct helper': { ...common, type, protocol: protocolName(l4proto), l3proto: addressFamily(l3proto) } }
    }
    case 'ctExpect': {
      const { l3proto, l4proto, dport = 0, timeout = 0, size = 0 } = raw.data ?? {}
      return { 'ct expectation': { ...common, protocol: protocolName(l4proto), dport, timeout, size, l3proto: addressFamily(l3proto) } }
    }
    case 'ctTimeout': {
      const { l3proto, l4proto } = raw.data ?? {}
      return { 'ct timeout': { ...common, protocol: protocolName(l4proto), l3proto: addressFamily(l3proto), policy: null } }
    }
    case 'secmark':
      return { secmark: { ...common, context: raw.data?.ctx ?? '' } }
    case 'synproxy': {
      const { mss = 0, wscale = 0 } = raw.data ?? {}
      return { synproxy: { ...common, mss, wscale } }
    }
    default:
      return undefined
  }
}
