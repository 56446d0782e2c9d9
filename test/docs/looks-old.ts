// The rows of bridge, brctl, ethtool, net-tools and others that only look.
import type { ArpView, BrctlMacView, BrctlView, FdbEntry, IfconfigView, Link, LinkOf, NetstatView, RouteView } from '../../lib/index.js'
import { defined, json, type Look, nameOf, sorted, table, text } from './look.js'

interface BridgePort {
  readonly ifname: string
  readonly master: string
  readonly state: string
  readonly priority: number
  readonly cost: number
  readonly hairpin: boolean
  readonly guard: boolean
  readonly learning: boolean
  readonly flood: boolean
}
const ports = json<BridgePort, Link[]>(
  entries =>
    entries.map(({ ifname, master, state, priority, cost, hairpin, guard, learning, flood }) => [
      ifname,
      master,
      state,
      priority,
      cost,
      hairpin,
      guard,
      learning,
      flood,
    ]),
  (value, facts) =>
    value.map(({ name, master, port }) => [
      name,
      nameOf(master, facts),
      port?.state,
      port?.priority,
      port?.cost,
      port?.hairpin,
      port?.guard,
      port?.learning,
      port?.flood,
    ]),
)

interface BridgeMac {
  readonly mac: string
  readonly ifname?: string
  readonly master?: string
  readonly vlan?: number
  readonly state: string
  readonly flags: readonly string[]
}
/** Asked for one port, the tool leaves its name out. */
const macs = (port?: string) =>
  json<BridgeMac, FdbEntry[]>(
    entries =>
      sorted(
        entries.map(({ mac, ifname = port, master, vlan, state, flags }) =>
          defined({ mac, port: ifname, bridge: master, vlan, state: state || 'reachable', self: flags.includes('self') }),
        ),
      ),
    (value, facts) =>
      sorted(
        value.map(({ mac, port, bridge, vlan, state, self = false }) =>
          defined({ mac, port: nameOf(port, facts), bridge: nameOf(bridge, facts), vlan, state, self }),
        ),
      ),
  )

/** `brctl show`: a bridge's further ports have lines of their own. */
function brctlShow(printed: string): BrctlView[] {
  const bridges: { name: string; id: string; stp: boolean; interfaces: string[] }[] = []
  for (const line of printed.split('\n').slice(1)) {
    const [name = '', id = '', stp, ...interfaces] = line.trim().split(/\s+/)
    if (/^\S/.test(line)) bridges.push({ name, id, stp: stp === 'yes', interfaces })
    else if (name !== '') bridges.at(-1)?.interfaces.push(name)
  }
  return bridges
}
/** Ages go on between the two readers. */
const still = (ageing: number) => (ageing === 0 ? 'does not age' : ageing < 300)
const hundredths = (seconds: number) => seconds.toFixed(2)

/** The values of `brctl showstp` by their names, less the timers that run. */
const stpValues = (printed: string) =>
  Object.fromEntries(
    [
      ...printed.matchAll(
        /(bridge id|designated root|root port|bridge max age|bridge hello time|bridge forward delay|ageing time|port id|state|designated cost|path cost)\s+(\S+)/g,
      ),
    ].map(([, name, value]) => [name, value]),
  )

const inet6 = (block: string) =>
  sorted(
    [...block.matchAll(/inet6 (\S+) {2}prefixlen (\d+) {2}scopeid 0x([\da-f]+)/g)].map(([, address, prefixlen, scopeid]) => ({
      address,
      prefixlen: Number(prefixlen),
      scopeid: Number.parseInt(scopeid ?? '', 16),
    })),
  )
/** One device in the words of the view. */
function ifconfigBlock(block: string): unknown {
  const [, name, flags, flagNames, mtu] = /^(\S+): flags=(\d+)<(.*?)> {2}mtu (\d+)/.exec(block) ?? []
  const [, address, netmask] = /inet (\S+) {2}netmask (\S+)/.exec(block) ?? []
  const word = (pattern: RegExp) => pattern.exec(block)?.[1]
  const numbers = (pattern: RegExp) => (pattern.exec(block) ?? []).slice(1).map(Number)
  const [rxPackets, rxBytes] = numbers(/RX packets (\d+) {2}bytes (\d+)/)
  const [rxErrors, rxDropped, rxOverruns, frame] = numbers(/RX errors (\d+) {2}dropped (\d+) {2}overruns (\d+) {2}frame (\d+)/)
  const [txPackets, txBytes] = numbers(/TX packets (\d+) {2}bytes (\d+)/)
  const [txErrors, txDropped, txOverruns, carrier, collisions] = numbers(
    /TX errors (\d+) {2}dropped (\d+) overruns (\d+) {2}carrier (\d+) {2}collisions (\d+)/,
  )
  return defined({
    name,
    flags: Number(flags),
    flagNames: flagNames?.split(','),
    mtu: Number(mtu),
    inet: address && defined({ address, netmask, broadcast: word(/broadcast (\S+)/), destination: word(/destination (\S+)/) }),
    inet6: inet6(block),
    ether: word(/ether (\S+)/),
    txqueuelen: Number(word(/txqueuelen (\d+)/)),
    rx: { packets: rxPackets, bytes: rxBytes, errors: rxErrors, dropped: rxDropped, overruns: rxOverruns, frame },
    tx: { packets: txPackets, bytes: txBytes, errors: txErrors, dropped: txDropped, overruns: txOverruns, carrier, collisions },
  })
}
const blocks = (printed: string) => printed.split(/\n\n/).filter(block => block.trim() !== '')
/** Flags less those that the tool has no word for. */
const view = (of: IfconfigView) => ({ ...of, inet6: sorted(of.inet6) })
/** The blocks of labels ('eth0:1') are views of their own. */
const isDevice = (block: string) => !/^\S+:\S+:/.test(block)

const numberOrWord = (word: string | undefined) => (word !== undefined && /^\d+$/.test(word) ? Number(word) : word)
const columns = (names: readonly string[], texts: readonly string[]) => (words: readonly string[]) =>
  Object.fromEntries(names.map((name, i) => [name, texts.includes(name) ? words[i] : numberOrWord(words[i])]))
const addressColumns = ['destination', 'gateway', 'genmask', 'flags', 'iface']
const routeLine = columns(['destination', 'gateway', 'genmask', 'flags', 'metric', 'ref', 'use', 'iface'], addressColumns)
const netstatLine = columns(['destination', 'gateway', 'genmask', 'flags', 'mss', 'window', 'irtt', 'iface'], addressColumns)

/** The columns of arp have fixed places; some are empty. */
const arpLine = (line: string) => ({
  address: line.slice(0, 25).trim(),
  hwType: line.slice(25, 33).trim(),
  hwAddress: line.slice(33, 53).trim(),
  flags: line.slice(53, 59).trim(),
  mask: line.slice(59, 75).trim(),
  iface: line.slice(75).trim(),
})

interface Pinged {
  readonly sent: number
  readonly received: number
}
const pings = text<Pinged>(
  printed => {
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(printed) ?? []
    return { sent: Number(sent), received: Number(received) }
  },
  ({ sent, received }) => ({ sent, received }),
)
const firstName = text<string>(
  printed => /^\d+: ([^:@]+)/.exec(printed)?.[1],
  value => value,
)

/** Picks the line of the host's veth that leads to the eth0 of a container. */
const containersPeer = `grep "^$(nsenter -t $pid -n ethtool -S eth0 | awk '/peer_ifindex/ { print $2 }'):"`

export const oldLooks: Readonly<Record<string, Look>> = {
  'bridge -d link show': ports,
  'bridge fdb show': macs(),
  'bridge fdb show br br0': macs(),
  'bridge fdb show brport veth0': macs('veth0'),
  'brctl show': text<BrctlView[]>(
    printed => sorted(brctlShow(printed)),
    value => sorted(value),
  ),
  'brctl showmacs br0': text<BrctlMacView[]>(
    printed =>
      table(printed)
        .slice(1)
        .map(([port, mac, local, ageing]) => [Number(port), mac, local === 'yes', still(Number(ageing))]),
    value => value.map(({ port, mac, local, ageing }) => [port, mac, local, still(ageing)]),
  ),
  'brctl showstp br0': text<{ bridge: LinkOf<'bridge'>; ports: Link[] }>(stpValues, ({ bridge: { options }, ports: [port] }) => ({
    'bridge id': options.bridgeId,
    'designated root': options.rootId,
    'root port': String(options.rootPort),
    'path cost': String(port?.port?.cost),
    'bridge max age': hundredths(options.maxAge),
    'bridge hello time': hundredths(options.helloTime),
    'bridge forward delay': hundredths(options.forwardDelay),
    'ageing time': hundredths(options.ageingTime),
    'port id': port?.port?.id?.toString(16),
    state: port?.port?.state,
    'designated cost': String(port?.port?.designatedCost),
  })),
  'ethtool -S veth0': text<number>(
    printed => Number(/peer_ifindex: (\d+)/.exec(printed)?.[1]),
    value => value,
  ),
  'nsenter -t $pid -n ip -o link show dev eth0': text<Link>(
    printed => {
      const [, index, name, mtu, mac] = /^(\d+): ([^@:]+).*? mtu (\d+) .*link\/ether (\S+)/.exec(printed) ?? []
      return [Number(index), name, Number(mtu), mac]
    },
    ({ index, name, mtu, mac }) => [index, name, mtu, mac],
  ),
  [`ip -o link | ${containersPeer}`]: firstName,
  [`ip -o link show master br0 | ${containersPeer}`]: text<string>(
    printed => / master (\S+) /.exec(printed)?.[1],
    value => value,
  ),
  'ifconfig eth0': text<IfconfigView>(ifconfigBlock, view),
  'ifconfig -a': text<IfconfigView[]>(
    printed => sorted(blocks(printed).filter(isDevice).map(ifconfigBlock)),
    value => sorted(value.map(view)),
  ),
  'route -n': text<RouteView[]>(
    printed => sorted(table(printed).slice(2).map(routeLine)),
    value => sorted(value),
  ),
  'netstat -rn': text<NetstatView[]>(
    printed => sorted(table(printed).slice(2).map(netstatLine)),
    value => sorted(value),
  ),
  'netstat -ia': text<IfconfigView[]>(
    printed =>
      sorted(
        table(printed)
          .slice(2)
          .filter(([name]) => !name?.includes(':'))
          .map(words => [words[0], ...words.slice(1, 10).map(Number)]),
      ),
    value =>
      sorted(
        value.map(({ name, mtu, rx, tx }) => [name, mtu, ...[rx, tx].flatMap(of => [of?.packets, of?.errors, of?.dropped, of?.overruns])]),
      ),
  ),
  'arp -n': text<ArpView[]>(
    printed => sorted(printed.trimEnd().split('\n').slice(1).map(arpLine)),
    value => sorted(value),
  ),
  'sysctl -n net.ipv4.ip_forward': text<string>(
    printed => printed.trim(),
    value => value,
  ),
  'ping -c 2 -i 0.2 10.0.1.2': pings,
  'ping -c 1 -W 0.2 10.0.1.77': pings,
}
