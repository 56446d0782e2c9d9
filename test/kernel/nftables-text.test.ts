// Rules in nft's syntax: what nft prints as text and as JSON is one thing in two forms, so ours of its JSON is its text.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RuleObject } from '../../lib/kernel/nftables/objects.js'
import { nftText } from '../../lib/kernel/nftables/text.js'
import { needs, needsKernel } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { load, printed } from '../helpers/nftables-rows.js'
import { attempt, nft, run } from '../helpers/readers.js'
import { inetRules } from '../oracle/nftables-words-1.js'
import { innerHeaderRules, moreInetRules } from '../oracle/nftables-words-2.js'
import { familyRules } from '../oracle/nftables-words-3.js'

const host = useHost()

/** What the rules name. */
const objects = {
  inet: `
    set s4 { type ipv4_addr; }
    set ports { type inet_service; }
    set sc { type ipv4_addr . inet_service; }
    set xx { type ipv4_addr . inet_proto; flags interval; }
    set dyn { type ipv4_addr; flags dynamic,timeout; }
    set dync { type ipv4_addr . inet_service; flags dynamic; }
    map ipmark { type ipv4_addr : mark; }
    map vm { type ipv4_addr : verdict; }
    map vmc { type ipv4_addr . inet_service : verdict; }
    map qmap { type inet_service : quota; }
    counter cc { }
    counter cc2 { }
    quota qq { 500 bytes; }
    limit ll { rate 5/second; }
    ct helper hh { type "ftp" protocol tcp; }
    ct timeout tt { protocol tcp; l3proto ip; policy = { established : 100 }; }
    ct expectation ee { protocol udp; dport 9876; timeout 2m; size 12; l3proto ip; }
    synproxy sp { mss 1460; wscale 7; timestamp sack-perm; }
    chain other { }`,
  ip: `
    map portmap { type inet_service : ipv4_addr . inet_service; }
    map nm { type ipv4_addr : ipv4_addr; }`,
  ip6: '',
  bridge: '',
  arp: '',
  netdev: '',
} as const
const rules = { inet: [...inetRules, ...moreInetRules], ...familyRules }

beforeEach(async context => {
  await needs(context, 'nftables', 'veth')
  await run(host.name, 'nft', 'flush', 'ruleset')
  await run(host.name, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1')
})
afterEach(async () => {
  await attempt(host.name, 'ip', ['link', 'delete', 'eth0'])
})

for (const family of ['inet', 'ip', 'ip6', 'bridge', 'arp', 'netdev'] as const)
  test(`${rules[family].length} rules of family ${family}`, () => compare(family, rules[family]))

test('rules that look behind the transport header', async context => {
  needsKernel(context, '5.16')
  await compare('inet', innerHeaderRules)
})

async function compare(family: keyof typeof objects, texts: readonly string[]): Promise<void> {
  // Without a hook nothing is asked of the place that a rule is in.
  await load(host.name, `table ${family} t {${objects[family]}\nchain c {\n${texts.join('\n')}\n}\n}\n`)
  const text = await printed(host.name, family, 't', 'c')
  const listed = await nft<{ rule?: RuleObject }>(host.name, 'list', 'chain', family, 't', 'c')
  const ours = listed.flatMap(({ rule }) => (rule ? [nftText(rule)] : []))
  expect(ours).toEqual(text)
  // The order of a set's elements may change on the way.
  expect(text).toHaveLength(texts.length)
}
