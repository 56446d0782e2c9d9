// What a rule works with while it is gone through: registers, the packet as it is by now, and where that leads.
import { registerBytes, smallRegister } from '../../protocol/nftables/expressions/compare.js'
import type { Verdict } from './expression.js'
import { type Bits, part, replaced, unknownBits } from './verdict-bits.js'
import type { JudgedChain, JudgedRules } from './verdict-rules.js'
import type { About, Traffic } from './verdict-traffic.js'

/** 'unknown': somebody else decides, as a program that queued packets are given to. */
export type Fate = Verdict | 'unknown'
export interface Ending {
  readonly fate: Fate
  readonly traffic: Traffic
  /** The sender is told. */
  readonly rejects?: boolean
}
/** 'maybe': it goes on, or the rule ends here. */
export type Effect = 'next' | 'break' | 'maybe' | { readonly endings: readonly Ending[]; readonly miss: boolean }

export interface Machine {
  readonly about: About
  readonly rules: JudgedRules
  readonly chain: JudgedChain
  /** Whether conntrack has seen the packet. */
  readonly tracked: boolean
  traffic: Traffic
  registers: Bits
}
export const emptyRegisters = (): Bits => unknownBits(registerBytes)

/** The first byte of a register: four of 16 bytes, or the same as sixteen of 4. */
const offsetOf = (register: number) => (register >= smallRegister ? (register - smallRegister) * 4 : (register - 1) * 16)
export const loadRegister = (machine: Machine, register: number | undefined, length: number): Bits =>
  part(machine.registers, offsetOf(register ?? 1), length)
/** What is left of the last four bytes is zero. */
export function storeRegister(machine: Machine, register: number | undefined, bits: Bits): void {
  const length = (bits.value.length + 3) & ~3
  const padded = { value: new Uint8Array(length), known: new Uint8Array(length).fill(0xff) }
  padded.value.set(bits.value)
  padded.known.set(bits.known)
  machine.registers = replaced(machine.registers, offsetOf(register ?? 1), padded)
}

export const ending = (machine: Machine, fate: Fate, more: Partial<Ending> = {}): Effect => ({
  endings: [{ fate, traffic: machine.traffic, ...more }],
  miss: false,
})
