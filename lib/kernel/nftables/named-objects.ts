// Named counters, quotas and limits as callers see them and as the kernel has them.
import type { Decoded, Encodable } from '../../codec/codec.js'
import type { limit as limitTable, quota as quotaTable } from '../../protocol/nftables/expressions/stateful.js'
import type { object as objectTable, objectTypes } from '../../protocol/nftables/object.js'
import { type Checks, checkOptions, isBoolean, isInteger, isOneOf, isRead, lacking, present } from '../arguments.js'
import { publicFamily, wireFamily } from './family.js'
import type { ByteUnit, TimeUnit } from './fields.js'
import type { CounterObject, LimitObject, QuotaObject } from './objects.js'
import { isComment, isFamily, isName, type NamedRef, namedRefChecks, reference } from './references.js'
import { commentData, commentOf } from './userdata.js'

export type RawObject = Decoded<typeof objectTable>
export type ObjectMessage = Encodable<typeof objectTable>
/** How one kind of object is checked, sent and read. */
export interface ObjectKind<T extends NamedRef> {
  readonly what: string
  readonly checks: Checks<T>
  /** What the verbs are called: 'ctHelpers'. */
  readonly verbs: string
  readonly type: Exclude<keyof typeof objectTypes, 'connlimit' | 'tunnel'>
  readonly required?: readonly (keyof T & string)[]
  write(object: T): object
  read(raw: RawObject): Omit<T, 'family' | 'table' | 'name' | 'handle' | 'comment'>
  /** The caller's name for a field of the object's data. */
  readonly field?: Readonly<Record<string, string>>
}

const isCount = isInteger(0, Number.MAX_SAFE_INTEGER)
export const commonChecks = { family: isFamily, table: isName, name: isName, handle: isRead, comment: isComment }

export const counterKind: ObjectKind<CounterObject> = {
  what: 'counter',
  verbs: 'counters',
  type: 'counter',
  checks: { ...commonChecks, packets: isCount, bytes: isCount },
  write: ({ packets = 0, bytes = 0 }) => ({ bytes, packets }),
  read({ type, data }) {
    const { packets, bytes } = type === 'counter' && data ? data : {}
    return { packets: packets ?? 0, bytes: bytes ?? 0 }
  },
}

export const quotaKind: ObjectKind<QuotaObject> = {
  what: 'quota',
  verbs: 'quotas',
  type: 'quota',
  checks: { ...commonChecks, bytes: isCount, used: isCount, inv: isBoolean },
  write: ({ bytes, used, inv }): Encodable<typeof quotaTable> => ({
    bytes,
    ...present({ consumed: used }),
    flags: inv ? ['inv'] : [],
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
  verbs: 'limits',
  type: 'limit',
  checks: {
    ...commonChecks,
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
  for (const name of kind.required ?? []) if (object[name] === undefined) throw lacking(name, `a ${kind.what} needs it`)
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
