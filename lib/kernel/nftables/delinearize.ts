// From the kernel's expressions back to the statements of a rule, less the matches that only make others possible; what has no words is kept as bytes.
import { Buffer } from 'node:buffer'
import type { Codec } from '../../codec/codec.js'
import { isArgumentError } from '../../codec/errors.js'
import { Writer } from '../../codec/writer.js'
import { expression } from '../../protocol/nftables/expression.js'
import * as action from './delinearize-action.js'
import { type DelinearizeOptions, held, hold, newState, type ReadExpression, type State, say } from './delinearize-context.js'
import { alsoFrom, changed, loaded } from './delinearize-load.js'
import * as matching from './delinearize-match.js'
import * as nat from './delinearize-nat.js'
import { decodeVerdict } from './element-values.js'
import type { Statement } from './statement.js'

/** Says what the expression does, or keeps what it leaves in a register; gives how many that follow belong to it, undefined if it has no words. */
function understand(state: State, one: ReadExpression, number: number): number | undefined {
  if ((one.data as { readonly unknown?: unknown } | undefined)?.unknown !== undefined || one.unknown !== undefined) return undefined
  if (one.name === 'cmp') return matching.compare(state, one, number)
  return understood(state, one, number) ? 0 : undefined
}
function understood(state: State, one: ReadExpression, number: number): boolean {
  switch (one.name) {
    case 'payload':
      return one.data?.sreg === undefined ? load(state, one, number) : action.payloadSet(state, one.data, number)
    case 'meta':
    case 'ct':
      return one.data?.sreg === undefined ? load(state, one, number) : action.set(state, one, number)
    case 'exthdr':
      if (one.data?.sreg !== undefined) return action.set(state, one, number)
      return one.data?.dreg === undefined ? action.reset(state, one.data, number) : load(state, one, number)
    case 'range':
      return matching.range(state, one, number)
    case 'lookup':
      return matching.lookup(state, one, number)
    case 'bitwise':
    case 'byteorder':
      return changed(state, one, number)
    case 'immediate':
      return immediate(state, one.data, number)
    case 'nat':
      return nat.nat(state, one.data, number)
    case 'masq':
      return nat.portNat(state, 'masquerade', one.data, number)
    case 'redir':
      return nat.portNat(state, 'redirect', one.data, number)
    case 'tproxy':
      return nat.tproxy(state, one.data, number)
    case 'dup':
      return nat.dup(state, one.data, number)
    case 'fwd':
      return nat.fwd(state, one.data, number)
    case 'log':
      return action.log(state, one.data, number)
    case 'reject':
      return action.reject(state, one.data, number)
    case 'queue':
      return action.queue(state, one.data, number)
    case 'synproxy':
      return action.synproxy(state, one.data, number)
    case 'objref':
      return action.objref(state, one.data, number)
    case 'dynset':
      return action.dynset(state, one.data, number)
    case 'counter':
    case 'quota':
    case 'limit':
    case 'connlimit':
    case 'last':
      return action.stateful(state, one, number)
    case 'notrack':
      say(state, [number], { notrack: null })
      return true
    case 'flow_offload':
      if (one.data?.tableName === undefined) return false
      say(state, [number], { flow: { op: 'add', flowtable: `@${one.data.tableName}` } })
      return true
    case 'match':
    case 'target':
      return extension(state, one.name, one.data, number)
    default:
      return load(state, one, number)
  }
}

function load(state: State, one: ReadExpression, number: number): boolean {
  const from = [...alsoFrom(state, one), number]
  const source = loaded(state, one)
  return source !== undefined && hold(state, source.dreg, { from, value: source.value })
}

type Immediate = Extract<ReadExpression, { readonly name: 'immediate' }>['data']
function immediate(state: State, data: Immediate, number: number): boolean {
  if (data?.dreg !== 0)
    return data?.data?.value !== undefined && hold(state, data.dreg, { from: [number], value: { constant: data.data.value } })
  const verdict = decodeVerdict(data.data?.verdict)
  if (verdict) say(state, [number], verdict)
  return verdict !== undefined
}

interface Extension {
  readonly name?: string
  readonly rev?: number
  readonly info?: Uint8Array
}
/** A match or target of iptables: its structure stays bytes. */
function extension(state: State, type: 'match' | 'target', { name, rev, info }: Extension = {}, number = 0): boolean {
  if (name === undefined) return false
  say(state, [number], { xt: { type, name, revision: rev ?? 0, info: Buffer.from(info ?? []).toString('hex') } })
  return true
}

const choices = expression.entries.data[1].choices as Readonly<Record<string, Codec<unknown, unknown>>>
/** An expression without words, as its name and its attributes' bytes. */
function unknown({ name, data }: ReadExpression): Statement {
  const plain = name?.startsWith('other:') ? name.slice(6) : (name ?? '')
  if (data instanceof Uint8Array || data === undefined) return { unknown: { name: plain, data: Buffer.from(data ?? []).toString('hex') } }
  const writer = new Writer()
  try {
    choices[plain]?.write(writer, data)
  } catch (error) {
    // No kernel says so: an expression with two names, whose attributes were read by the first.
    if (!isArgumentError(error)) throw error
    writer.at = 0
  }
  return { unknown: { name: plain, data: Buffer.from(writer.copy()).toString('hex') } }
}

/** The registers that an expression reads. */
const sources = (one: ReadExpression): number[] =>
  one.data instanceof Uint8Array || one.data === undefined
    ? []
    : Object.entries(one.data).flatMap(([name, value]) => (/^(?:sreg|reg|setSreg)/.test(name) && typeof value === 'number' ? [value] : []))

/**
 * The statements of a rule, in libnftables' JSON schema: matches that the kernel needs only to make the next one possible are left out, as nft does;
 * what has no words becomes `{ unknown: { name, data } }`, matches and targets of iptables `{ xt: … }`, and nothing is lost. Never throws.
 */
export function delinearize(expressions: readonly ReadExpression[], options: DelinearizeOptions): Statement[] {
  const state = newState(expressions, options)
  // Loads that an expression without words needs, even if they are told elsewhere.
  const needed = new Set<number>()
  for (let number = 0; number < expressions.length; number++) {
    const one = expressions[number]!
    const reads = sources(one).flatMap(register => [...(held(state, register)?.from ?? [])])
    const more = understand(state, one, number)
    if (more === undefined) for (const from of reads) needed.add(from)
    else number += more
  }
  const kept = expressions.flatMap((one, at) =>
    state.told.has(at) && !needed.has(at) ? [] : [{ at, statement: unknown(one), dropped: false }],
  )
  return [...state.entries, ...kept]
    .filter(entry => !entry.dropped)
    .sort((a, b) => a.at - b.at)
    .map(entry => entry.statement)
}
