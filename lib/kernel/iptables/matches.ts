// The matches of iptables that are understood: what they have in them, how -S and -L print them, and whether a packet fits.
import type { Decoded } from '../../codec/codec.js'
import { viewOf } from '../../codec/walk.js'
import * as xt from '../../protocol/xtables.js'
import { type Answer, every, not } from '../verdict-answer.js'
import { conntrackMatch } from './match-conntrack.js'
import { between, type Judged, link } from './packet.js'
import { hexadecimal, linkPattern, named, portRange, quoted, tcpFlags } from './words.js'

/** How a match or target is understood. */
export interface Extension<T> {
  /** The layout; what is shorter is not understood. */
  readonly codec: { readonly size: number; read(view: DataView, at: number, end: number): unknown }
  /** Options as `iptables -S` prints them. */
  readonly save: (value: T, family: 4 | 6) => string
  /** The same as `iptables -nL` prints it. */
  readonly show: (value: T, family: 4 | 6) => string
  readonly fits?: (value: T, packet: Judged) => Answer
  readonly changes?: (value: T, family: 4 | 6) => Changes
  /** The name under which the tools print it, where that is another. */
  readonly alias?: (value: T) => string | undefined
}
/** What is understood of a match or target whose options are not known. */
export interface Understood {
  readonly alias?: string | undefined
  readonly save: string
  readonly show: string
  readonly fits: (packet: Judged) => Answer
  readonly changes?: Changes
}
/** What a target does to a packet: addresses and ports that it may get, or its mark ((mark & ~mask) ^ value). */
export interface Changes {
  readonly flags?: readonly string[]
  readonly addresses?: readonly [low: string, high: string]
  readonly ports?: readonly [low: number, high: number]
  readonly mark?: { readonly value: number; readonly mask: number }
}

const extension = <T>(one: Extension<T>): Extension<never> => one as Extension<never>
const bang = (inverted: boolean) => (inverted ? '! ' : '')

const ports = (spts: readonly number[], dpts: readonly number[], inverted: readonly string[]) => {
  const [sl = 0, sh = 0xffff] = spts
  const [dl = 0, dh = 0xffff] = dpts
  const any = (low: number, high: number) => low === 0 && high === 0xffff
  const save = (name: string, low: number, high: number, flag: string) =>
    any(low, high) && !inverted.includes(flag) ? [] : [`${bang(inverted.includes(flag))}--${name} ${portRange(low, high)}`]
  const show = (name: string, low: number, high: number, flag: string) =>
    any(low, high) && !inverted.includes(flag)
      ? []
      : [`${name}${low === high ? '' : 's'}:${inverted.includes(flag) ? '!' : ''}${portRange(low, high)}`]
  return {
    save: [...save('sport', sl, sh, 'srcpt'), ...save('dport', dl, dh, 'dstpt')],
    show: [...show('spt', sl, sh, 'srcpt'), ...show('dpt', dl, dh, 'dstpt')],
    fits: (packet: Judged) => [
      not(between(packet.sourcePort, sl, sh), inverted.includes('srcpt')),
      not(between(packet.destinationPort, dl, dh), inverted.includes('dstpt')),
    ],
  }
}

const tcp = extension<Decoded<typeof xt.xtTcp>>({
  codec: xt.xtTcp,
  save: ({ spts, dpts, invflags, option, flgMask, flgCmp }) =>
    [
      ...ports(spts, dpts, invflags).save,
      ...(option ? [`${bang(invflags.includes('option'))}--tcp-option ${option}`] : []),
      ...(flgMask || invflags.includes('flags')
        ? [`${bang(invflags.includes('flags'))}--tcp-flags ${tcpFlags(flgMask)} ${tcpFlags(flgCmp)}`]
        : []),
    ].join(' '),
  show: ({ spts, dpts, invflags, option, flgMask, flgCmp }) => {
    const byte = (value: number) => `0x${value.toString(16).toUpperCase().padStart(2, '0')}`
    return [
      'tcp',
      ...ports(spts, dpts, invflags).show,
      ...(option ? [`option=${invflags.includes('option') ? '!' : ''}${option}`] : []),
      ...(flgMask || invflags.includes('flags') ? [`flags:${invflags.includes('flags') ? '!' : ''}${byte(flgMask)}/${byte(flgCmp)}`] : []),
    ].join(' ')
  },
  fits: ({ spts, dpts, invflags, option, flgMask }, packet) =>
    every([...ports(spts, dpts, invflags).fits(packet), option || flgMask ? undefined : true]),
})
const udp = extension<Decoded<typeof xt.xtUdp>>({
  codec: xt.xtUdp,
  save: ({ spts, dpts, invflags }) => ports(spts, dpts, invflags).save.join(' '),
  show: ({ spts, dpts, invflags }) => ['udp', ...ports(spts, dpts, invflags).show].join(' '),
  fits: ({ spts, dpts, invflags }, packet) => every(ports(spts, dpts, invflags).fits(packet)),
})

const icmp = (option: string, shown: string) => {
  const code = (low: number, high: number) => (low === 0 && high === 255 ? '' : low === high ? String(low) : `${low}-${high}`)
  return extension<Decoded<typeof xt.iptIcmp>>({
    codec: xt.iptIcmp,
    save: ({ type, codeLow, codeHigh, invflags }) => {
      if (type === 255) return `--${option} any`
      const codes = code(codeLow, codeHigh)
      return `${bang(invflags !== 0)}--${option} ${type}${codes && `/${codes}`}`
    },
    show: ({ type, codeLow, codeHigh, invflags }) => {
      if (type === 255) return `${shown}type 255`
      const codes = code(codeLow, codeHigh)
      const sign = invflags ? '!' : ''
      return `${shown}${sign ? ' !type' : 'type'} ${type}${codes && ` code ${sign}${codes}`}`
    },
    fits: ({ type, codeLow, codeHigh, invflags }, packet) =>
      type === 255
        ? true
        : not(
            every([
              packet.icmpType === undefined ? undefined : packet.icmpType === type,
              codeLow === 0 && codeHigh === 255 ? true : between(packet.icmpCode, codeLow, codeHigh),
            ]),
            invflags !== 0,
          ),
  })
}

/** XT_STATE_BIT: invalid, established, related, new; untracked is bit 6. */
const states = ['INVALID', 'ESTABLISHED', 'RELATED', 'NEW', '', '', 'UNTRACKED'] as const
/** In the order in which the tool prints them. */
const stateOrder = [0, 3, 2, 1, 6]
const stateNames = (mask: number) =>
  stateOrder
    .filter(bit => (mask >> bit) & 1)
    .map(bit => states[bit])
    .join(',')
const state = extension<Decoded<typeof xt.xtState>>({
  codec: xt.xtState,
  save: ({ statemask }) => `--state ${stateNames(statemask)}`,
  show: ({ statemask }) => `state ${stateNames(statemask)}`,
  fits: ({ statemask }, packet) =>
    packet.state === undefined ? undefined : ((statemask >> states.indexOf(packet.state.toUpperCase() as 'NEW')) & 1) === 1,
})

const comment = extension<Decoded<typeof xt.xtComment>>({
  codec: xt.xtComment,
  save: ({ comment: text }) => `--comment ${quoted(text)}`,
  show: ({ comment: text }) => `/* ${text} */`,
  fits: () => true,
})

const routeTypes = [
  'UNSPEC',
  'UNICAST',
  'LOCAL',
  'BROADCAST',
  'ANYCAST',
  'MULTICAST',
  'BLACKHOLE',
  'UNREACHABLE',
  'PROHIBIT',
  'THROW',
  'NAT',
  'XRESOLVE',
]
interface AddressTypes {
  readonly source: number
  readonly dest: number
  readonly flags: readonly string[]
}
const addressTypes = {
  save: ({ source, dest, flags }: AddressTypes) =>
    [
      ...(source ? [`${bang(flags.includes('invertSource'))}--src-type ${named(source, routeTypes)}`] : []),
      ...(dest ? [`${bang(flags.includes('invertDest'))}--dst-type ${named(dest, routeTypes)}`] : []),
      ...(flags.includes('limitIfaceIn') ? ['--limit-iface-in'] : []),
      ...(flags.includes('limitIfaceOut') ? ['--limit-iface-out'] : []),
    ].join(' '),
  show: ({ source, dest, flags }: AddressTypes) =>
    [
      'ADDRTYPE match',
      ...(source ? [`src-type ${flags.includes('invertSource') ? '!' : ''}${named(source, routeTypes)}`] : []),
      ...(dest ? [`dst-type ${flags.includes('invertDest') ? '!' : ''}${named(dest, routeTypes)}`] : []),
      ...(flags.includes('limitIfaceIn') ? ['limit-in'] : []),
      ...(flags.includes('limitIfaceOut') ? ['limit-out'] : []),
    ].join(' '),
}
function fitsType({ source, dest, flags }: AddressTypes, { kindsOf }: Judged): Answer {
  const link = flags.includes('limitIfaceIn') ? 'iif' : flags.includes('limitIfaceOut') ? 'oif' : undefined
  const asked = (side: 'source' | 'target', mask: number): Answer => {
    if (mask === 0) return true
    const answers = new Set(kindsOf?.(side, link)?.map(kind => ((mask >> kind) & 1) === 1))
    const answer = answers.size === 1 ? answers.has(true) : undefined
    return not(answer, flags.includes(side === 'source' ? 'invertSource' : 'invertDest'))
  }
  return every([asked('source', source), asked('target', dest)])
}
const addrtype1 = extension<AddressTypes>({ codec: xt.xtAddrtype1, ...addressTypes, fits: fitsType })
const older = ({ source, dest, invertSource, invertDest }: Decoded<typeof xt.xtAddrtype0>): AddressTypes => ({
  source,
  dest,
  flags: [...(invertSource ? ['invertSource'] : []), ...(invertDest ? ['invertDest'] : [])],
})
const addrtype0 = extension<Decoded<typeof xt.xtAddrtype0>>({
  codec: xt.xtAddrtype0,
  save: value => addressTypes.save(older(value)),
  show: value => addressTypes.show(older(value)),
  fits: (value, packet) => fitsType(older(value), packet),
})

const physdevOptions = ({ physindev, inMask, physoutdev, outMask, invert, bitmask }: Decoded<typeof xt.xtPhysdev>) =>
  [
    ...(bitmask.includes('isin') ? [`${bang(invert.includes('isin'))}--physdev-is-in`] : []),
    ...(bitmask.includes('in') ? [`${bang(invert.includes('in'))}--physdev-in ${linkPattern(physindev, inMask)}`] : []),
    ...(bitmask.includes('isout') ? [`${bang(invert.includes('isout'))}--physdev-is-out`] : []),
    ...(bitmask.includes('out') ? [`${bang(invert.includes('out'))}--physdev-out ${linkPattern(physoutdev, outMask)}`] : []),
    ...(bitmask.includes('bridged') ? [`${bang(invert.includes('bridged'))}--physdev-is-bridged`] : []),
  ].join(' ')
const physdev = extension<Decoded<typeof xt.xtPhysdev>>({
  codec: xt.xtPhysdev,
  save: physdevOptions,
  show: value => `PHYSDEV match ${physdevOptions(value)}`,
  fits: ({ physindev, inMask, physoutdev, outMask, invert, bitmask }, packet) => {
    // A packet that is routed has no ports to compare; the kernel then says no, and yes to what is inverted.
    const asked = (op: (typeof bitmask)[number], answer: Answer) => (bitmask.includes(op) ? not(answer, invert.includes(op)) : true)
    const known = (name: string | undefined, pattern: string) => (packet.bridged ? link(name, pattern) : false)
    return every([
      asked('bridged', packet.bridged),
      asked('isin', packet.bridged),
      asked('isout', packet.bridged),
      asked('in', known(packet.physicalIn, linkPattern(physindev, inMask))),
      asked('out', known(packet.physicalOut, linkPattern(physoutdev, outMask))),
    ])
  },
})

const markText = (mark: number, mask: number) => `${hexadecimal(mark)}${mask === 0xffff_ffff ? '' : `/${hexadecimal(mask)}`}`
const mark = extension<Decoded<typeof xt.xtMark1>>({
  codec: xt.xtMark1,
  save: ({ mark: value, mask, invert }) => `${bang(invert !== 0)}--mark ${markText(value, mask)}`,
  show: ({ mark: value, mask, invert }) => `mark match ${bang(invert !== 0)}${markText(value, mask)}`,
  fits: ({ mark: value, mask, invert }, packet) =>
    packet.mark === undefined ? undefined : not((packet.mark & mask) >>> 0 === value, invert !== 0),
})

interface Ports {
  readonly flags: number
  readonly count: number
  readonly ports: readonly number[]
  readonly pflags?: Uint8Array
  readonly invert?: number
}
const sides = ['sports', 'dports', 'ports'] as const
function portList({ count, ports: values, pflags }: Ports): [number, number][] {
  const list: [number, number][] = []
  for (let i = 0; i < Math.min(count, values.length); i++) {
    const low = values[i]!
    if (pflags?.[i]) i++
    list.push([low, values[i] ?? low])
  }
  return list
}
const portWords = (value: Ports) =>
  portList(value)
    .map(([low, high]) => portRange(low, high))
    .join(',')
const multiport = (codec: Extension<Ports>['codec']) =>
  extension<Ports>({
    codec,
    save: value => `${bang(Boolean(value.invert))}--${sides[value.flags] ?? 'ports'} ${portWords(value)}`,
    show: value => `multiport ${sides[value.flags] ?? 'ports'} ${value.invert ? ' !' : ''}${portWords(value)}`,
    fits: (value, { sourcePort, destinationPort }) => {
      const among = (port: number | undefined) =>
        port === undefined ? undefined : portList(value).some(([low, high]) => port >= low && port <= high)
      const [source, destination] = [among(sourcePort), among(destinationPort)]
      const either = source || destination || (source === undefined || destination === undefined ? undefined : false)
      return not([source, destination, either][value.flags], Boolean(value.invert))
    },
  })

/** Units by their length in 1/10000 s. */
const rates = [
  ['day', 864_000_000],
  ['hour', 36_000_000],
  ['min', 600_000],
  ['sec', 10_000],
] as const
function rate(period: number): string {
  let index = 1
  // The largest unit of which a whole number, or more than one, fits: as the tool looks for it.
  for (; index < rates.length; index++) if (period > rates[index]![1] || rates[index]![1] / period < rates[index]![1] % period) break
  const [unit, length] = rates[index - 1]!
  return `${Math.floor(length / period)}/${unit}`
}
const usualBurst = 5
const limit = extension<Decoded<typeof xt.xtLimit>>({
  codec: xt.xtLimit,
  save: ({ avg, burst }) => `--limit ${rate(avg)}${burst === usualBurst ? '' : ` --limit-burst ${burst}`}`,
  show: ({ avg, burst }) => `limit: avg ${rate(avg)} burst ${burst}`,
})

/** By name and revision. */
const matches: Readonly<Record<string, Extension<never>>> = {
  'tcp/0': tcp,
  'udp/0': udp,
  'icmp/0': icmp('icmp-type', 'icmp'),
  'icmp6/0': icmp('icmpv6-type', 'ipv6-icmp'),
  'conntrack/1': conntrackMatch(xt.xtConntrack1),
  'conntrack/2': conntrackMatch(xt.xtConntrack2),
  'conntrack/3': conntrackMatch(xt.xtConntrack3),
  'state/0': state,
  'comment/0': comment,
  'addrtype/0': addrtype0,
  'addrtype/1': addrtype1,
  'physdev/0': physdev,
  'mark/1': mark,
  'multiport/0': multiport(xt.xtMultiport0 as Extension<Ports>['codec']),
  'multiport/1': multiport(xt.xtMultiport1 as Extension<Ports>['codec']),
  'limit/0': limit,
}

/** Reads an extension's data by a table of those that are known; undefined if it is none of them. */
export function understand(
  table: Readonly<Record<string, Extension<never>>>,
  name: string,
  revision: number,
  data: Uint8Array,
  family: 4 | 6,
): Understood | undefined {
  const known = table[`${name}/${revision}`]
  if (!known || data.length < known.codec.size) return undefined
  const value = known.codec.read(viewOf(data), 0, data.length) as never
  return {
    alias: known.alias?.(value),
    save: known.save(value, family),
    show: known.show(value, family),
    fits: packet => (known.fits ? known.fits(value, packet) : undefined),
    ...(known.changes ? { changes: known.changes(value, family) } : {}),
  }
}
export const understandMatch = (name: string, revision: number, data: Uint8Array, family: 4 | 6) =>
  understand(matches, name, revision, data, family)
