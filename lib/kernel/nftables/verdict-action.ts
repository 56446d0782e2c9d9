// What rules do besides matching: they write marks and headers, fill sets, ask objects, refuse.
import type { ReadExpression } from './delinearize-context.js'
import { type Bits, part, replaced } from './verdict-bits.js'
import { find } from './verdict-lookup.js'
import { type Effect, ending, loadRegister, type Machine } from './verdict-machine.js'

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>

export const reject = (machine: Machine): Effect => ending(machine, { drop: null }, { rejects: true })

const wide = (bits: Bits): Bits => ({ value: part(bits, 0, 4).value, known: Uint8Array.of(bits.known[0] ?? 0, 0xff, 0xff, 0xff) })
export function writeMeta(machine: Machine, { key, sreg }: Of<'meta'>): Effect {
  const { traffic } = machine
  if (key === 'mark' || key === 'priority') machine.traffic = { ...traffic, [key]: loadRegister(machine, sreg, 4) }
  if (key === 'pkttype') machine.traffic = { ...traffic, type: wide(loadRegister(machine, sreg, 1)) }
  if (key === 'nftrace') machine.traffic = { ...traffic, traced: wide(loadRegister(machine, sreg, 1)) }
  return 'next'
}

export function writeCt(machine: Machine, { key, sreg }: Of<'ct'>): Effect {
  if (key === 'mark' && machine.tracked) machine.traffic = { ...machine.traffic, connectionMark: loadRegister(machine, sreg, 4) }
  return 'next'
}

const headers = { llHeader: 'link', networkHeader: 'network', transportHeader: 'transport' } as const
export function writePayload(machine: Machine, { base, offset = 0, len = 0, sreg }: Of<'payload'>): Effect {
  const header = headers[base as keyof typeof headers]
  if (!header) return 'next'
  machine.traffic = { ...machine.traffic, [header]: replaced(machine.traffic[header], offset, loadRegister(machine, sreg, len)) }
  return 'next'
}

/** Bytes that a packet has at least and at most, where its length is not known. */
const [shortest, longest] = [20, 0x1_0010]
type Quota = Pick<Of<'quota'>, 'bytes' | 'flags' | 'consumed'>
export function quotaEffect({ about }: Pick<Machine, 'about'>, { bytes = 0, flags, consumed = 0 }: Quota): Effect {
  const over = flags?.includes('inv') ?? false
  const { length } = about.packet
  const isOver = (size: number) => Number(consumed) + size >= Number(bytes)
  const [low, high] = [isOver(length ?? shortest), isOver(length ?? longest)]
  if (low !== high) return 'maybe'
  return low === over ? 'next' : 'break'
}

/** Objects that count, or tell conntrack something, let every packet go on. */
export function objectEffect(machine: Machine, { immType, immName, setName, setSreg }: Of<'objref'>): Effect {
  const { rules, chain } = machine
  if (immName !== undefined) return namedEffect(machine, immType, immName)
  const set = setName === undefined ? undefined : rules.set(chain, setName)
  if (!set) return 'maybe'
  const { elements, miss } = find(set, loadRegister(machine, setSreg, set.raw.keyLen ?? 0))
  if (elements.length === 0) return 'break'
  const effects = new Set(elements.map(({ objref }) => namedEffect(machine, set.raw.objType, objref ?? '')))
  if (miss || effects.size > 1) return 'maybe'
  return [...effects][0]!
}
const deciding = { quota: 2, limit: 4, connlimit: 5, synproxy: 10 } as const
function namedEffect(machine: Machine, type: number | string | undefined, name: string): Effect {
  const kind = Object.entries(deciding).find(([word, number]) => type === number || type === word)?.[0]
  if (kind === undefined) return 'next'
  if (kind === 'synproxy') return ending(machine, 'unknown')
  const object = kind === 'quota' ? machine.rules.object(machine.chain, kind, name) : undefined
  return object?.type === 'quota' && object.data && !(object.data instanceof Uint8Array) ? quotaEffect(machine, object.data) : 'maybe'
}

/** A set that rules fill; what is looked up there later on the way finds it. */
export function changeSet(machine: Machine, { setName = '', op, flags, expr, expressions }: Of<'dynset'>): Effect {
  const how = op === 'delete' ? 'less' : 'more'
  machine.traffic = { ...machine.traffic, touched: { ...machine.traffic.touched, [setName]: how } }
  const kept = [...(expressions ?? []), ...(expr ? [expr] : [])]
  const certain = !flags?.includes('inv') && kept.every(({ name }) => name === 'counter' || name === 'last')
  return certain ? 'next' : 'maybe'
}
