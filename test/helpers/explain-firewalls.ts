// Firewalls in the way of a ping, in every backend and family: how they come about, and what explain() has to say of them.
import type { Injected } from './explain-causes.js'
import type { Rig } from './explain-rig.js'
import type { Feature } from './features.js'
import { run } from './readers.js'

const tables = (tool: string, namespace: Rig['blue'], ...rules: string[]) =>
  rules.reduce((done, rule) => done.then(() => run(namespace.name, tool, ...rule.split(' '))), Promise.resolve(''))

/** The same in both backends. */
const inBoth = (backend: 'legacy' | 'nft'): Readonly<Record<string, Injected>> => {
  const tool = `iptables-${backend}`
  const needs: readonly Feature[] = ['tool:iptables', `iptables-${backend}`]
  return {
    [`${backend}: FORWARD has the policy DROP, and the bridge asks it`]: {
      to: 'green',
      inject: ({ machine }) => tables(tool, machine, '-P FORWARD DROP'),
      told: [['bridge-netfilter', 'there', 'machine', 'br0']],
      needs: [...needs, 'bridge-netfilter'],
    },
    [`${backend}: FORWARD has the policy DROP, and packets are routed`]: {
      to: 'far',
      inject: ({ machine }) => tables(tool, machine, '-P FORWARD DROP'),
      told: [
        ['firewall', 'there', 'machine', 'to-far'],
        ['firewall', 'back', 'machine', 'br0'],
      ],
      needs,
    },
    [`${backend}: a rule in FORWARD`]: {
      to: 'far',
      inject: ({ machine }) => tables(tool, machine, '-A FORWARD -d 10.0.2.0/24 -p icmp -j DROP'),
      told: [['firewall', 'there', 'machine', 'to-far']],
      needs,
    },
    [`${backend}: a rule that rejects answers`]: {
      to: 'far',
      inject: ({ machine }) => tables(tool, machine, '-A FORWARD -i to-far -p icmp --icmp-type 0 -j REJECT'),
      told: [['firewall', 'back', 'machine', 'br0']],
      needs,
    },
    [`${backend}: INPUT`]: {
      to: 'green',
      inject: ({ green }) => tables(tool, green, '-P INPUT DROP'),
      told: [['firewall', 'there', 'green', 'eth0']],
      needs,
    },
    [`${backend}: OUTPUT`]: {
      to: 'green',
      inject: ({ blue }) => tables(tool, blue, '-A OUTPUT -o eth0 -j DROP'),
      told: [['firewall', 'there', 'blue', 'eth0']],
      needs,
    },
    [`${backend}: raw PREROUTING, by a chain of its own`]: {
      to: 'far',
      inject: ({ machine }) =>
        tables(tool, machine, '-t raw -N guard', '-t raw -A guard -s 10.0.1.1 -j DROP', '-t raw -A PREROUTING -j guard'),
      told: [['firewall', 'there', 'machine', 'br0']],
      needs,
    },
  }
}
export const iptables: Readonly<Record<string, Injected>> = { ...inBoth('legacy'), ...inBoth('nft') }

const nft = (namespace: Rig['blue'], text: string) => run(namespace.name, 'nft', text)
const chain = (family: string, head: string, ...rules: string[]) =>
  [`add table ${family} fw`, `add chain ${family} fw c { ${head} }`, ...rules.map(rule => `add rule ${family} fw c ${rule}`)].join('; ')
const needs: readonly Feature[] = ['tool:nft', 'nftables']

export const nftables: Readonly<Record<string, Injected>> = {
  'nftables: a policy in family inet, and the bridge asks it': {
    to: 'green',
    inject: ({ machine }) => nft(machine, chain('inet', 'type filter hook forward priority 0; policy drop;')),
    told: [['bridge-netfilter', 'there', 'machine', 'br0']],
    needs: [...needs, 'bridge-netfilter'],
  },
  'nftables: a rule for what is routed': {
    to: 'far',
    inject: ({ machine }) =>
      nft(machine, chain('ip', 'type filter hook forward priority 10;', 'iifname "br0" ip daddr { 10.0.2.0-10.0.2.9 } reject')),
    told: [['firewall', 'there', 'machine', 'to-far']],
    needs,
  },
  'nftables: a rule for answers': {
    to: 'far',
    inject: ({ machine }) =>
      nft(machine, chain('inet', 'type filter hook forward priority 10;', 'ct state established icmp type echo-reply drop')),
    told: [['firewall', 'back', 'machine', 'br0']],
    needs,
  },
  'nftables: what comes in, by a map of verdicts': {
    to: 'green',
    inject: ({ green }) =>
      nft(green, chain('inet', 'type filter hook input priority 0;', 'meta l4proto vmap { icmp : drop, tcp : accept }')),
    told: [['firewall', 'there', 'green', 'eth0']],
    needs,
  },
  'nftables: what goes out': {
    to: 'green',
    inject: ({ blue }) => nft(blue, chain('ip', 'type filter hook output priority 0;', 'ip daddr 10.0.1.2 drop')),
    told: [['firewall', 'there', 'blue', 'eth0']],
    needs,
  },
  'nftables: family bridge': {
    to: 'green',
    inject: ({ machine }) =>
      // As `priority filter`. Linux 5.10 with br_netfilter was seen to pass over a chain of priority 0.
      nft(machine, chain('bridge', 'type filter hook forward priority -200;', 'oifname "to-green" ip protocol icmp drop')),
    told: [['firewall', 'there', 'machine', 'br0']],
    needs,
  },
  'nftables: family netdev': {
    to: 'green',
    inject: ({ machine }) =>
      nft(machine, chain('netdev', 'type filter hook ingress device "to-blue" priority 0;', 'ip daddr 10.0.1.2 drop')),
    told: [['firewall', 'there', 'machine', 'to-blue']],
    needs,
  },
  'nftables: family arp, and nobody known': {
    to: 'green',
    inject: async ({ green, blue }) => {
      await nft(green, chain('arp', 'type filter hook input priority 0;', 'arp operation request drop'))
      await blue.neighbours.delete({ address: '10.0.1.2', link: 'eth0' })
    },
    told: [['firewall', 'there', 'green', 'eth0']],
    needs,
  },
  'nftables: two tables at one hook': {
    to: 'far',
    inject: async ({ machine }) => {
      await nft(machine, chain('inet', 'type filter hook forward priority 10;', 'iifname "br0" drop'))
      await nft(machine, chain('ip', 'type filter hook forward priority 20;', 'iifname "br0" drop'))
    },
    told: [
      ['firewall', 'there', 'machine', 'to-far'],
      ['firewall', 'there', 'machine', 'to-far'],
    ],
    needs,
  },
}
