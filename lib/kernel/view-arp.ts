// IPv4 neighbours with the columns of `arp -n`.
import type { Link } from './link-object.js'
import type { Neighbour } from './neighbours.js'

/** A line of `arp -n`, its columns in the tool's order. */
export interface ArpView {
  readonly address: string
  /** 'ether'; '' while nobody has answered, '*' for an address that this host answers for. */
  readonly hwType: string
  /** The MAC, '(incomplete)' or '<from_interface>'. */
  readonly hwAddress: string
  /** C complete, M made by hand (permanent), P published (proxy). */
  readonly flags: string
  /** Linux has masks no longer. */
  readonly mask: ''
  readonly iface: string
}

/** Nothing is resolved, or need be: `arp` passes over them. */
const hidden: readonly string[] = ['none', 'noarp']
/** Nobody has answered, or nobody any more. */
const unanswered: readonly string[] = ['incomplete', 'failed']
/** What the old tools call the types of links that they call otherwise. */
const hardware: Readonly<Record<string, string>> = { loopback: 'loop', none: 'unspec' }

/**
 * What `arp -n` shows: `arpView(await ns.neighbours.list(), await ns.links.list())`; IPv6 neighbours are left out, as there.
 *
 * @example
 * arpView(
 *   [{ address: '10.0.1.9', family: 4, mac: '02:00:00:00:00:09', link: 2, state: 'permanent', flags: [] }],
 *   [{ index: 2, name: 'eth0', type: 'ether' }],
 * )
 * // [{ address: '10.0.1.9', hwType: 'ether', hwAddress: '02:00:00:00:00:09', flags: 'CM', mask: '', iface: 'eth0' }]
 */
export function arpView(neighbours: readonly Neighbour[], links: readonly Pick<Link, 'index' | 'name' | 'type'>[]): ArpView[] {
  const shown = neighbours.filter(({ family, state, proxy }) => family === 4 && (proxy || !hidden.includes(state)))
  return shown.map(neighbour => {
    const { address, mac = '', state, proxy } = neighbour
    const link = links.find(({ index }) => index === neighbour.link)
    const type = link?.type ?? ''
    const line = (hwType: string, hwAddress: string, flags: string): ArpView => ({
      address,
      hwType,
      hwAddress,
      flags,
      mask: '',
      iface: link?.name ?? String(neighbour.link),
    })
    if (proxy) return line('*', '<from_interface>', 'MP')
    if (unanswered.includes(state)) return line('', '(incomplete)', '')
    return line(hardware[type] ?? type, mac, state === 'permanent' ? 'CM' : 'C')
  })
}
