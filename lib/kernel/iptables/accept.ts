// An ACCEPT rule to put in front of a chain: what it may say, and its entry in a legacy table.
import { networkOf, parseCidr } from '../../codec/ip.js'
import { Writer } from '../../codec/writer.js'
import { extensionHeader, ip6tEntry, ip6tIp6, iptEntry, iptIp } from '../../protocol/iptables.js'
import { xtComment, xtStandard } from '../../protocol/xtables.js'
import { type Checks, checkOptions, conflict, isFamily, isOneOf, isPrefix, isText } from '../arguments.js'
import { isProtocol, protocolNumber } from '../ip-protocols.js'
import { type Blob, type Entry, readEntries, spans, splice } from './blob.js'
import { written } from './legacy.js'
import { verdict } from './legacy-read.js'

/** A rule that lets packets through; what is left out is not looked at. */
export interface AcceptRule {
  /** 'FORWARD' by default. */
  readonly chain?: string
  /** 'filter' by default. */
  readonly table?: 'filter' | 'mangle' | 'raw' | 'security' | 'nat'
  /** 4 by default, unless an address says otherwise. */
  readonly family?: 4 | 6
  /** Link that packets come in by; for bridged ones the bridge. A final + stands for anything. */
  readonly in?: string
  /** Link that they leave by. */
  readonly out?: string
  /** Source address or prefix. */
  readonly from?: string
  readonly to?: string
  /** 'tcp', 'udp', 'icmp' … or the number. */
  readonly protocol?: string | number
  /** Up to 255 bytes, by which it can be told who put it there. */
  readonly comment?: string
}
export interface CheckedAccept {
  readonly chain: string
  readonly table: string
  readonly family: 4 | 6
  readonly in: string
  readonly out: string
  readonly from: Side
  readonly to: Side
  readonly protocol: number
  readonly comment: string | undefined
}
export interface Side {
  readonly bytes: Uint8Array
  readonly prefix: number
}

const isName = isText(15)
const checks: Checks<AcceptRule> = {
  chain: isText(28),
  table: isOneOf(['filter', 'mangle', 'raw', 'security', 'nat']),
  family: isFamily,
  in: isName,
  out: isName,
  from: isPrefix,
  to: isPrefix,
  protocol: isProtocol,
  comment: isText(255),
}

export function checkAccept(rule: AcceptRule): CheckedAccept {
  checkOptions(rule, checks)
  const from = rule.from === undefined ? undefined : parseCidr(rule.from)
  const to = rule.to === undefined ? undefined : parseCidr(rule.to)
  const family = rule.family ?? from?.family ?? to?.family ?? 4
  for (const [path, side] of Object.entries({ from, to }))
    if (side && side.family !== family) throw conflict(path, `${side.address} is not an IPv${family} address, as the rule is`)
  const any = { bytes: new Uint8Array(family === 4 ? 4 : 16), prefix: 0 }
  const side = (given: typeof from) => (given ? { bytes: networkOf(given.bytes, given.prefix), prefix: given.prefix } : any)
  const { chain = 'FORWARD', table = 'filter', in: iif = '', out = '', comment } = rule
  const protocol = rule.protocol === undefined ? 0 : protocolNumber(rule.protocol)
  return { chain, table, family, in: iif, out, from: side(from), to: side(to), protocol, comment }
}

/** For error messages: '-A FORWARD -i br0 -j ACCEPT', with what was given. */
export const describeAccept = ({ chain = 'FORWARD', in: iif, out, from, to }: AcceptRule) =>
  [
    `accept in ${chain}`,
    ...(from ? [`from ${from}`] : []),
    ...(to ? [`to ${to}`] : []),
    ...(iif ? [`in ${iif}`] : []),
    ...(out ? [`out ${out}`] : []),
  ].join(' ')

/** The name's bytes and those that count: with the final zero, unless it ends with a +. */
export function linkBytes(name: string): { name: Uint8Array; mask: Uint8Array; counted: number } {
  const text = Buffer.from(name, 'utf8')
  const counted = name === '' ? 0 : name.endsWith('+') ? text.length - 1 : text.length + 1
  const bytes = new Uint8Array(16)
  bytes.set(text.subarray(0, 15))
  return { name: bytes, mask: new Uint8Array(16).fill(0xff, 0, Math.min(counted, 16)), counted }
}
const maskOf = (length: number, prefix: number) => networkOf(new Uint8Array(length).fill(0xff), prefix)

/** The entry of a legacy table. */
export function acceptEntry(rule: CheckedAccept): Uint8Array {
  const { family, from, to, protocol, comment } = rule
  const [iif, out] = [linkBytes(rule.in), linkBytes(rule.out)]
  const length = from.bytes.length
  const [ip, entry] = family === 4 ? ([iptIp, iptEntry] as const) : ([ip6tIp6, ip6tEntry] as const)
  const matches = comment === undefined ? new Uint8Array() : extension('comment', written(xtComment, { comment }))
  const target = extension('', written(xtStandard, { verdict: verdict('ACCEPT') }))
  const bytes = new Uint8Array(entry.size + matches.length + target.length)
  bytes.set(written(entry, { targetOffset: entry.size + matches.length, nextOffset: bytes.length }))
  const names = { iniface: iif.name, outiface: out.name, inifaceMask: iif.mask, outifaceMask: out.mask }
  bytes.set(written(ip, { ...names, proto: protocol, flags: family === 6 && protocol ? ['proto'] : [] }))
  // Addresses stand first, and are at hand as bytes.
  const addresses = [from.bytes, to.bytes, maskOf(length, from.prefix), maskOf(length, to.prefix)]
  for (const [i, address] of addresses.entries()) bytes.set(address, i * length)
  bytes.set(matches, entry.size)
  bytes.set(target, entry.size + matches.length)
  return bytes
}

function extension(name: string, data: Uint8Array): Uint8Array {
  const size = (extensionHeader.size + data.length + 7) & ~7
  const writer = new Writer(size)
  extensionHeader.writeMembers(writer, { size, name })
  const bytes = new Uint8Array(size)
  bytes.set(writer.copy())
  bytes.set(data, extensionHeader.size)
  return bytes
}

/** The same rule, whatever packets it has met. */
function same(entry: Entry, wanted: Uint8Array, family: 4 | 6): boolean {
  const [head, fixed] = family === 4 ? [iptIp.size, iptEntry.size] : [ip6tIp6.size, ip6tEntry.size]
  const equal = (from: number, to: number) => Buffer.from(entry.bytes.subarray(from, to)).equals(wanted.subarray(from, to))
  return entry.bytes.length === wanted.length && equal(0, head) && equal(fixed, wanted.length)
}

/** Where such a rule is in its chain, or would be put; `chain` is false if there is none of that name. */
export function locateAccept(blob: Blob, rule: CheckedAccept) {
  const entries = readEntries(blob)
  const chain = spans(blob, entries).find(({ name }) => name === rule.chain)
  const wanted = acceptEntry(rule)
  const found = chain?.rules.find(entry => same(entry, wanted, rule.family))
  const head = chain && (chain.rules[0] ?? chain.end)
  return { chain: chain !== undefined, wanted, found, head, index: (entry: Entry) => entries.indexOf(entry) }
}

/** The table with the rule as the chain's first. */
export function inserted(blob: Blob, rule: CheckedAccept) {
  const { head, wanted, index } = locateAccept(blob, rule)
  return head && { blob: splice(blob, head.offset, 0, wanted), at: index(head), added: true }
}
/** The table without the first such rule; undefined if there is none. */
export function removed(blob: Blob, rule: CheckedAccept) {
  const { found, index } = locateAccept(blob, rule)
  return found && { blob: splice(blob, found.offset, found.bytes.length, new Uint8Array()), at: index(found), added: false }
}
