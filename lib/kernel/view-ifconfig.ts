// A link and its addresses with the columns of ifconfig.
import { formatIp, networkOf, parseIp } from '../codec/ip.js'
import type { Address } from './address-object.js'
import { present } from './arguments.js'
import { flagsWord, oldFlagNames } from './link-flags.js'
import type { Link } from './link-object.js'

export interface IfconfigView {
  /** 'eth0', or the label of one of its addresses: 'eth0:1'. */
  readonly name: string
  /** The flags word: 4163. */
  readonly flags: number
  /** What its bits mean: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST']. */
  readonly flagNames: readonly string[]
  /** In bytes. */
  readonly mtu: number
  readonly inet?: {
    readonly address: string
    /** '255.255.255.0' */
    readonly netmask: string
    /** '0.0.0.0' when none is set; absent where the link has no broadcast at all. */
    readonly broadcast?: string
    /** The other end of a point-to-point link. */
    readonly destination?: string
  }
  /** Of the link itself, not of its further labels. */
  readonly inet6: readonly { readonly address: string; readonly prefixlen: number; readonly scopeid: number }[]
  /** The MAC address of Ethernet-like links. */
  readonly ether?: string
  /** In packets. */
  readonly txqueuelen: number
  /** Counters, when the link was read with statistics. */
  readonly rx?: Counters & { readonly frame: number }
  readonly tx?: Counters & { readonly carrier: number; readonly collisions: number }
}
interface Counters {
  readonly packets: number
  readonly bytes: number
  readonly errors: number
  readonly dropped: number
  readonly overruns: number
}

/** The scopes of IPv6 addresses by ifconfig's numbers (IPV6_ADDR_, net/ipv6.h). */
const scopeIds: Readonly<Record<string, number>> = { global: 0, host: 0x10, link: 0x20, site: 0x40 }
const wholeMask = parseIp('255.255.255.255')

/**
 * What `ifconfig eth0` shows: `ifconfigView(await ns.links.get('eth0'), await ns.addresses.list())`. As there, only the first IPv4 address under
 * a label is seen; `label` picks those of 'eth0:1'. Addresses of other links may be among those given.
 *
 * @example
 * ifconfigView(
 *   { index: 2, name: 'eth0', type: 'ether', mac: '02:42:0a:00:01:02', mtu: 1500, flags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST', 'LOWER_UP'], txQueueLength: 1000 },
 *   [{ link: 2, family: 4, address: '10.0.1.2', prefix: 24, broadcast: '10.0.1.255', label: 'eth0', scope: 'global' }],
 * )
 * // {
 * //   name: 'eth0', flags: 4163, flagNames: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'], mtu: 1500,
 * //   inet: { address: '10.0.1.2', netmask: '255.255.255.0', broadcast: '10.0.1.255' },
 * //   inet6: [], ether: '02:42:0a:00:01:02', txqueuelen: 1000,
 * // }
 */
export function ifconfigView(
  link: Pick<Link, 'index' | 'name' | 'type' | 'mac' | 'mtu' | 'flags' | 'txQueueLength' | 'statistics'>,
  addresses: readonly Pick<Address, 'link' | 'family' | 'address' | 'prefix' | 'broadcast' | 'peer' | 'label' | 'scope'>[],
  label: string = link.name,
): IfconfigView {
  const itself = label === link.name
  const own = addresses.filter(address => address.link === link.index)
  const inet = own.find(address => address.family === 4 && (address.label ?? link.name) === label)
  const has = (flag: string) => link.flags.includes(flag)
  return {
    name: label,
    flags: flagsWord(link.flags),
    flagNames: oldFlagNames(link.flags),
    mtu: link.mtu,
    ...present({
      inet: inet && {
        address: inet.address,
        netmask: netmask(inet.prefix),
        ...present({
          broadcast: has('BROADCAST') ? (inet.broadcast ?? '0.0.0.0') : undefined,
          destination: has('POINTOPOINT') ? (inet.peer ?? inet.address) : undefined,
        }),
      },
    }),
    inet6: itself ? own.filter(({ family }) => family === 6).map(inet6) : [],
    ...present({ ether: link.type === 'ether' ? link.mac : undefined }),
    txqueuelen: link.txQueueLength,
    ...(itself && link.statistics ? counters(link.statistics) : {}),
  }
}

/** 24 → '255.255.255.0' */
export const netmask = (prefix: number): string => formatIp(networkOf(wholeMask, prefix))

const inet6 = ({ address, prefix, scope }: Pick<Address, 'address' | 'prefix' | 'scope'>) => ({
  address,
  prefixlen: prefix,
  scopeid: scopeIds[scope] ?? 0,
})

/** As the kernel sums them up for /proc/net/dev. */
function counters(of: NonNullable<Link['statistics']>): Pick<IfconfigView, 'rx' | 'tx'> {
  return {
    rx: {
      packets: of.rxPackets,
      bytes: of.rxBytes,
      errors: of.rxErrors,
      dropped: of.rxDropped + of.rxMissedErrors,
      overruns: of.rxFifoErrors,
      frame: of.rxLengthErrors + of.rxOverErrors + of.rxCrcErrors + of.rxFrameErrors,
    },
    tx: {
      packets: of.txPackets,
      bytes: of.txBytes,
      errors: of.txErrors,
      dropped: of.txDropped,
      overruns: of.txFifoErrors,
      carrier: of.txCarrierErrors + of.txAbortedErrors + of.txWindowErrors + of.txHeartbeatErrors,
      collisions: of.collisions,
    },
  }
}
