// Real-life rules in the way of real packets: in chains that traffic through a router meets, and packets that fit what the rules ask for.
import type { NftablesPacket } from '../../lib/index.js'
import type { RuleRow } from '../oracle/nftables-rules/row.js'

type Draft = { -readonly [K in keyof NftablesPacket]: NftablesPacket[K] }

/** The hook at which a rule is met by what comes by the router; undefined for families that see other things. */
function hookOf({ family, base, text }: RuleRow): { type: string; hook: string; prio: number } | undefined {
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet') return undefined
  const nat = /\b(dnat|redirect|snat|masquerade)\b/.exec(text)?.[1]
  const type = base?.type === 'nat' || nat ? 'nat' : 'filter'
  const usual = nat === 'snat' || nat === 'masquerade' ? 'postrouting' : nat ? 'prerouting' : 'forward'
  const hook = base?.hook ?? usual
  if (hook === 'ingress' || hook === 'egress') return undefined
  // What the router sends itself isn't traced here.
  return {
    type,
    hook: hook === 'output' ? (/tproxy|dnat|redirect|notrack|fib/.test(text) ? 'prerouting' : 'postrouting') : hook,
    prio: base?.prio ?? 0,
  }
}

/** A script for nft with the rule in such a chain; names of links are those of the router. */
export function scriptOf(row: RuleRow): string | undefined {
  const at = hookOf(row)
  if (!at) return undefined
  const text = row.text
    .replaceAll(/iifname (!= )?"(?!lo")[^"]+"/g, 'iifname $1"veth1"')
    .replaceAll(/oifname (!= )?"(?!lo")[^"]+"/g, 'oifname $1"veth2"')
  const objects = (row.objects ?? []).map(object => object.replace('{ ', '{\n').replace(/ \}$/, '\n}').replaceAll('; ', '\n'))
  const others = (row.chains ?? []).map((name, i) => `chain ${name} {\n${i % 2 ? 'drop' : 'counter'}\n}`)
  const policy = row.base?.policy ?? 'accept'
  const body = `type ${at.type} hook ${at.hook} priority ${at.prio}; policy ${at.hook === 'prerouting' || at.type === 'nat' ? 'accept' : policy};`
  return `table ${row.family} ${row.table} {\n${[...objects, ...others, `chain ${row.chain} {\n${body}\n${text}\n}`].join('\n')}\n}\n`
}

/** The first element of a set that stands beside the rule. */
function firstOf({ objects = [] }: RuleRow, name: string): string | undefined {
  const text = objects.find(object => object.includes(` ${name} {`))
  const [, element] = /elements = \{ ([^\s,}]+)/.exec(text ?? '') ?? []
  return element?.replace(/\/\d+$/, '')
}
const first = (value: unknown): unknown => {
  if (Array.isArray(value)) return first(value[0])
  if (typeof value !== 'object' || value === null) return value
  const one = value as Record<string, unknown>
  if (Array.isArray(one.set)) return first(one.set[0])
  if (Array.isArray(one.range)) return first(one.range[0])
  if (one.elem) return first((one.elem as { val: unknown }).val)
  if (one.prefix) {
    const { addr, len } = one.prefix as { addr: string; len: number }
    return len === (addr.includes(':') ? 128 : 32) ? addr : addr.includes(':') ? addr.replace(/::$/, '::7') : addr.replace(/\d+$/, '7')
  }
  return undefined
}
const unicast = (address: unknown): address is string =>
  typeof address === 'string' && !/^(22[4-9]|2[345]\d|127|0)\./.test(address) && !/^ff|^::1?$|^fe80/.test(address)

/** What the matches of a rule ask for, as far as a packet that comes by can have it. */
function wish(row: RuleRow): Partial<Draft> {
  const out: Partial<Draft> = {}
  for (const statement of row.rule.expr) {
    const match = (statement as { match?: { op: string; left: Record<string, unknown>; right: unknown } }).match
    if (!match || match.op === '!=') continue
    const said = first(match.right)
    const value = typeof said === 'string' && said.startsWith('@') ? firstOf(row, said.slice(1)) : said
    const { protocol = '', field = '' } = (match.left.payload ?? {}) as { protocol?: string; field?: string }
    if (field === 'saddr' && unicast(value)) out.from = value
    if (field === 'daddr' && unicast(value)) out.to = value
    if (field === 'sport' && typeof value === 'number') out.sourcePort = value
    if (field === 'dport' && typeof value === 'number') out.destinationPort = value
    if (['tcp', 'udp', 'icmp', 'icmpv6', 'sctp'].includes(protocol)) out.protocol = protocol
    if ((match.left.meta as { key?: string } | undefined)?.key === 'l4proto' && typeof value === 'string') out.protocol = value
  }
  return out
}

const usual = { from: '10.0.1.2', to: '10.0.2.2', sourcePort: 40_000, destinationPort: 80 } as const
const usual6 = { from: 'fd01::2', to: 'fd02::2', sourcePort: 40_000, destinationPort: 80 } as const
/** One packet that fits as well as may be, and some that are everyday. */
export function packetsFor(row: RuleRow): NftablesPacket[] {
  const asked = wish(row)
  const six = [asked.from, asked.to].some(address => address?.includes(':')) || row.family === 'ip6' || asked.protocol === 'icmpv6'
  const toRouter = hookOf(row)?.hook === 'input' ? (six ? { to: 'fd01::1' } : { to: '10.0.1.1' }) : {}
  const all: Draft[] = [
    { ...(six ? usual6 : usual), protocol: 'tcp', ...toRouter, ...asked },
    { ...usual, protocol: 'tcp', ...toRouter, to: '10.0.1.1', destinationPort: 8080 },
    { ...usual, protocol: 'udp', ...(six ? {} : toRouter), destinationPort: 53 },
    { ...usual6, protocol: 'tcp', destinationPort: 22 },
    { ...usual6, protocol: 'icmpv6', icmpType: 128, icmpCode: 0 },
    { ...usual, protocol: 'icmp', icmpType: 8, icmpCode: 0, ttl: 3 },
  ]
  return all.map(packet => {
    const icmp = packet.protocol === 'icmp' || packet.protocol === 'icmpv6'
    const { sourcePort: _, destinationPort: __, ...rest } = packet
    if (!icmp) return { ...packet, ...(packet.protocol === 'tcp' ? { tcpFlags: ['syn' as const] } : {}) }
    return { ...rest, icmpType: packet.icmpType ?? (six ? 128 : 8), icmpCode: 0 }
  })
}
