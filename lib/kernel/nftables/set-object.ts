// Sets and maps as callers see them and as the kernel has them.
import type { Encodable } from '../../codec/codec.js'
import { argumentError } from '../../codec/errors.js'
import type { setFlags, set as setTable } from '../../protocol/nftables/set.js'
import { checkAt, checkOptions, isBoolean, isList, isNumber, isOneOf, isRead, isUnsigned, present } from '../arguments.js'
import { byteLength } from './datatypes.js'
import { publicFamily, wireFamily } from './family.js'
import type { SetFlag } from './fields.js'
import type { MapObject, SetObject } from './objects.js'
import { asList, isComment, isFamily, isName, namedRefChecks, reference } from './references.js'
import { dataFormOf, dataTypeName, formOf, keyTypeName, type SetForm, slotsOf, typeFields, typeUserdata } from './set-form.js'
import type { RawSet } from './set-read.js'
import { decodeOne, encodeStateful, type StatefulFields, type WireStateful } from './stateful.js'
import type { Statement } from './statement.js'
import { commentBytes, decodeUserdata, encodeUserdata, setData, textOf } from './userdata.js'

/** What every element is to have. */
function encodeStatements(statements: readonly object[]): WireStateful[] {
  return statements.flatMap((statement, i) =>
    checkAt(`[${i}]`, () => {
      const found = encodeStateful(statement as StatefulFields)
      if (found.length === 1 && Object.keys(statement).length === 1) return found
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'what elements can have is counter, quota, limit, ct count, last')
    }),
  )
}

type WireFlag = keyof typeof setFlags
/** nft's words for the flags that callers give. */
const flagNames = { constant: 'constant', interval: 'interval', timeout: 'timeout', dynamic: 'eval' } as const satisfies Record<
  SetFlag,
  WireFlag
>

const isFlag = isOneOf(Object.keys(flagNames))
const isType = (value: unknown) => {
  if (value === undefined) throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'must be given')
}
const checks = {
  family: isFamily,
  table: isName,
  name: isName,
  handle: isRead,
  comment: isComment,
  type: isType,
  map: isType,
  policy: isOneOf(['performance', 'memory']),
  flags: (value: unknown) => (Array.isArray(value) ? isList(isFlag)(value) : isFlag(value)),
  timeout: isNumber(0, 2 ** 42),
  'gc-interval': isNumber(0, 2 ** 22),
  size: isUnsigned,
  'auto-merge': isBoolean,
  stmt: isList(value => encodeStatements([value as object])),
  elem: isList(() => undefined),
}

/** The caller's name of a field of the message. */
export function setField([first, second]: readonly string[]): string | undefined {
  const names: Readonly<Record<string, string>> = {
    keyType: 'type',
    keyLen: 'type',
    dataType: 'map',
    dataLen: 'map',
    objType: 'map',
    gcInterval: 'gc-interval',
    expr: 'stmt',
    expressions: 'stmt',
    userdata: 'comment',
  }
  if (first === 'desc') return second === 'size' ? 'size' : 'type'
  return first === undefined ? undefined : (names[first] ?? first)
}

export function formOfSpec(set: SetObject | MapObject): SetForm {
  const flags = asList(set.flags)
  return {
    key: slotsOf(set.type, 'type'),
    data: dataFormOf((set as MapObject).map),
    interval: flags.includes('interval'),
    timeout: flags.includes('timeout') || set.timeout !== undefined,
    autoMerge: set['auto-merge'] ?? false,
    dataInterval: isRangeMap(set),
  }
}

/** The value of a mapping that is a range or a prefix: such a map keeps both ends of every value. */
const isRangeValue = (member: unknown): boolean => {
  const value: unknown = Array.isArray(member) && member.length === 2 ? member[1] : undefined
  const parts = (value as { concat?: unknown } | undefined)?.concat
  return (Array.isArray(parts) ? parts : [value]).some(
    one => typeof one === 'object' && one !== null && ('range' in one || 'prefix' in one),
  )
}

export const isRangeMap = ({ elem }: SetObject | MapObject): boolean => asList(elem).some(isRangeValue)

/** The message for a set, and its form for the messages with its elements. */
export function setMessage(set: SetObject | MapObject, id: number): { value: Encodable<typeof setTable>; form: SetForm } {
  reference(set, namedRefChecks)
  checkOptions<MapObject>(set as MapObject, checks)
  if (set.type === undefined) throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'must be given', 'type')
  const { family, table, name, policy, timeout, size, comment } = set
  const form = { ...formOfSpec(set), id }
  const expressions = checkAt('stmt', () => encodeStatements(set.stmt ?? []))
  const concatenated = form.key.length > 1
  const flags: WireFlag[] = [
    ...asList(set.flags).map(flag => flagNames[flag]),
    ...(form.data ? (['object' in form.data ? 'object' : 'map'] as const) : []),
    ...(form.timeout && !asList(set.flags).includes('timeout') ? (['timeout'] as const) : []),
    ...(form.interval && concatenated ? (['concat'] as const) : []),
    ...(expressions.length > 1 ? (['expr'] as const) : []),
  ]
  const userdata = encodeUserdata([
    ...typeUserdata(form),
    ...(comment === undefined ? [] : [[setData.comment, commentBytes(comment)] as const]),
  ])
  const lengths = form.interval && concatenated ? form.key.map(slot => ({ len: byteLength(slot) })) : undefined
  const gc = set['gc-interval']
  const value = {
    family: wireFamily(family),
    table,
    name,
    flags,
    ...typeFields(form),
    id,
    ...present({
      policy,
      timeout: timeout === undefined ? undefined : Math.round(timeout * 1000),
      gcInterval: gc === undefined ? undefined : Math.round(gc * 1000),
      desc: size === undefined && !lengths ? undefined : present({ size, concat: lengths }),
      userdata,
      expr: expressions.length === 1 ? expressions[0] : undefined,
      expressions: expressions.length > 1 ? expressions : undefined,
    }),
  }
  return { value, form }
}

export const isMap = ({ flags = [] }: RawSet) => flags.includes('map') || flags.includes('object')
export const isNamed = ({ flags = [] }: RawSet) => !flags.includes('anonymous')

export function toSet(raw: RawSet): SetObject | MapObject {
  const form = formOf(raw)
  const flags = (Object.keys(flagNames) as SetFlag[]).filter(name => raw.flags?.includes(flagNames[name]))
  const expressions = raw.expressions ?? (raw.expr ? [raw.expr] : [])
  const seconds = (milliseconds: number | undefined) => (milliseconds ? milliseconds / 1000 : undefined)
  const { table = '', name = '', handle, policy } = raw
  return present({
    family: publicFamily(raw.family),
    name,
    table,
    type: keyTypeName(form),
    handle,
    map: dataTypeName(form),
    policy: policy === 'memory' ? policy : undefined,
    flags: flags.length ? flags : undefined,
    timeout: seconds(raw.timeout),
    'gc-interval': seconds(raw.gcInterval),
    size: raw.desc?.size || undefined,
    'auto-merge': form.autoMerge || undefined,
    comment: textOf(decodeUserdata(raw.userdata).get(setData.comment)),
    stmt: expressions.length ? (expressions.flatMap(one => decodeOne(one) ?? []) as unknown as Statement[]) : undefined,
  }) as SetObject | MapObject
}
