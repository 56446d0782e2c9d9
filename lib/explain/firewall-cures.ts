// How to let a packet through a chain that drops it: an accepting rule in front of all others.
import type { Hook } from '../kernel/nftables/fields.js'
import type { Statement } from '../kernel/nftables/statement.js'
import type { NftablesPlace } from '../kernel/nftables/verdict-walk.js'
import { call, cure } from './cures.js'
import type { Meeting } from './firewall.js'
import type { Cure } from './result.js'
import type { Packet } from './walk.js'
import type { Place } from './world.js'

const tables = ['filter', 'nat', 'mangle', 'raw', 'security']

/** In iptables' words, also where the table is one that iptables-nft has made. */
export function acceptInIptables(
  place: Place,
  { hook, iif, oif, bridged }: Meeting,
  { family, table, backend }: { readonly family: 4 | 6; readonly table: string; readonly backend: 'legacy' | 'nft' },
): Cure {
  const rule = {
    ...(hook === 'forward' ? {} : { chain: hook.toUpperCase() }),
    ...(table === 'filter' ? {} : { table: table as 'mangle' }),
    ...(family === 6 ? { family } : {}),
    ...(iif ? { in: iif.name } : {}),
    ...(oif && !bridged ? { out: oif.name } : {}),
  }
  return cure(words({ hook, iif, oif, bridged }), call(place, 'iptables', 'insertAccept', rule, { backend }))
}

const words = ({ iif, oif, bridged }: Meeting) =>
  `let packets through${iif ? ` from ${iif.name}` : ''}${oif && !bridged ? ` to ${oif.name}` : ''}`

/** The table and the backend, if iptables-nft would know the chain as its own. */
export function asIptables({ family, table, chain }: NftablesPlace, hook: Hook) {
  if ((family !== 'ip' && family !== 'ip6') || !tables.includes(table) || chain !== hook.toUpperCase()) return undefined
  return { family: family === 'ip' ? (4 as const) : (6 as const), table, backend: 'nft' as const }
}

/** A rule of nftables in front of a base chain. */
export function acceptInNft(place: Place, meeting: Meeting, { family, table, chain }: NftablesPlace, { from, to }: Packet): Cure {
  const { hook, iif, oif, port, out } = meeting
  const [entry, exit] = family === 'bridge' ? [port ?? iif, out ?? oif] : [iif, oif]
  const inward = entry && hook !== 'output' && hook !== 'postrouting' && hook !== 'egress'
  const onward = exit && hook !== 'input' && hook !== 'prerouting' && hook !== 'ingress'
  const isLink = (key: 'iifname' | 'oifname', name: string): Statement => ({ match: { op: '==', left: { meta: { key } }, right: name } })
  const isAddress = (field: 'saddr' | 'daddr', right: string): Statement => ({
    match: { op: '==', left: { payload: { protocol: to.includes(':') ? 'ip6' : 'ip', field } }, right },
  })
  // A chain of a device sees nothing but its link.
  const expr: Statement[] =
    family === 'netdev'
      ? [...(from === undefined ? [] : [isAddress('saddr', from)]), isAddress('daddr', to), { accept: null }]
      : [...(inward ? [isLink('iifname', entry.name)] : []), ...(onward ? [isLink('oifname', exit.name)] : []), { accept: null }]
  return cure(words(meeting), call(place, 'nftables.rules', 'insert', { family, table, chain, expr }))
}
