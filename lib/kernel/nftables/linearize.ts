// From the statements of a rule to the kernel's expressions, with the matches that nft adds unasked, so that nft lists the rule as it was meant.
import { argumentError, shown } from '../../codec/errors.js'
import { at } from './element-values.js'
import * as action from './linearize-action.js'
import {
  type AnonymousSet,
  type Context,
  entryOf,
  type Hole,
  invalid,
  isObject,
  type LinearizeOptions,
  newContext,
  own,
  type WireExpression,
} from './linearize-context.js'
import { match } from './linearize-match.js'
import * as nat from './linearize-nat.js'
import { mangle } from './linearize-value.js'
import { tcpOptions } from './option-fields.js'
import { only } from './stateful.js'
import type { Statement } from './statement.js'

export interface Linearized {
  readonly expressions: readonly WireExpression[]
  /** Sets that the rule brings with it, to be made before it in the same batch. */
  readonly anonymousSets: readonly AnonymousSet[]
  /** Where the expressions of each statement begin. */
  readonly starts: readonly number[]
  readonly holes: readonly Hole[]
}
type Translate = (ctx: Context, value: unknown, statement: unknown) => void

const verdict: Translate = (ctx, _, statement) => action.verdict(ctx, statement)
/** Something of its own, or an object by name. */
const stateful =
  (type: 'counter' | 'quota' | 'limit'): Translate =>
  (ctx, value, statement) => {
    if (typeof value === 'string' || (isObject(value) && 'map' in value)) at(type, () => action.object(ctx, type, value))
    else ctx.out.push(action.elementStatement(statement))
  }
function notrack(ctx: Context): void {
  ctx.out.push({ name: 'notrack' })
}
/** Takes a TCP option out. */
function reset(ctx: Context, value: unknown): void {
  const [kind, option] = entryOf(value)
  if (kind !== 'tcp option' || !isObject(option)) throw invalid("is for { 'tcp option': … }")
  const type = option.base === undefined ? own(tcpOptions, option.name, 'tcp option.name').type : Number(option.base)
  ctx.out.push({ name: 'exthdr', data: { type, op: 'tcpopt' } })
}

const bytesOfHex = (text: unknown, path: string): Uint8Array => {
  if (typeof text !== 'string' || !/^(?:[\da-f]{2})*$/i.test(text))
    throw invalid(`${shown(text)} is not an even number of hexadecimal digits`, path)
  return Buffer.from(text, 'hex')
}
function xt(ctx: Context, value: unknown): void {
  if (value === null) throw invalid('says nothing: nft before 1.0.7 does not print what it was')
  only(value, ['type', 'name', 'revision', 'info'])
  const { type, name, revision = 0, info = '' } = value as Readonly<Record<string, unknown>>
  const kind = own({ match: 'match', target: 'target', watcher: 'target' } as const, type, 'type')
  if (typeof name !== 'string' || !name) throw invalid(`${shown(name)} is not a name`, 'name')
  if (!Number.isInteger(revision)) throw invalid(`${shown(revision)} is not an integer`, 'revision')
  ctx.out.push({ name: kind, data: { name, rev: revision as number, info: bytesOfHex(info, 'info') } })
}
function unknown(ctx: Context, value: unknown): void {
  only(value, ['name', 'data'])
  const { name, data } = value as Readonly<Record<string, unknown>>
  if (typeof name !== 'string' || !name) throw invalid(`${shown(name)} is not a name`, 'name')
  ctx.out.push({ name: `other:${name}`, ...(data === '' ? {} : { data: bytesOfHex(data, 'data') }) })
}
const meter: Translate = () => {
  throw invalid("write it as a set with the flag 'dynamic', and { set: { op, elem, set, stmt } }")
}

/** Statements that are read as a whole: paths of errors have their name already. */
const wholes: Readonly<Record<string, Translate>> = {
  accept: verdict,
  drop: verdict,
  continue: verdict,
  return: verdict,
  jump: verdict,
  goto: verdict,
  counter: stateful('counter'),
  quota: stateful('quota'),
  limit: stateful('limit'),
  'ct count': (ctx, _, statement) => ctx.out.push(action.elementStatement(statement)),
  last: (ctx, _, statement) => ctx.out.push(action.elementStatement(statement)),
}
const translations: Readonly<Record<string, Translate>> = {
  match,
  mangle,
  vmap: action.vmap,
  'ct helper': (ctx, value) => action.object(ctx, 'ctHelper', value),
  'ct timeout': (ctx, value) => action.object(ctx, 'ctTimeout', value),
  'ct expectation': (ctx, value) => action.object(ctx, 'ctExpect', value),
  secmark: (ctx, value) => action.object(ctx, 'secmark', value),
  synproxy: action.synproxy,
  log: action.log,
  reject: action.reject,
  queue: action.queue,
  flow: action.flow,
  set: (ctx, value) => action.fill(ctx, value, false),
  map: (ctx, value) => action.fill(ctx, value, true),
  snat: (ctx, value) => nat.nat(ctx, 'snat', value),
  dnat: (ctx, value) => nat.nat(ctx, 'dnat', value),
  masquerade: (ctx, value) => nat.portNat(ctx, 'masq', value),
  redirect: (ctx, value) => nat.portNat(ctx, 'redir', value),
  tproxy: nat.tproxy,
  dup: nat.dup,
  fwd: nat.fwd,
  notrack,
  reset,
  xt,
  unknown,
  meter,
}

const names = [...Object.keys(wholes), ...Object.keys(translations)].join(', ')

/**
 * The kernel's expressions for a rule's statements.
 *
 * Errors: TypeError or RangeError with the path of what is wrong, `expr[2].match.right`: unknown statements, fields and names, values that do not
 * fit their field, protocols that exclude each other or the table's family, sets that the table does not have, more than the registers hold.
 */
export function linearize(statements: readonly Statement[], options: LinearizeOptions): Linearized {
  const ctx = newContext(options)
  if (!Array.isArray(statements)) throw argumentError('ERR_NETLOOM_INVALID_ARRAY', `${shown(statements)} is not an array`, 'expr')
  const starts: number[] = []
  const holes: Hole[] = []
  statements.forEach((statement, i) => {
    starts.push(ctx.out.length)
    at(`expr[${i}]`, () => {
      const [kind, value] = entryOf(statement)
      if (Object.hasOwn(wholes, kind)) return wholes[kind]!(ctx, value, statement)
      if (!Object.hasOwn(translations, kind))
        throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `there is no such statement; there are ${names}`, kind)
      at(kind, () => translations[kind]!(ctx, value, statement))
      while (ctx.holes.length > 0) holes.push({ ...ctx.holes.shift()!, statement: i, kind })
    })
  })
  return { expressions: ctx.out, anonymousSets: ctx.anonymous, starts, holes }
}
