// The match on what conntrack knows, whose three revisions differ in the width of their words only.
import { formatIp } from '../../codec/ip.js'
import { type Answer, every, not } from '../verdict-answer.js'
import type { Extension } from './matches.js'
import type { Judged } from './packet.js'
import { named, network, portRange } from './words.js'

interface Conntrack {
  readonly matchFlags: readonly string[]
  readonly invertFlags: readonly string[]
  readonly stateMask: number
  readonly statusMask: number
  readonly l4proto: number
  readonly expiresMin: number
  readonly expiresMax: number
  readonly [field: string]: unknown
}
/** XT_CONNTRACK_STATE_BIT: what `state` has, and two of address translation. */
const states = ['INVALID', 'ESTABLISHED', 'RELATED', 'NEW', '', '', 'SNAT', 'DNAT', 'UNTRACKED'] as const
/** In the order in which the tool prints them: bit numbers here, those of the header being 1 << (7 + …) for the last three. */
const order: readonly [bit: number, name: string][] = [
  [0, 'INVALID'],
  [3, 'NEW'],
  [2, 'RELATED'],
  [1, 'ESTABLISHED'],
  [8, 'UNTRACKED'],
  [6, 'SNAT'],
  [7, 'DNAT'],
]
const statuses = ['EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED']
const addresses = ['origsrc', 'origdst', 'replsrc', 'repldst'] as const

export const conntrackStates = (mask: number) =>
  order
    .filter(([bit]) => (mask >> bit) & 1)
    .map(([, name]) => name)
    .join(',')

function options(value: Conntrack, family: 4 | 6, dashes: string, bang: string): string {
  const { matchFlags, invertFlags, stateMask, statusMask, l4proto, expiresMin, expiresMax } = value
  const has = (flag: string) => matchFlags.includes(flag)
  const one = (flag: string, name: string, words: string) =>
    has(flag) ? [`${invertFlags.includes(flag) ? bang : ''}${dashes}${name} ${words}`] : []
  const bytes = (name: string) => (value[name] as Uint8Array).subarray(0, family === 4 ? 4 : 16)
  const side = (name: (typeof addresses)[number]) => {
    const text = network(bytes(`${name}Addr`), bytes(`${name}Mask`))
    const whole = text.endsWith(family === 4 ? '/32' : '/128')
    return one(name, `ct${name}`, whole ? formatIp(bytes(`${name}Addr`)) : text)
  }
  const port = (name: (typeof addresses)[number]) => {
    const low = value[`${name}Port`] as number
    return one(`${name}Port`, `ct${name}port`, portRange(low, (value[`${name}PortHigh`] as number | undefined) ?? low))
  }
  return [
    ...one(has('stateAlias') ? 'stateAlias' : 'state', has('stateAlias') ? 'state' : 'ctstate', conntrackStates(stateMask)),
    ...one('proto', 'ctproto', String(l4proto)),
    ...addresses.flatMap(side),
    ...addresses.flatMap(port),
    ...one('status', 'ctstatus', statusMask ? named(statusMask, statuses) : 'NONE'),
    ...one('expires', 'ctexpire', portRange(expiresMin, expiresMax)),
    ...(has('direction') ? [`${dashes}ctdir ${invertFlags.includes('direction') ? 'REPLY' : 'ORIGINAL'}`] : []),
  ].join(' ')
}

function fits(value: Conntrack, packet: Judged): Answer {
  const { matchFlags, invertFlags, stateMask, l4proto } = value
  return every(
    matchFlags.map(flag => {
      if (flag === 'stateAlias') return true
      if (flag === 'state') {
        if (packet.state === undefined) return undefined
        // Whether its addresses were translated is not said.
        const bit = states.indexOf(packet.state.toUpperCase() as 'NEW')
        const translated = stateMask & 0b1100_0000
        const answer = ((stateMask >> bit) & 1) === 1 || (translated ? undefined : false)
        return not(answer, invertFlags.includes(flag))
      }
      if (flag === 'proto') return packet.protocol === undefined ? undefined : not(packet.protocol === l4proto, invertFlags.includes(flag))
      return undefined
    }),
  )
}

export const conntrackMatch = (codec: {
  readonly size: number
  read(view: DataView, at: number, end: number): unknown
}): Extension<never> =>
  ({
    codec,
    save: (value: Conntrack, family: 4 | 6) => options(value, family, '--', '! '),
    show: (value: Conntrack, family: 4 | 6) => options(value, family, '', '! '),
    fits,
    alias: ({ matchFlags }: Conntrack) => (matchFlags.includes('stateAlias') ? 'state' : undefined),
  }) as unknown as Extension<never>
