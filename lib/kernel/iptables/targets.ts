// The targets of iptables that are understood: how -S and -L print them, and what they do to a packet.
import type { Decoded } from '../../codec/codec.js'
import { formatIp } from '../../codec/ip.js'
import * as xt from '../../protocol/xtables.js'
import { type Changes, type Extension, type Understood, understand } from './matches.js'
import { hexadecimal, quoted } from './words.js'

const extension = <T>(one: Extension<T>): Extension<never> => one as Extension<never>

const rejections4 = [
  'icmp-net-unreachable',
  'icmp-host-unreachable',
  'icmp-proto-unreachable',
  'icmp-port-unreachable',
  'echo-reply',
  'icmp-net-prohibited',
  'icmp-host-prohibited',
  'tcp-reset',
  'icmp-admin-prohibited',
]
const rejections6 = [
  'icmp6-no-route',
  'icmp6-adm-prohibited',
  'icmp6-not-neighbour',
  'icmp6-addr-unreachable',
  'icmp6-port-unreachable',
  'echo-reply',
  'tcp-reset',
  'icmp6-policy-fail',
  'icmp6-reject-route',
]
const rejection = (kind: number, family: 4 | 6) => (family === 4 ? rejections4 : rejections6)[kind] ?? String(kind)
const reject = extension<Decoded<typeof xt.iptReject>>({
  codec: xt.iptReject,
  save: ({ with: kind }, family) => `--reject-with ${rejection(kind, family)}`,
  show: ({ with: kind }, family) => `reject-with ${rejection(kind, family)}`,
})

const logOptions = [
  ['tcpseq', '--log-tcp-sequence'],
  ['tcpopt', '--log-tcp-options'],
  ['ipopt', '--log-ip-options'],
  ['uid', '--log-uid'],
  ['macdecode', '--log-macdecode'],
] as const
const usualLevel = 4
const log = extension<Decoded<typeof xt.xtLog>>({
  codec: xt.xtLog,
  save: ({ level, logflags, prefix }) =>
    [
      ...(prefix ? [`--log-prefix ${quoted(prefix)}`] : []),
      ...(level === usualLevel ? [] : [`--log-level ${level}`]),
      ...logOptions.filter(([flag]) => logflags.includes(flag)).map(([, option]) => option),
    ].join(' '),
  show: ({ level, logflags, prefix }) => {
    const word = logflags.reduce((sum, flag) => sum + 2 ** (xt.logFlags[flag as keyof typeof xt.logFlags] ?? 0), 0)
    return `LOG flags ${word} level ${level}${prefix ? ` prefix "${prefix}"` : ''}`
  },
})

interface Range {
  readonly flags: readonly string[]
  readonly low: string
  readonly high: string
  readonly first: number
  readonly last: number
  readonly base?: number
}
const ofMultiRange = ({ flags, minIp, maxIp, min, max }: Decoded<typeof xt.natMultiRange>): Range => ({
  flags,
  low: minIp,
  high: maxIp,
  first: min,
  last: max,
})
interface AddressRange {
  readonly flags: readonly string[]
  readonly minAddr: Uint8Array
  readonly maxAddr: Uint8Array
  readonly minProto: number
  readonly maxProto: number
  readonly baseProto?: number
}
function ofRange({ flags, minAddr, maxAddr, minProto, maxProto, baseProto }: AddressRange, family: 4 | 6): Range {
  const text = (bytes: Uint8Array) => formatIp(bytes.subarray(0, family === 4 ? 4 : 16))
  const offset = flags.includes('protoOffset') && baseProto !== undefined ? { base: baseProto } : {}
  return { flags, low: text(minAddr), high: text(maxAddr), first: minProto, last: maxProto, ...offset }
}

const portWords = ({ first, last, base }: Range) => `${first === last ? first : `${first}-${last}`}${base === undefined ? '' : `/${base}`}`
function destination(range: Range, family: 4 | 6): string {
  const { flags, low, high } = range
  const ports = flags.includes('protoSpecified')
  const between = flags.includes('mapIps') ? (low === high ? low : `${low}-${high}`) : ''
  const address = between && family === 6 && ports ? `[${between.replace('-', ']-[')}]` : between
  return `${address}${ports ? `:${portWords(range)}` : ''}`
}
const random = (flags: readonly string[], dashes: string) => [
  ...(flags.includes('protoRandom') ? [`${dashes}random`] : []),
  ...(flags.includes('protoRandomFully') ? [`${dashes}random-fully`] : []),
  ...(flags.includes('persistent') ? [`${dashes}persistent`] : []),
]
type Read<T> = (value: T, family: 4 | 6) => Range
const changesOf = ({ flags, low, high, first, last }: Range): Changes => ({
  flags,
  ...(flags.includes('mapIps') ? { addresses: [low, high] as const } : {}),
  ...(flags.includes('protoSpecified') ? { ports: [first, last] as const } : {}),
})

/** DNAT and SNAT. */
const translation = <T>(codec: Extension<T>['codec'], option: string, read: Read<T>) =>
  extension<T>({
    codec,
    save: (value, family) => {
      const range = read(value, family)
      return [`--${option} ${destination(range, family)}`, ...random(range.flags, '--')].join(' ')
    },
    show: (value, family) => {
      const range = read(value, family)
      return [`to:${destination(range, family)}`, ...random(range.flags, '')].join(' ')
    },
    changes: (value, family) => changesOf(read(value, family)),
  })
/** MASQUERADE and REDIRECT: ports alone. */
const ported = <T>(codec: Extension<T>['codec'], shown: string, read: Read<T>) =>
  extension<T>({
    codec,
    save: (value, family) => {
      const range = read(value, family)
      return [...(range.flags.includes('protoSpecified') ? [`--to-ports ${portWords(range)}`] : []), ...random(range.flags, '--')].join(' ')
    },
    show: (value, family) => {
      const range = read(value, family)
      return [...(range.flags.includes('protoSpecified') ? [`${shown} ${portWords(range)}`] : []), ...random(range.flags, '')].join(' ')
    },
    changes: (value, family) => changesOf(read(value, family)),
  })

const setMark = extension<Decoded<typeof xt.xtSetMark>>({
  codec: xt.xtSetMark,
  save: ({ mark, mask }) => `--set-xmark ${hexadecimal(mark)}/${hexadecimal(mask)}`,
  show: ({ mark, mask }) => {
    if (mark === 0) return `MARK and ${hexadecimal(~mask >>> 0)}`
    if (mark === mask) return `MARK or ${hexadecimal(mark)}`
    if (mask === 0) return `MARK xor ${hexadecimal(mark)}`
    return mask === 0xffff_ffff ? `MARK set ${hexadecimal(mark)}` : `MARK xset ${hexadecimal(mark)}/${hexadecimal(mask)}`
  },
  changes: ({ mark: value, mask }) => ({ mark: { value, mask } }),
})
const clampToPath = 0xffff
const tcpmss = extension<Decoded<typeof xt.xtTcpmss>>({
  codec: xt.xtTcpmss,
  save: ({ mss }) => (mss === clampToPath ? '--clamp-mss-to-pmtu' : `--set-mss ${mss}`),
  show: ({ mss }) => `TCPMSS ${mss === clampToPath ? 'clamp to PMTU' : `set ${mss}`}`,
})
const checksum = extension<Decoded<typeof xt.xtChecksum>>({
  codec: xt.xtChecksum,
  save: ({ operation }) => (operation & 1 ? '--checksum-fill' : ''),
  show: ({ operation }) => `CHECKSUM${operation & 1 ? ' fill' : ''}`,
})

type Multi = Decoded<typeof xt.natMultiRange>
type One = AddressRange
/** By name and revision; what NAT carries in revision 0 depends on the family. */
const common: Readonly<Record<string, Extension<never>>> = {
  'REJECT/0': reject,
  'LOG/0': log,
  'MARK/2': setMark,
  'TCPMSS/0': tcpmss,
  'CHECKSUM/0': checksum,
  'DNAT/1': translation<One>(xt.natRange, 'to-destination', ofRange),
  'DNAT/2': translation<One>(xt.natRange2, 'to-destination', ofRange),
  'SNAT/1': translation<One>(xt.natRange, 'to-source', ofRange),
}
const targets = {
  4: {
    ...common,
    'DNAT/0': translation<Multi>(xt.natMultiRange, 'to-destination', ofMultiRange),
    'SNAT/0': translation<Multi>(xt.natMultiRange, 'to-source', ofMultiRange),
    'MASQUERADE/0': ported<Multi>(xt.natMultiRange, 'masq ports:', ofMultiRange),
    'REDIRECT/0': ported<Multi>(xt.natMultiRange, 'redir ports', ofMultiRange),
  },
  6: {
    ...common,
    'MASQUERADE/0': ported<One>(xt.natRange, 'masq ports:', ofRange),
    'REDIRECT/0': ported<One>(xt.natRange, 'redir ports', ofRange),
  },
} as const

export const understandTarget = (name: string, revision: number, data: Uint8Array, family: 4 | 6): Understood | undefined =>
  understand(targets[family], name, revision, data, family)

/** What becomes of a packet that reaches a target which is no verdict: it goes on after these … */
export const passing: readonly string[] = [
  'LOG',
  'NFLOG',
  'MARK',
  'CONNMARK',
  'TCPMSS',
  'CHECKSUM',
  'TRACE',
  'CT',
  'DSCP',
  'TOS',
  'TTL',
  'HL',
  'CLASSIFY',
  'NOTRACK',
  'SET',
]
/** … is refused by these, and let through by these, once its addresses are others. */
export const refusing: readonly string[] = ['REJECT', 'TARPIT']
export const translating: readonly string[] = ['DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT', 'NETMAP']
