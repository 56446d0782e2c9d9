// What is there where the rules of nftables-rules.json were captured, and how the captured messages are read.
import type { AnyCodec, Codec, Decoded } from '../../lib/codec/codec.js'
import { each } from '../../lib/codec/table.js'
import { viewOf } from '../../lib/codec/walk.js'
import { Writer } from '../../lib/codec/writer.js'
import type { InterfaceNames } from '../../lib/kernel/nftables/datatype-codecs.js'
import { typesOfName, typesOfNumber } from '../../lib/kernel/nftables/datatypes.js'
import type { KnownSet } from '../../lib/kernel/nftables/delinearize-context.js'
import type { Family } from '../../lib/kernel/nftables/fields.js'
import type { ObjectType, SetTypes } from '../../lib/kernel/nftables/linearize-context.js'
import type { Statement } from '../../lib/kernel/nftables/statement.js'
import { element, elementList } from '../../lib/protocol/nftables/element.js'
import { type expression, expressions } from '../../lib/protocol/nftables/expression.js'
import { set, verdictDataType } from '../../lib/protocol/nftables/set.js'

/** What nft sent: in hexadecimal digits the expressions, and messages of sets less their headers. */
export interface Sent {
  readonly expressions: string
  readonly sets: readonly string[]
  readonly elements: readonly string[]
}
export interface Golden {
  readonly family: Family
  readonly rule: string | readonly Statement[]
  /** As nft lists the rule in JSON and as text. */
  readonly statements: readonly Statement[]
  readonly listed?: string
  readonly text?: Sent
  /** Where the JSON that was listed gives other bytes than the text. */
  readonly json?: Sent
  /** Why nft does not take its own JSON back. */
  readonly refused?: string
}
export type ReadExpression = Decoded<typeof expression>
export type ReadSet = Decoded<typeof set>
export type ReadElement = Decoded<typeof element>

export const nameOf = ({ family, rule, listed }: Golden) => {
  const text = typeof rule === 'string' ? rule : JSON.stringify(rule)
  return `${family} | ${text}${listed === undefined || listed === rule ? '' : ` | ${listed}`}`
}

function decode(codec: AnyCodec, hex: string): unknown {
  const bytes = Buffer.from(hex, 'hex')
  return codec.read(viewOf(bytes), 0, bytes.length)
}
export function encode(codec: AnyCodec, value: unknown): string {
  const writer = new Writer()
  ;(codec as Codec<unknown, unknown>).write(writer, value)
  return Buffer.from(writer.copy()).toString('hex')
}
export const readExpressions = (hex: string) => decode(expressions as AnyCodec, hex) as ReadExpression[]
const header = '00000000'
/** nft numbers the elements of a message, where the kernel's own lists have one number for all. */
function readElements(hex: string): ReadElement[] {
  const bytes = Buffer.from(hex, 'hex')
  const view = viewOf(bytes)
  const [, list] = [...each('list', view, 0, bytes.length)].map(one => [one.type, one] as const).find(([type]) => type === 3) ?? []
  return list ? [...each('elements', view, list.from, list.to)].map(one => element.read(view, one.from, one.to) as ReadElement) : []
}
export function readSets({ sets, elements }: Sent): { set: ReadSet; elements: ReadElement[] }[] {
  const setOf = (hex: string) => (decode(elementList as AnyCodec, header + hex) as Decoded<typeof elementList>).setId
  return sets.map(hex => {
    const read = decode(set as AnyCodec, header + hex) as ReadSet
    return { set: read, elements: elements.filter(one => setOf(one) === read.id).flatMap(readElements) }
  })
}

const keys: Readonly<Record<string, string>> = {
  s: 'ipv4_addr',
  cs: 'ipv4_addr . inet_service',
  aa: 'ipv4_addr . ipv4_addr',
  three: 'ipv4_addr . ipv4_addr . inet_service',
  ds: 'ipv4_addr',
  dcs: 'ipv4_addr . inet_service',
  dm: 'ipv4_addr : mark',
  vm: 'ipv4_addr : verdict',
  cvm: 'inet_service . ipv4_addr : verdict',
  mm: 'ipv4_addr : mark',
  am: 'ipv4_addr : ipv4_addr',
  pm: 'inet_service : ipv4_addr . inet_service',
  pm2: 'ipv4_addr . inet_service : ipv4_addr . inet_service',
  es: 'ether_addr',
}
export function namedSets(name: string): SetTypes | undefined {
  const [key, data] = keys[name]?.split(' : ') ?? []
  if (key === undefined) return undefined
  if (data === undefined) return { key: typesOfName(key) }
  return { key: typesOfName(key), data: data === 'verdict' ? 'verdict' : typesOfName(data) }
}
export const interfaces: InterfaceNames = {
  indexOf: name => (name === 'lo' ? 1 : undefined),
  nameOf: index => (index === 1 ? 'lo' : undefined),
}

/** A rule's expressions as the kernel has them, where every set has a name of its own, and those sets. */
export function asKept(sent: Sent): { expressions: ReadExpression[]; sets: (name: string) => KnownSet | undefined } {
  const own = new Map<string, KnownSet>()
  for (const { set: raw, elements } of readSets(sent)) {
    const types = typesOfNumber(raw.keyType ?? 0) ?? []
    const dataTypes = raw.dataType === undefined ? undefined : raw.dataType === verdictDataType ? 'verdict' : typesOfNumber(raw.dataType)
    own.set(`__set${raw.id}`, {
      key: types,
      interval: raw.flags?.includes('interval') ?? false,
      elements,
      ...(typeof raw.objType === 'string' ? { data: 'object', objectType: raw.objType as ObjectType } : {}),
      ...(dataTypes === undefined ? {} : { data: dataTypes, dataLength: raw.dataLen ?? 0 }),
    })
  }
  const expressions = readExpressions(sent.expressions).map(one => {
    const data = { ...(one.data as { set?: string; setName?: string; setId?: number } | undefined) }
    for (const field of ['set', 'setName'] as const) if (data[field]?.includes('%')) data[field] = `__set${data.setId}`
    return one.data === undefined || one.data instanceof Uint8Array ? one : ({ ...one, data } as ReadExpression)
  })
  return { expressions, sets: name => own.get(name) ?? namedSets(name) }
}
