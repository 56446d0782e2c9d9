// What connect() takes, checked before anything is looked at.
import { argumentError, shown } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import { type Check, type Checks, checkAt, checkOptions, conflict, isBoolean, isInteger, isList, isMac } from '../kernel/arguments.js'
import { checkInterfaceName, sysctlPath } from '../namespace/names.js'
import { checkNetworkName, isTexts } from './options.js'
import { exposedPorts, type PortWish, type Publish, portWish } from './port-options.js'

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
  /** Options by Docker's names (--driver-opt): 'com.docker.network.endpoint.ifname' is `interface`, '….sysctls' is `sysctls`, with commas between. */
  readonly options?: Readonly<Record<string, string>>
  /** Ports that the host shall have too. */
  readonly publish?: readonly Publish[]
  /** Ports that are there to be published: 80, '53/udp', '8000-8010'. */
  readonly expose?: readonly (number | string)[]
  /** Publishes all exposed ports, each on a free one of the host. */
  readonly publishAll?: boolean
}

const isIp =
  (family: 4 | 6): Check =>
  value => {
    if (typeof value !== 'string' || ipFamily(value) !== family)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not an IPv${family} address`)
  }
const isName: Check = value => void checkNetworkName(value, 'an endpoint')
const isEthernet: Check = value => {
  isMac(6)(value)
  if (Number.parseInt((value as string).slice(0, 2), 16) & 1)
    throw argumentError('ERR_NETLOOM_INVALID_MAC', `${shown(value)} is a group address, which no interface can have`)
  if (/^[0:]*$/.test(value as string)) throw argumentError('ERR_NETLOOM_INVALID_MAC', 'no interface can have the address of zeros')
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
  options: isTexts,
  publish: isList(() => undefined),
  expose: isList(() => undefined),
  publishAll: isBoolean,
}

/** What Docker's names stand for, and how their text is read. */
const dockerNames: Readonly<Record<string, { readonly short: 'interface' | 'sysctls'; read(text: string): unknown }>> = {
  'com.docker.network.endpoint.ifname': { short: 'interface', read: text => text },
  'com.docker.network.endpoint.sysctls': { short: 'sysctls', read: readSysctls },
}

/** 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.arp_ignore=1' */
function readSysctls(text: string): Record<string, string> {
  const settings = text.split(',').map(part => /^([^=]+)=(.*)$/.exec(part)?.slice(1) as [string, string] | undefined)
  if (settings.every(setting => setting !== undefined)) return Object.fromEntries(settings)
  throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(text)} is no list of settings such as net.ipv4.conf.IFNAME.arp_ignore=1`)
}

/** Checks the options, and gives them with what they say by Docker's names in their own. */
export function readConnect(options: ConnectOptions, path = ''): ConnectOptions {
  checkOptions<ConnectOptions>(options, checks, path.replace(/\.$/, ''))
  portsOf(options, path)
  const said: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(options.options ?? {})) {
    const at = `${path}options.${name}`
    const option = Object.hasOwn(dockerNames, name) ? dockerNames[name] : undefined
    if (!option) {
      const offer = `there are ${Object.keys(dockerNames).join(', ')}`
      throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `endpoints have no such option; ${offer}`, at)
    }
    const { short } = option
    if (options[short] !== undefined) throw conflict(at, `${short} is given too, and is the same`)
    said[short] = checkAt(at, () => {
      const value = option.read(text)
      checks[short](value)
      return value
    })
  }
  // As the kernel tells it: by its address an interface is known again.
  return { ...options, ...said, ...(options.mac !== undefined && { mac: options.mac.toLowerCase() }) }
}

/** The ports that are to be published, and all that are exposed: those published are. */
export function portsOf(
  { publish = [], expose = [], publishAll = false }: ConnectOptions,
  path: string,
): { wishes: readonly PortWish[]; exposed: readonly string[] } {
  const wishes = publish.map((one, i) => portWish(one, `${path}publish[${i}]`))
  const named = exposedPorts(expose, `${path}expose`)
  const published = wishes.flatMap(({ container: { first, last }, protocol }) =>
    Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`),
  )
  const all = publishAll ? named.filter(one => !published.includes(one)).map(one => portWish({ containerPort: one }, `${path}expose`)) : []
  return { wishes: [...wishes, ...all], exposed: [...new Set([...named, ...published])] }
}
