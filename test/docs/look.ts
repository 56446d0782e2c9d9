// How what a command prints and what a call gives become comparable: one Look for each row that only looks.
import type { Link } from '../../lib/index.js'

export interface Look {
  /** `ip` and `bridge` can say it as JSON: the same command with -j. */
  readonly json: boolean
  theirs(text: string): unknown
  ours(value: unknown, facts: Facts): unknown
}
export interface Facts {
  /** Names of box's links by index. */
  readonly names: ReadonlyMap<number, string>
}

/** Of a command's text. V is what the call gives. */
export const text = <V>(theirs: (text: string) => unknown, ours: (value: V, facts: Facts) => unknown): Look => ({
  json: false,
  theirs,
  ours: (value, facts) => ours(value as V, facts),
})
/** Of the entries in a command's JSON, but for empty ones, which stand for what a filter has left out. */
export const json = <E extends object, V>(theirs: (entries: E[]) => unknown, ours: (value: V, facts: Facts) => unknown): Look => ({
  json: true,
  theirs: printed => theirs((JSON.parse(printed) as E[]).filter(entry => Object.keys(entry).length > 0)),
  ours: (value, facts) => ours(value as V, facts),
})

/** Orders what comes in no order. */
export const sorted = <T>(list: readonly T[]): T[] => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
/** Without the fields that are not there. */
export const defined = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
export const nameOf = (index: number | undefined, { names }: Facts) => (index === undefined ? undefined : names.get(index))
/** The words of each line. */
export const table = (printed: string): string[][] =>
  printed
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(words => words[0] !== '')

/** A link as `ip -j -d link` has it. */
export interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly qdisc: string
  readonly operstate: string
  readonly master?: string
  readonly group: string
  readonly txqlen?: number
  readonly link_type: string
  readonly address: string
  readonly broadcast: string
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: Readonly<Record<string, unknown>>
    readonly info_slave_data?: Readonly<Record<string, unknown>>
  }
}
const own = ['NO-CARRIER', 'M-DOWN']
export const theirLink = (link: IpLink) =>
  defined({
    index: link.ifindex,
    name: link.ifname,
    // `ip` leaves RUNNING out, and has words of its own for what is missing.
    flags: sorted(link.flags.filter(flag => !own.includes(flag))),
    mtu: link.mtu,
    qdisc: link.qdisc,
    state: link.operstate,
    master: link.master,
    group: link.group === 'default' ? 0 : Number(link.group),
    txqueuelen: link.txqlen ?? 0,
    type: link.link_type,
    mac: link.address,
    broadcast: link.broadcast,
    kind: link.linkinfo?.info_kind,
  })
export const ourLink = (link: Link, facts: Facts) =>
  defined({
    index: link.index,
    name: link.name,
    flags: sorted(link.flags.filter(flag => flag !== 'RUNNING')),
    mtu: link.mtu,
    qdisc: link.qdisc,
    state: link.operState.toUpperCase(),
    master: nameOf(link.master, facts),
    group: link.group,
    txqueuelen: link.txQueueLength,
    type: link.type,
    mac: link.mac,
    broadcast: link.broadcast,
    kind: link.kind,
  })
