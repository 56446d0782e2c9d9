// What the nat table of legacy iptables makes of a packet's addresses, told from the rules' own words.
import { type IptablesPacket, judged } from '../kernel/iptables/packet.js'
import type { ReadRule, ReadTable } from '../kernel/iptables/rule.js'
import { translating } from '../kernel/iptables/targets.js'
import type { Link } from '../kernel/link-object.js'
import type { Packet } from './walk.js'
import type { Place } from './world.js'

type Found = { readonly rule: ReadRule; readonly sure: boolean } | 'decided' | undefined
const deepest = 64

/** The packet with the addresses that it gets; 'unknown' if that cannot be told; undefined if they stay. */
export async function translatedByLegacy(
  place: Place,
  table: ReadTable,
  asked: IptablesPacket,
  packet: Packet,
  oif: Link | undefined,
): Promise<Partial<Packet> | 'unknown' | undefined> {
  if (packet.state !== 'new') return undefined
  const found = find(table, asked.hook?.toUpperCase() ?? '', asked, 0)
  if (!found || found === 'decided') return undefined
  const { rule, sure } = found
  if (!sure) return 'unknown'
  if (rule.target.name === 'MASQUERADE') {
    const ours = (await place.addresses(packet.family)).find(({ link, scope }) => link === oif?.index && scope === 'global')
    return ours ? { from: ours.address } : 'unknown'
  }
  // A single address, and a single port where there is one.
  const [, side, address, port] = /--to-(source|destination) \[?([\da-f.:]*?)\]?(?::(\d+))?$/.exec(rule.target.options ?? '') ?? []
  const number = port === undefined ? undefined : Number(port)
  if (side === undefined) return 'unknown'
  return side === 'source'
    ? { ...(address && { from: address }), ...(number !== undefined && { sourcePort: number }) }
    : { ...(address && { to: address }), ...(number !== undefined && { destinationPort: number }) }
}

function find(table: ReadTable, name: string, asked: IptablesPacket, depth: number): Found {
  const packet = judged(asked)
  for (const rule of table.chains.find(chain => chain.name === name)?.rules ?? []) {
    const fits = rule.fits(packet)
    if (fits === false) continue
    const { name: target, goto } = rule.target
    if (translating.includes(target)) return { rule, sure: fits === true }
    if (fits && target === 'ACCEPT') return 'decided'
    if (fits && target === 'RETURN') return undefined
    const inner = depth < deepest ? find(table, target, asked, depth + 1) : undefined
    if (inner === 'decided' && fits) return inner
    if (inner && inner !== 'decided') return { ...inner, sure: inner.sure && fits === true }
    if (goto && fits) return undefined
  }
  return undefined
}
