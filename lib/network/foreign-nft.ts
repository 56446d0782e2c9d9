// Chains of nftables that forward packets and are neither ours nor iptables-nft's: what they drop of a network's, and the rules that let it through.

import { asIptables } from '../explain/firewall-cures.js'
import { dropsIn, type NftDrop } from '../explain/firewall-nft.js'
import type { Namespace } from '../kernel/namespace.js'
import { nft } from '../kernel/nftables/builders.js'
import type { ChainObject } from '../kernel/nftables/objects.js'
import type { NftablesPacket } from '../kernel/nftables/verdict-packet.js'
import { readJudgedRules } from '../kernel/nftables/verdict-rules.js'
import { scoped } from '../kernel/scope.js'
import { NetloomError } from '../socket/error.js'
import { firewallTable } from './firewall-table.js'

type Named = Pick<ChainObject, 'family' | 'table' | 'name'>
const isOurs = ({ family, table }: Named) => family === firewallTable.family && table === firewallTable.name
const isPlain = (chain: Named) => !isOurs(chain) && !asIptables({ ...chain, chain: chain.name, text: '' }, 'forward')
const families = ['ip', 'ip6', 'inet']

/** Base chains of others that see forwarded packets, those of iptables-nft among them. */
export async function othersChains({ nftables }: Namespace): Promise<ChainObject[]> {
  return (await nftables.chains.list()).filter(one => one.hook === 'forward' && families.includes(one.family) && !isOurs(one))
}
const plainChains = async (host: Namespace) => (await othersChains(host)).filter(isPlain)

/** What they drop of each of the packets: every chain, as if those before it were cured. */
export async function plainDrops(host: Namespace, packets: readonly NftablesPacket[]): Promise<(readonly NftDrop[])[]> {
  if ((await plainChains(host)).length === 0) return packets.map(() => [])
  const rules = await readJudgedRules(host[scoped])
  return packets.map(packet => dropsIn({ ...rules, bases: about => rules.bases(about).filter(isPlain) }, packet).drops)
}

/** Puts rules for the link in front of chains that drop, each with the comment; those that are there stay. */
export async function acceptIn({ nftables }: Namespace, bases: readonly NftDrop['base'][], link: string, comment: string): Promise<void> {
  const chains = new Map(bases.map(({ family, table, chain }) => [[family, table, chain].join(' '), { family, table, chain }]))
  for (const chain of chains.values()) {
    if ((await nftables.rules.list(chain)).some(one => one.comment === comment)) continue
    await nftables.transaction(t => {
      for (const side of [nft.iifname, nft.oifname]) t.rules.insert({ ...chain, ...nft.rule(side(link), nft.accept), comment })
    })
  }
}

/** Takes the rules with the comment away. */
export async function removeAccepted(host: Namespace, comment: string): Promise<void> {
  for (const { family, table, name: chain } of await plainChains(host))
    for (const { handle, comment: its } of await host.nftables.rules.list({ family, table, chain }))
      if (its === comment) await host.nftables.rules.delete({ family, table, chain, handle }).catch(unlessGone)
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
}
