// Rows about rule sets and connections: what only looks is asked in one state, what changes something is done twice from the same state.
import { expect } from 'vitest'
import type { ConntrackEntry, NftRulesetObject } from '../../lib/index.js'
import type { Scene } from './scene.js'

type Row = (scene: Scene, call: string, command: string) => Promise<void>

const rules = `
table inet site {
  set blocked { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }
  counter seen { packets 3 bytes 300; }
  chain in { type filter hook input priority 0; policy accept; tcp dport 22 counter accept; ip saddr @blocked drop; }
}`
const iptablesRules = [
  '-P FORWARD DROP',
  '-A OUTPUT -o lo -j ACCEPT',
  '-A FORWARD -i br0 -o eth0 -p tcp -m tcp --dport 80 -j ACCEPT',
  '-A INPUT -s 10.0.0.0/8 -j ACCEPT',
]
const connections = ['-s 10.0.1.2 -d 10.0.2.9 --sport 1000 --dport 80', '-s 10.0.1.2 -d 10.0.2.9 --sport 1001 --dport 443']

const here = (text: string) => `<<'END'\n${text}\nEND\n`
const empty = 'nft flush ruleset; conntrack -F 2>/dev/null'
/** The state that a row begins with. */
const begin = {
  nft: `${empty}; nft -f - ${here(rules)}`,
  iptables: `${empty}; ${iptablesRules.map(rule => `iptables-nft ${rule}`).join('; ')}`,
  conntrack: `${empty}; ${connections.map(one => `conntrack -I -p tcp ${one} --state ESTABLISHED -t 1000 2>/dev/null`).join('; ')}`,
} as const
/** How what it leads to is told. */
const tell = {
  nft: 'nft list ruleset',
  iptables: 'iptables-nft -S',
  conntrack: "conntrack -L 2>/dev/null | sed 's/ [0-9]* ESTABLISHED/ ESTABLISHED/' | sort",
} as const

const changing =
  (sort: keyof typeof begin): Row =>
  async (scene, call, command) => {
    await scene.run(begin[sort])
    const before = await scene.run(tell[sort])
    await scene.run(command)
    const theirs = await scene.run(tell[sort])
    await scene.run(begin[sort])
    expect(await scene.run(tell[sort])).toBe(before)
    await scene.call(call)
    expect(await scene.run(tell[sort])).toBe(theirs)
    expect(theirs).not.toBe(before)
    await scene.run(empty)
  }
const looking =
  <V>(sort: keyof typeof begin, theirs: (text: string) => unknown, ours: (value: V) => unknown): Row =>
  async (scene, call, command) => {
    await scene.run(begin[sort])
    const said = theirs(await scene.run(command))
    expect(ours((await scene.call(call)) as V)).toEqual(said)
    expect(JSON.stringify(said)).toMatch(/\w/)
    await scene.run(empty)
  }
const lines = (text: string) => text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
const objects = (list: readonly NftRulesetObject[]) => list.filter(one => !('metainfo' in one))
const tuple = (line: string) => {
  const [, source, destination, sport, dport] = /src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/.exec(line) ?? []
  return [source, destination, Number(sport), Number(dport)]
}

export const netfilter: Readonly<Record<string, Row>> = {
  'nft list ruleset': looking(
    'nft',
    text => text.trim(),
    (text: string) => text.trim(),
  ),
  'nft -j list ruleset': looking(
    'nft',
    text => objects((JSON.parse(text) as { nftables: NftRulesetObject[] }).nftables),
    ({ nftables }: { nftables: readonly NftRulesetObject[] }) => objects(nftables),
  ),
  'nft add table inet web': changing('nft'),
  "nft 'add chain inet site out { type filter hook output priority 0; policy drop; }'": changing('nft'),
  'nft add rule inet site in tcp dport 80 accept': changing('nft'),
  'nft insert rule inet site in iifname br0 ct state established accept': changing('nft'),
  "nft 'add set inet site ports { type inet_service; elements = { 80, 443 }; }'": changing('nft'),
  "nft 'add element inet site blocked { 198.51.100.0/24 }'": changing('nft'),
  "nft 'delete element inet site blocked { 192.0.2.0/24 }'": changing('nft'),
  'nft flush chain inet site in': changing('nft'),
  'nft delete table inet site': changing('nft'),
  'nft flush ruleset': changing('nft'),
  'iptables-nft-save -c -t filter': looking('iptables', lines, lines),
  'iptables-nft -I FORWARD -i br0 -j ACCEPT': changing('iptables'),
  'conntrack -L': looking(
    'conntrack',
    text => lines(text).map(tuple).sort(),
    (entries: readonly ConntrackEntry[]) =>
      entries.map(({ original }) => [original.source, original.destination, original.sourcePort, original.destinationPort]).sort(),
  ),
  'conntrack -D -p tcp --dport 80': changing('conntrack'),
  'conntrack -F': changing('conntrack'),
}
