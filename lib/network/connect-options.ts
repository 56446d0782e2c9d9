// What connect() takes, checked before anything is looked at.
import { argumentError, shown } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import { type Check, type Checks, checkAt, checkOptions, isInteger, isList, isMac } from '../kernel/arguments.js'
import { checkInterfaceName, sysctlPath } from '../namespace/names.js'
import { checkNetworkName } from './options.js'

export interface ConnectOptions {
  /** The endpoint's name in the network, for inspect and for names; one of a kind in it. */
  readonly name?: string
  /** Further names; several endpoints may have the same. */
  readonly aliases?: readonly string[]
  /** Its IPv4 address; the next free one if not given. */
  readonly ip?: string
  /** Its IPv6 address. */
  readonly ip6?: string
  /** Its MAC address; if not given it follows from the IPv4 address. */
  readonly mac?: string
  /** What the interface is called inside; by default eth0, eth1 … */
  readonly interface?: string
  /** In bytes; if not given the network's. */
  readonly mtu?: number
  /** Of all networks of a namespace the one with the highest has the default route, of equal ones the first by name. */
  readonly gatewayPriority?: number
  /** Kernel settings of the namespace; IFNAME stands for the interface: { 'net.ipv4.conf.IFNAME.log_martians': 1 }. */
  readonly sysctls?: Readonly<Record<string, string | number>>
}

const isIp =
  (family: 4 | 6): Check =>
  value => {
    if (typeof value !== 'string' || ipFamily(value) !== family)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not an IPv${family} address`)
  }
const isName: Check = value => void checkNetworkName(value)
const isEthernet: Check = value => {
  isMac(6)(value)
  if (Number.parseInt((value as string).slice(0, 2), 16) & 1)
    throw argumentError('ERR_NETLOOM_INVALID_MAC', `${shown(value)} is a group address, which no interface can have`)
}
const isSysctls: Check = value => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw argumentError('ERR_NETLOOM_INVALID_OBJECT', `${shown(value)} is not an object`)
  for (const [key, setting] of Object.entries(value)) {
    checkAt(key, () => sysctlPath(key))
    if (typeof setting !== 'string' && typeof setting !== 'number')
      throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(setting)} is neither a string nor a number`, key)
  }
}

const checks: Checks<ConnectOptions> = {
  name: isName,
  aliases: isList(isName),
  ip: isIp(4),
  ip6: isIp(6),
  mac: isEthernet,
  interface: value => void checkInterfaceName(value),
  mtu: isInteger(68, 65535),
  gatewayPriority: isInteger(-0x8000_0000, 0x7fff_ffff),
  sysctls: isSysctls,
}

/** Options that belong to the firewall, which this version does not have. */
const firewalled = ['publish', 'expose', 'publishAll']

export function checkConnect(options: ConnectOptions, path = ''): void {
  for (const option of firewalled)
    if (typeof options === 'object' && options !== null && option in options)
      throw argumentError('ERR_NETLOOM_UNSUPPORTED_OPTION', 'ports cannot be published yet', `${path}${option}`)
  checkOptions<ConnectOptions>(options, checks, path.replace(/\.$/, ''))
}
