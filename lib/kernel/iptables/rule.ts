// Tables, chains and rules of iptables as callers see them, whichever half of the kernel they are in.
import { protocolName } from '../ip-protocols.js'
import { type Answer, every, not } from '../verdict-answer.js'
import { type Judged, link, masked } from './packet.js'
import { network } from './words.js'

/** Where a table is: in the tables of old, or in those that iptables-nft puts into nftables. */
export type IptablesBackend = 'legacy' | 'nft'
/** Something that a rule asks of a packet, or (`not`) asks not to be. */
export interface IptablesCondition {
  readonly value: string
  readonly not: boolean
}
export interface IptablesMatch {
  /** 'tcp', 'conntrack', 'comment' … */
  readonly name: string
  readonly revision: number
  /** Its options as `iptables -S` prints them. */
  readonly options?: string
  /** Of a match that is not understood: its bytes as hexadecimal digits. */
  readonly data?: string
}
export interface IptablesTarget {
  /** 'ACCEPT', 'DROP', 'RETURN', a chain, or 'REJECT', 'LOG', 'DNAT' …; '' goes on with the next rule. */
  readonly name: string
  readonly revision?: number
  /** The name is a chain from which packets do not come back here. */
  readonly goto?: boolean
  readonly options?: string
  /** Of a target that is not understood: its bytes as hexadecimal digits. */
  readonly data?: string
}
export interface IptablesRule {
  /** 1 for the chain's first. */
  readonly number: number
  /** The rule as `iptables -S` prints it, less the chain: '-i br0 -j ACCEPT'. */
  readonly text: string
  /** What `iptables -L` prints behind the addresses: 'tcp dpt:80'. */
  readonly shown: string
  readonly packets: number
  readonly bytes: number
  readonly in?: IptablesCondition
  readonly out?: IptablesCondition
  readonly source?: IptablesCondition
  readonly destination?: IptablesCondition
  readonly protocol?: IptablesCondition
  /** Second and further pieces of IPv4 packets, or none of them. */
  readonly fragment?: IptablesCondition
  readonly matches: readonly IptablesMatch[]
  readonly target: IptablesTarget
  /** In nftables, the rule's handle. */
  readonly handle?: number
  /** In nftables, what in the rule is none of iptables' forms: no tool of iptables prints such a rule rightly. */
  readonly foreign?: readonly string[]
}
export interface IptablesChain {
  readonly name: string
  /** What becomes of packets at the end; of built-in chains only. */
  readonly policy?: 'ACCEPT' | 'DROP'
  /** Met by the policy. */
  readonly packets: number
  readonly bytes: number
  readonly rules: readonly IptablesRule[]
}
export interface IptablesTable {
  readonly backend: IptablesBackend
  readonly family: 4 | 6
  /** 'filter', 'nat', 'mangle', 'raw', 'security' */
  readonly name: string
  readonly chains: readonly IptablesChain[]
}

/** A part of a rule that has been read: what it says, how -L shows it, and whether a packet fits. */
export interface Part {
  readonly said: IptablesMatch
  readonly show: string
  readonly fits: (packet: Judged) => Answer
}
export interface ReadTarget {
  readonly said: IptablesTarget
  readonly show: string
}
/** What the IP header of a rule asks for; '' and a mask of zeros are any. */
export interface Header {
  readonly family: 4 | 6
  readonly in: string
  readonly out: string
  readonly source: Uint8Array
  readonly sourceMask: Uint8Array
  readonly destination: Uint8Array
  readonly destinationMask: Uint8Array
  /** 0 is any. */
  readonly protocol: number
  readonly fragment: boolean
  /** 'viaIn', 'viaOut', 'srcip', 'dstip', 'frag', 'proto' */
  readonly inverted: readonly string[]
}
/** A rule with what its verdict needs. */
export interface ReadRule extends IptablesRule {
  readonly fits: (packet: Judged) => Answer
}
export interface ReadChain extends IptablesChain {
  readonly rules: readonly ReadRule[]
}
export interface ReadTable extends IptablesTable {
  readonly chains: readonly ReadChain[]
}

const bang = (inverted: boolean) => (inverted ? '! ' : '')
const anyMask = (mask: Uint8Array) => mask.every(byte => byte === 0)

interface Made {
  readonly number: number
  readonly header: Header
  readonly parts: readonly Part[]
  readonly target: ReadTarget
  readonly packets: number
  readonly bytes: number
  readonly handle?: number
  readonly foreign?: readonly string[]
}
/** Puts a rule together from what was read of it. */
export function makeRule({ number, header, parts, target, packets, bytes, handle, foreign }: Made): ReadRule {
  const conditions = conditionsOf(header)
  const unsure = foreign !== undefined && foreign.length > 0
  return {
    number,
    text: textOf(conditions, parts, target.said),
    shown: [...parts.map(({ show }) => show), target.show].filter(Boolean).join(' '),
    packets,
    bytes,
    ...conditions,
    matches: parts.map(({ said }) => said),
    target: target.said,
    ...(handle === undefined ? {} : { handle }),
    ...(unsure ? { foreign } : {}),
    fits: packet => every([...headerAnswers(header, packet), ...parts.map(part => part.fits(packet)), unsure ? undefined : true]),
  }
}

/** The plain data of what was read. */
export const plainTable = ({ chains, ...table }: ReadTable): IptablesTable => ({
  ...table,
  chains: chains.map(({ rules, ...chain }) => ({ ...chain, rules: rules.map(({ fits: _, ...rule }) => rule) })),
})

type Conditions = Pick<IptablesRule, 'in' | 'out' | 'source' | 'destination' | 'protocol' | 'fragment'>
function conditionsOf(header: Header): Conditions {
  const { inverted, sourceMask, destinationMask, protocol, fragment } = header
  const condition = (value: string, flag: string): IptablesCondition => ({ value, not: inverted.includes(flag) })
  return {
    ...(header.in ? { in: condition(header.in, 'viaIn') } : {}),
    ...(header.out ? { out: condition(header.out, 'viaOut') } : {}),
    ...(anyMask(sourceMask) && !inverted.includes('srcip') ? {} : { source: condition(network(header.source, sourceMask), 'srcip') }),
    ...(anyMask(destinationMask) && !inverted.includes('dstip')
      ? {}
      : { destination: condition(network(header.destination, destinationMask), 'dstip') }),
    ...(protocol ? { protocol: condition(protocolName(protocol), 'proto') } : {}),
    ...(fragment ? { fragment: condition('fragments', 'frag') } : {}),
  }
}

function textOf(
  { in: iif, out, source, destination, protocol, fragment }: Conditions,
  parts: readonly Part[],
  target: IptablesTarget,
): string {
  const option = (name: string, condition: IptablesCondition | undefined, value = condition?.value) =>
    condition ? [`${bang(condition.not)}${name}${value ? ` ${value}` : ''}`] : []
  const words = (value: { options?: string; data?: string }) =>
    value.options ? ` ${value.options}` : value.data === undefined ? '' : ` [${value.data.length / 2} bytes]`
  const tool = protocol?.value === 'icmpv6' ? 'ipv6-icmp' : protocol?.value
  return [
    ...option('-s', source),
    ...option('-d', destination),
    ...option('-i', iif),
    ...option('-o', out),
    ...option('-p', protocol, tool),
    ...option('-f', fragment, ''),
    ...parts.map(({ said }) => `-m ${said.name}${words(said)}`),
    ...(target.name ? [`${target.goto ? '-g' : '-j'} ${target.name}${words(target)}`] : []),
  ].join(' ')
}

function headerAnswers(header: Header, packet: Judged): Answer[] {
  const { inverted } = header
  if (header.family !== packet.family) return [false]
  const asked = (flag: string, answer: Answer) => not(answer, inverted.includes(flag))
  return [
    asked('viaIn', link(packet.iif, header.in)),
    asked('viaOut', link(packet.oif, header.out)),
    asked('srcip', masked(packet.source, header.source, header.sourceMask)),
    asked('dstip', masked(packet.target, header.destination, header.destinationMask)),
    header.protocol === 0 ? true : packet.protocol === undefined ? undefined : asked('proto', packet.protocol === header.protocol),
    // Packets in question are whole ones.
    header.fragment ? inverted.includes('frag') : true,
  ]
}

export const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
