// What this machine can do: each tool is looked for, each kernel feature tried in a throw-away namespace. Tests say what they need.

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { release } from 'node:os'
import type { TestContext } from 'vitest'
import { findProgram } from '../../scripts/machine.mjs'
import { attempt } from './readers.js'

/** Debian packages by tool. */
const tools = {
  'tool:ip': 'iproute2',
  'tool:bridge': 'iproute2',
  'tool:ethtool': 'ethtool',
  'tool:ping': 'iputils-ping',
  'tool:tcpdump': 'tcpdump',
  'tool:nft': 'nftables',
  'tool:iptables': 'iptables',
  'tool:conntrack': 'conntrack',
  'tool:brctl': 'bridge-utils',
  'tool:ifconfig': 'net-tools',
  'tool:route': 'net-tools',
  'tool:netstat': 'net-tools',
  'tool:arp': 'net-tools',
  'tool:sysctl': 'procps',
  'tool:python3': 'python3',
  'tool:strace': 'strace',
  'tool:objdump': 'binutils',
  'tool:nsenter': 'util-linux',
  'tool:setpriv': 'util-linux',
  'tool:g++': 'g++',
  'tool:bash': 'bash',
  'tool:dockerd': 'docker.io',
  'tool:docker': 'docker.io',
  'tool:busybox': 'busybox-static',
} as const

const veth = 'link add probe0 type veth peer name probe1'
const bridge = 'link add probe2 type bridge'

/** What to try by feature: lines for `ip -batch`. */
const batches = {
  veth: [veth],
  bridge: [bridge],
  dummy: ['link add probe0 type dummy'],
  ifb: ['link add probe0 type ifb'],
  vlan: [veth, 'link add link probe0 name probe3 type vlan id 5'],
  macvlan: [veth, 'link add link probe0 name probe3 type macvlan mode bridge'],
  macvtap: [veth, 'link add link probe0 name probe3 type macvtap mode bridge'],
  ipvlan: [veth, 'link add link probe0 name probe3 type ipvlan'],
  ipvtap: [veth, 'link add link probe0 name probe3 type ipvtap'],
  vxlan: ['link add probe0 type vxlan id 5 dstport 4789'],
  vrf: ['link add probe0 type vrf table 5'],
  bond: ['link add probe0 type bond'],
  team: ['link add probe0 type team'],
  netkit: ['link add probe0 type netkit'],
  wireguard: ['link add probe0 type wireguard'],
  gre: ['link add probe3 type gre local 192.0.2.1 remote 192.0.2.2'],
  gretap: ['link add probe0 type gretap'],
  geneve: ['link add probe0 type geneve id 5 remote 192.0.2.1'],
  hsr: [veth, 'link add probe3 type hsr slave1 probe0 slave2 probe1'],
  macsec: [veth, 'link add link probe0 name probe3 type macsec'],
  vcan: ['link add probe0 type vcan'],
  tun: ['tuntap add dev probe0 mode tun'],
  tap: ['tuntap add dev probe0 mode tap'],
  'bridge-vlan-filtering': ['link add probe2 type bridge vlan_filtering 1'],
  ipv6: ['address add 2001:db8::1/64 dev lo'],
  nexthop: ['link set lo up', 'nexthop add id 5 dev lo'],
} as const

/** What to try by feature: a program that ends with 0 if the feature is there. */
const programs = {
  nftables: ['nft', 'add', 'table', 'inet', 'probe'],
  'nft:queue': ['nft', 'add table ip probe; add chain ip probe c; add rule ip probe c queue to 1'],
  'nft:flowtable': ['nft', 'add table ip probe; add flowtable ip probe f { hook ingress priority 0; }'],
  netem: ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'],
  fq_codel: ['tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'fq_codel'],
  flower: ['sh', '-c', 'tc qdisc add dev lo clsact && tc filter add dev lo ingress protocol ip flower dst_ip 192.0.2.1 action drop'],
  iptables: ['iptables', '-S'],
  'iptables-nft': ['iptables-nft', '-S'],
  'iptables-legacy': ['iptables-legacy', '-S'],
  conntrack: ['conntrack', '-L'],
  // tcpdump changes its user and group even to what they are, which a user namespace refuses.
  // Where it starts slowly, it is ended before it could listen: then with more time.
  capture: [
    'sh',
    '-c',
    'for time in 0.3 3 30; do timeout --preserve-status --signal=INT $time tcpdump -Z root -i any && exit; done; exit 1',
  ],
  'user-namespaces': ['unshare', '--user', 'true'],
} as const

/** What to look for by feature: a path. */
const paths = {
  'bridge-netfilter': '/proc/sys/net/bridge/bridge-nf-call-iptables',
} as const

/** What is looked for by a function of its own. */
const special = { 'initial-user-namespace': initialUserNamespace, 'own-sysfs': ownSysfs } as const

export type Feature = keyof typeof tools | keyof typeof batches | keyof typeof programs | keyof typeof paths | keyof typeof special

/** Every feature of the kernel that tests ask for, as opposed to tools. */
export const features = [batches, programs, paths, special].flatMap(table => Object.keys(table) as Exclude<Feature, keyof typeof tools>[])

const known = new Map<string, Promise<string | undefined>>()

/** Why a feature is missing, or undefined if it is there. */
export function missing(feature: Feature): Promise<string | undefined> {
  const answer = known.get(feature) ?? probe(feature)
  known.set(feature, answer)
  return answer
}

/**
 * Says at the beginning of a test (or of a beforeEach) what it cannot do without: `await needs(context, 'dummy', 'tool:ethtool')`.
 * Skips the test with the reason, or fails it if the feature is on the list in NETLOOM_REQUIRE.
 */
export async function needs(context: TestContext, ...features: Feature[]): Promise<void> {
  for (const feature of features) {
    const reason = await missing(feature)
    if (reason === undefined) continue
    if (required().includes(feature)) throw new Error(`${feature} is required (NETLOOM_REQUIRE), but ${reason}`)
    context.skip(reason)
  }
}

/** For programs that load the addon and start a shell themselves: none survives the library that ThreadSanitizer puts into both. */
export function needsShells(context: TestContext): void {
  if (process.env.NETLOOM_SANITIZER === 'tsan') context.skip('no shell survives ThreadSanitizer')
}

/** The same for what the kernel has had since a version: `needsKernel(context, '6.7')`. */
export function needsKernel(context: TestContext, version: string): void {
  if (!isKernel(version)) context.skip(`this kernel is older than ${version}`)
}

/** Whether the kernel is of a version or newer. */
export function isKernel(version: string): boolean {
  const numbers = (text: string) => text.split(/[.-]/, 2).map(Number)
  const [[wantedMajor = 0, wantedMinor = 0], [major = 0, minor = 0]] = [numbers(version), numbers(release())]
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/** The features in NETLOOM_REQUIRE, a list with commas. */
export const required = (): string[] =>
  (process.env.NETLOOM_REQUIRE ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(Boolean)

export const isFeature = (name: string): name is Feature =>
  [tools, batches, programs, paths, special].some(table => Object.hasOwn(table, name))

async function probe(feature: Feature): Promise<string | undefined> {
  if (isIn(tools, feature)) return lookFor(feature.slice('tool:'.length), tools[feature])
  if (isIn(paths, feature)) return existsSync(paths[feature]) ? undefined : `this kernel lacks ${feature}: there is no ${paths[feature]}`
  if (isIn(programs, feature)) {
    const [program, ...args] = programs[feature]
    return lookFor(program, program) ?? tryOut(feature, [program, ...args], '')
  }
  if (isIn(batches, feature)) return lookFor('ip', 'iproute2') ?? tryOut(feature, ['ip', '-batch', '-'], `${batches[feature].join('\n')}\n`)
  return special[feature]()
}

const isIn = <T extends object>(table: T, name: PropertyKey): name is keyof T => Object.hasOwn(table, name)

function lookFor(program: string, debianPackage: string): string | undefined {
  return findProgram(program) === undefined ? `${program} is not installed (Debian package ${debianPackage})` : undefined
}

async function tryOut(feature: string, command: string[], input: string): Promise<string | undefined> {
  const { code, stderr } = await attempt(undefined, 'unshare', ['--net', ...command], input)
  const [complaint = `exit code ${code}`] = stderr.split('\n').filter(line => line.trim() !== '')
  return code === 0 ? undefined : `this kernel lacks ${feature}: ${complaint.trim()}`
}

/** A container that hides parts of /sys keeps a user namespace from mounting its own; the outer one is seen then. */
async function ownSysfs(): Promise<string | undefined> {
  // The module of bonds has a file between the links there.
  const links = (await readdir('/sys/class/net')).filter(name => name !== 'bonding_masters')
  const lines = (await readFile('/proc/self/net/dev', 'utf8')).trimEnd().split('\n').slice(2)
  return links.length === lines.length ? undefined : '/sys shows another network namespace'
}

/** In the initial user namespace every uid means itself. */
async function initialUserNamespace(): Promise<string | undefined> {
  const map = (await readFile('/proc/self/uid_map', 'utf8')).trim().split(/\s+/).join(' ')
  return map === '0 0 4294967295' ? undefined : 'this run is in a user namespace, where root may less'
}
