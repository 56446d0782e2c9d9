// Which limits of the machine a plan would meet, before anything is done: each with the setting to change.
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import { mostPorts, type Survey } from './check.js'
import { labelOfNamespace } from './check-world.js'
import { descriptorBound } from './execute.js'
import type { PlanData } from './items.js'
import { type Machine, readMachine } from './preflight-machine.js'

/** A limit that the plan would meet. */
export interface Limit {
  /** 'descriptors', 'user.max_net_namespaces', 'ports of br0', 'net.ipv4.neigh.default.gc_thresh3', 'net.core.netdev_max_backlog', 'memory'. */
  readonly limit: string
  /** With what is in use already; 'memory' in bytes. */
  readonly need: number
  /** 'unknown' where it can only be read in the initial namespace: then it is told of when more is needed than the kernel's default gives. */
  readonly have: number | 'unknown'
  /** What to change. */
  readonly fix: string
  /** The plan would fail; otherwise it would go through, and what it makes would not work well. */
  readonly fatal: boolean
}
/** Ports of a bridge that is there, with those that the plan adds. */
export interface BridgeLoad {
  readonly label: string
  readonly ports: number
}

/** Of a namespace with a pair of links, measured from 0.25 to 0.4 MB. */
const bytesPerNamespace = 400_000
/** net.core.netdev_max_backlog, unless somebody has changed it. */
const usualBacklog = 1000
/** Namespaces and steps of a plan that apply() looks at the machine for. */
const large = 1000

export const isLarge = ({ namespaces, items }: PlanData): boolean => namespaces.length + items.length >= large

/** What a plan asks of the machine. */
export interface Needs {
  readonly namespaces: number
  readonly anonymous: number
  readonly existing: number
  /** That make them. */
  readonly threads?: number | undefined
  /** Addresses in namespaces of the plan, by family. */
  readonly addresses: Readonly<Record<4 | 6, number>>
}

export function needsOf({ namespaces, items }: PlanData): Needs {
  const made = namespaces.filter(item => 'make' in item)
  const addresses = { 4: 0, 6: 0 }
  for (const item of items)
    if (item.verb === 'addresses.add' || item.verb === 'addresses.replace')
      if (item.link !== 'lo' && 'make' in namespaces[item.in]!) addresses[item.cidr.includes(':') ? 6 : 4]++
  return {
    namespaces: made.length,
    anonymous: made.filter(item => 'make' in item && item.make.name === undefined).length,
    existing: namespaces.length - made.length,
    addresses,
  }
}

/** The limits that would be met; everything that is to be known is given. */
export function limitsMet(needs: Needs, machine: Machine, bridges: readonly BridgeLoad[]): Limit[] {
  const met: Limit[] = []
  const check = (limit: string, need: number, have: number | undefined, fatal: boolean, fix: string) => {
    if (have !== undefined && need > have) met.push({ limit, need, have, fix, fatal })
  }
  const { descriptors, namespaces, neighbours, backlog, memory } = machine
  const files = needs.anonymous + descriptorBound(needs.existing, needs.threads)
  const filesNeeded = (descriptors?.used ?? 0) + files
  const filesFix = `raise the limit of open files (ulimit -n, LimitNOFILE=) to ${filesNeeded} or more${needs.anonymous ? ', or give the namespaces names: without one each is held by a descriptor' : ''}`
  check('descriptors', filesNeeded, descriptors?.limit, true, filesFix)
  if (needs.namespaces) {
    const need = (namespaces?.used ?? 0) + needs.namespaces
    check('user.max_net_namespaces', need, namespaces?.limit, true, `sysctl -w user.max_net_namespaces=${2 * need}`)
  }
  for (const { label, ports } of bridges) {
    check(`ports of ${label}`, ports, mostPorts, true, `use more than one bridge: the kernel gives each ${mostPorts} ports`)
    if (backlog === undefined && ports > usualBacklog)
      met.push({ limit: backlogName, need: ports, have: 'unknown', fix: backlogFix(ports), fatal: false })
    check(backlogName, ports, backlog, false, backlogFix(ports))
  }
  for (const family of [4, 6] as const) {
    const table = neighbours[family]
    // Whoever talks to a router has an entry for it, and the router one for him.
    const more = 2 * needs.addresses[family]
    const key = `net.ipv${family}.neigh.default.gc_thresh3`
    const need = (table?.used ?? 0) + more
    if (more)
      check(
        key,
        need,
        table?.limit,
        false,
        `in the initial namespace: sysctl -w ${key}=${2 * need} (and gc_thresh2 to half of it): the table is shared by all namespaces`,
      )
  }
  const bytes = needs.namespaces * bytesPerNamespace
  check('memory', bytes, memory, false, `about ${bytesPerNamespace / 1000} kB of kernel memory a namespace: make fewer of them`)
  return met
}

const backlogName = 'net.core.netdev_max_backlog'
const backlogFix = (ports: number) =>
  `in the initial namespace: sysctl -w ${backlogName}=${2 * ports}: a broadcast reaches all ports of a bridge at once, and what does not fit is dropped`

/** Ports of the bridges that are there and get some from the plan, and of the largest that the plan makes. */
async function loadsOf(data: PlanData, { masters, largest }: Survey, sources: ReadonlyMap<number, Namespace>): Promise<BridgeLoad[]> {
  const loads: BridgeLoad[] = largest ? [largest] : []
  for (const { namespace, link, ports } of masters) {
    const source = sources.get(namespace)
    // A namespace that is not there yet has no bridges either.
    if (!source) continue
    const ref = link.startsWith('#') ? Number(link.slice(1)) : link
    const found = await source.links.find(ref)
    if (found?.kind !== 'bridge') continue
    const present = await source.links.list({ master: found.index })
    loads.push({ label: `${found.name} in ${labelOfNamespace(data.namespaces[namespace]!, namespace)}`, ports: present.length + ports })
  }
  return loads
}

export async function preflight(
  data: PlanData,
  survey: Survey,
  sources: ReadonlyMap<number, Namespace>,
  threads?: number,
): Promise<Limit[]> {
  const needs = { ...needsOf(data), threads }
  return limitsMet(needs, await readMachine(needs.namespaces), await loadsOf(data, survey, sources))
}

const codes: Readonly<Record<string, string>> = { descriptors: 'EMFILE', 'user.max_net_namespaces': 'ENOSPC' }

/** For plans so large that they may meet a limit: refuses what would fail half-way, and warns of what would not work well. */
export async function guard(data: PlanData, survey: Survey, sources: ReadonlyMap<number, Namespace>, threads?: number): Promise<void> {
  if (!isLarge(data)) return
  for (const { limit, need, have, fix, fatal } of await preflight(data, survey, sources, threads)) {
    const reason = `the plan needs ${need} (${limit}), and there ${have === 'unknown' ? `may be fewer` : `are ${have}`}`
    if (fatal) throw new NetloomError(codes[limit] ?? 'EXFULL', { operation: 'apply plan', subject: limit, reason, hint: fix })
    process.emitWarning(`${reason}: ${fix}`, { type: 'NetloomWarning', code: 'NETLOOM_PLAN_LIMIT' })
  }
}
