// One rule and one packet: its expressions in turn, on registers of which some bits may not be known.

import { type Answer, not } from '../verdict-answer.js'
import type { ReadExpression } from './delinearize-context.js'
import { decodeVerdict } from './element-values.js'
import type { ReadElement } from './elements.js'
import { changeSet, objectEffect, quotaEffect, reject, writeCt, writeMeta, writePayload } from './verdict-action.js'
import { type Bits, bitsOf, combined, compare, either, knownBits, masked, shifted, swapped, unknownBits, within } from './verdict-bits.js'
import { extensionMatch, extensionTarget } from './verdict-compat.js'
import { loadFib } from './verdict-fib.js'
import { type Loaded, loadCt, loadHeader, loadMeta, loadNumber, loadPayload } from './verdict-load.js'
import { find } from './verdict-lookup.js'
import type { Fate } from './verdict-machine.js'
import { type Effect, type Ending, emptyRegisters, ending, loadRegister, type Machine, storeRegister } from './verdict-machine.js'
import { masquerade, redirect, translate } from './verdict-nat.js'
import { numberOf, type Traffic } from './verdict-traffic.js'

export interface Run {
  /** Whether the rule decides what the endings say; undefined: perhaps. */
  readonly fits: Answer
  /** What becomes of the packet, one of these. */
  readonly endings: readonly Ending[]
  /** The packet where the rule does not fit: what stands before the match that failed has been done. */
  readonly broken: readonly Traffic[]
}

export function runRule(expressions: readonly ReadExpression[], place: Omit<Machine, 'traffic' | 'registers'>, traffic: Traffic): Run {
  const machine: Machine = { ...place, traffic, registers: emptyRegisters() }
  const broken: Traffic[] = []
  for (const expression of expressions) {
    const effect = step(machine, expression)
    if (effect === 'next') continue
    if (effect === 'break') return { fits: false, endings: [], broken: [...broken, machine.traffic] }
    if (effect === 'maybe') {
      broken.push(machine.traffic)
      continue
    }
    if (effect.miss) broken.push(machine.traffic)
    return { fits: broken.length > 0 || effect.endings.length > 1 ? undefined : true, endings: effect.endings, broken }
  }
  return { fits: broken.length > 0 ? undefined : true, endings: [{ fate: { continue: null }, traffic: machine.traffic }], broken }
}

const ofAnswer = (answer: Answer): Effect => (answer === undefined ? 'maybe' : answer ? 'next' : 'break')

function load(machine: Machine, register: number | undefined, loaded: Loaded): Effect {
  if (loaded === 'break') return 'break'
  storeRegister(machine, register, loaded)
  return 'next'
}

/** What it does is not known: neither whether the rule goes on, nor what registers hold then. */
function anything(machine: Machine): Effect {
  machine.registers = emptyRegisters()
  return 'maybe'
}

function step(machine: Machine, one: ReadExpression): Effect {
  if (one.data === undefined || one.data instanceof Uint8Array) return one.name === 'notrack' ? notrack(machine) : anything(machine)
  switch (one.name) {
    case 'payload':
      return one.data.sreg === undefined ? load(machine, one.data.dreg, loadPayload(machine, one.data)) : writePayload(machine, one.data)
    case 'meta':
      if (one.data.sreg !== undefined) return writeMeta(machine, one.data)
      return load(machine, one.data.dreg, loadMeta(machine, String(one.data.key)))
    case 'ct':
      return one.data.sreg === undefined ? load(machine, one.data.dreg, loadCt(machine, one.data)) : writeCt(machine, one.data)
    case 'exthdr':
      // Options of TCP that a rule writes, or takes out, have no part in a verdict; whether the packet has them isn't known.
      if (one.data.sreg !== undefined) return 'maybe'
      return one.data.dreg === undefined ? 'next' : load(machine, one.data.dreg, loadHeader(machine, one.data))
    case 'fib':
      return load(machine, one.data.dreg, loadFib(machine, one.data))
    case 'numgen':
      return load(machine, one.data.dreg, loadNumber(one.data.modulus, one.data.offset))
    case 'hash':
      return load(machine, one.data.dreg, loadNumber(one.data.modulus, one.data.offset))
    case 'rt':
    case 'socket':
    case 'osf':
    case 'xfrm':
    case 'tunnel':
      return load(machine, one.data.dreg, unknownBits(16))
    case 'immediate':
      return immediate(machine, one.data)
    case 'cmp': {
      const { sreg, op = 'eq', data } = one.data
      const value = data?.value ?? new Uint8Array()
      return ofAnswer(compare(op, loadRegister(machine, sreg, value.length), value))
    }
    case 'range': {
      const { sreg, op, fromData, toData } = one.data
      const [low, high] = [fromData?.value ?? new Uint8Array(), toData?.value ?? new Uint8Array()]
      return ofAnswer(not(within(loadRegister(machine, sreg, low.length), low, high), op === 'neq'))
    }
    case 'bitwise':
      return load(machine, one.data.dreg, bitwise(machine, one.data))
    case 'byteorder':
      return load(machine, one.data.dreg, swapped(loadRegister(machine, one.data.sreg, one.data.len ?? 0), one.data.size ?? 1))
    case 'lookup':
      return lookup(machine, one.data)
    case 'counter':
    case 'last':
    case 'log':
    case 'dup':
      return 'next'
    case 'flow_offload':
      return offload(machine)
    case 'quota':
      return quotaEffect(machine, one.data)
    case 'limit':
    case 'connlimit':
      return 'maybe'
    case 'objref':
      return objectEffect(machine, one.data)
    case 'dynset':
      return changeSet(machine, one.data)
    case 'notrack':
      return notrack(machine)
    case 'nat':
      return translate(machine, one.data)
    case 'masq':
      return masquerade(machine, one.data)
    case 'redir':
      return redirect(machine, one.data)
    case 'reject':
      return reject(machine)
    case 'queue':
    case 'fwd':
      return ending(machine, 'unknown')
    case 'synproxy':
      // Answers for a server of TCP; other packets pass it by.
      return machine.about.protocol !== undefined && machine.about.protocol !== tcp ? 'break' : ending(machine, 'unknown')
    case 'tproxy':
      // It depends on whether a program listens for such packets.
      return 'maybe'
    case 'match':
      return ofAnswer(extensionMatch(machine, one.data))
    case 'target':
      return extensionTarget(machine, one.data)
    default:
      return anything(machine)
  }
}
const tcp = 6
const udp = 17

/** A flowtable takes connections of which packets have come through before, and the rule ends for all others. */
function offload({ about, tracked }: Machine): Effect {
  const { state = 'new' } = about.packet
  if (!tracked || !['established', 'related', 'unknown'].includes(state)) return 'break'
  return about.protocol === undefined || about.protocol === tcp || about.protocol === udp ? 'maybe' : 'break'
}

function notrack(machine: Machine): Effect {
  if (!machine.tracked) machine.traffic = { ...machine.traffic, state: knownBits(new Uint8Array(Uint32Array.of(untracked).buffer)) }
  return 'next'
}
const untracked = 64

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>

function immediate(machine: Machine, { dreg, data }: Of<'immediate'>): Effect {
  if (dreg !== 0) return load(machine, dreg, bitsOf(data?.value, data?.value?.length ?? 16))
  const verdict = decodeVerdict(data?.verdict)
  if (!verdict) return ending(machine, 'unknown')
  return 'continue' in verdict ? 'next' : ending(machine, verdict)
}

function bitwise(machine: Machine, { sreg, sreg2, len = 0, mask, xor, op = 'maskXor', data }: Of<'bitwise'>): Bits {
  const bits = loadRegister(machine, sreg, len)
  const none = new Uint8Array(len)
  switch (op) {
    case 'maskXor':
      return masked(bits, mask?.value ?? none, xor?.value ?? none)
    case 'lshift':
    case 'rshift': {
      const by = data?.value && numberOf(knownBits(data.value))
      return by === undefined ? unknownBits(len) : shifted(bits, op === 'lshift', by)
    }
    case 'and':
    case 'or':
    case 'xor':
      return combined(op, bits, loadRegister(machine, sreg2, len))
    default:
      return unknownBits(len)
  }
}

/** Whether what an element keeps may end the rule. */
const mayEnd = ({ expr, expressions }: ReadElement): boolean =>
  [...(expressions ?? []), ...(expr ? [expr] : [])].some(({ name }) => name === 'limit' || name === 'quota' || name === 'connlimit')

function lookup(machine: Machine, { set: name = '', sreg, dreg, flags }: Of<'lookup'>): Effect {
  const set = machine.rules.set(machine.chain, name)
  if (!set) return anything(machine)
  const { keyLen = 0, dataLen = 16 } = set.raw
  const found = find(set, loadRegister(machine, sreg, keyLen))
  const touched = machine.traffic.touched[name]
  const miss = found.miss || touched === 'less' || found.elements.some(mayEnd)
  const more = touched === 'more' && found.miss
  if (dreg === undefined) {
    const answer = found.elements.length === 0 && !more ? false : miss || more ? undefined : true
    return ofAnswer(not(answer, flags?.includes('inv') ?? false))
  }
  if (found.elements.length === 0 && !more) return 'break'
  if (dreg === 0) return verdicts(machine, found.elements, miss, more)
  const values = found.elements.map(({ data }) => bitsOf(data?.value, dataLen))
  storeRegister(machine, dreg, either(more ? [...values, unknownBits(dataLen)] : values))
  return miss ? 'maybe' : 'next'
}

function verdicts(machine: Machine, elements: readonly ReadElement[], miss: boolean, more: boolean): Effect {
  const fates = new Map<string, Fate>()
  for (const { data } of elements) {
    const fate = decodeVerdict(data?.verdict) ?? 'unknown'
    fates.set(JSON.stringify(fate), fate)
  }
  if (more) fates.set('unknown', 'unknown')
  return { endings: [...fates.values()].map(fate => ({ fate, traffic: machine.traffic })), miss }
}
