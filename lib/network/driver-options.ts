// The options of the drivers: Docker's name of each, the short one, and how its text is read and written.
import { argumentError, rangeError, shown } from '../codec/errors.js'
import { parseIpv4 } from '../codec/ip.js'
import { checkAt } from '../kernel/arguments.js'
import { checkInterfaceName } from '../namespace/names.js'
import { hostAddress } from './port-options.js'
import type { NetworkRecord } from './records.js'

export const drivers = ['bridge', 'host', 'null', 'macvlan', 'ipvlan'] as const
export type DriverName = (typeof drivers)[number]

/** What the drivers are told; what is missing has the driver's default. */
export interface DriverSettings {
  /** The name of the bridge; by default br- and twelve digits of the network's id. */
  readonly bridge?: string
  /** May the endpoints of the network reach each other? By default they do. */
  readonly icc?: boolean
  /** Do packets that leave the machine get its address as their source? By default they do. */
  readonly masquerade?: boolean
  /** The host address that ports are published on unless they say one. By default all. */
  readonly hostBinding?: string
  /** The source address of packets that leave the machine, in place of that of the interface they leave by. */
  readonly hostIpv4?: string
  readonly mtu?: number
  /** What the interfaces inside are called, before their number: by default 'eth'. */
  readonly interfacePrefix?: string
  /** Of macvlan and ipvlan: the interface of the host that the network is on. */
  readonly parent?: string
  readonly macvlanMode?: (typeof macvlanModes)[number]
  /** Who routes: the endpoint itself ('l2', by default), or the host, past its firewall ('l3') or through it ('l3s'). */
  readonly ipvlanMode?: (typeof ipvlanModes)[number]
  /** Whether endpoints on one parent reach each other: 'bridge' (by default) straight, 'vepa' by way of the switch outside, 'private' not. */
  readonly ipvlanFlag?: (typeof ipvlanFlags)[number]
}

/** Below that the kernel has no IPv6 on a link (RFC 8200). */
export const leastMtu6 = 1280

const macvlanModes = ['bridge', 'vepa', 'private', 'passthru'] as const
const ipvlanModes = ['l2', 'l3', 'l3s'] as const
const ipvlanFlags = ['bridge', 'private', 'vepa'] as const

interface Option {
  readonly docker: string
  /** Other names that Docker takes for it. */
  readonly also?: readonly string[]
  readonly drivers: readonly DriverName[]
  read(text: string): unknown
}

/** As Docker reads truth values. */
function readBoolean(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(text)} is not true or false`)
}
function readIpv4(text: string): string {
  if (!parseIpv4(text)) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(text)} is not an IPv4 address`)
  return text
}
/** IPv4 works from 68 bytes on; the kernel's own bound of an Ethernet device is 65535. */
function readMtu(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(text)} is not a number of bytes`)
  const value = Number(text)
  if (value < 68 || value > 65535) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (68 to 65535)`)
  return value
}
function readPrefix(text: string): string {
  if (text === '') throw argumentError('ERR_NETLOOM_INVALID_NAME', 'interfaces cannot be called by their numbers alone')
  checkInterfaceName(`${text}0000`)
  return text
}
const readOneOf =
  (words: readonly string[]) =>
  (text: string): string => {
    if (!words.includes(text)) throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(text)} is none of ${words.join(', ')}`)
    return text
  }

const table: { readonly [K in keyof Required<DriverSettings>]: Option } = {
  bridge: { docker: 'com.docker.network.bridge.name', drivers: ['bridge'], read: text => checkInterfaceName(text) },
  icc: { docker: 'com.docker.network.bridge.enable_icc', drivers: ['bridge'], read: readBoolean },
  masquerade: { docker: 'com.docker.network.bridge.enable_ip_masquerade', drivers: ['bridge'], read: readBoolean },
  hostBinding: { docker: 'com.docker.network.bridge.host_binding_ipv4', drivers: ['bridge'], read: hostAddress },
  hostIpv4: { docker: 'com.docker.network.host_ipv4', drivers: ['bridge'], read: readIpv4 },
  mtu: { docker: 'com.docker.network.driver.mtu', drivers: ['bridge', 'macvlan', 'ipvlan'], read: readMtu },
  interfacePrefix: { docker: 'com.docker.network.container_iface_prefix', drivers: ['bridge', 'macvlan', 'ipvlan'], read: readPrefix },
  parent: { docker: 'parent', drivers: ['macvlan', 'ipvlan'], read: text => checkInterfaceName(text) },
  macvlanMode: { docker: 'macvlan_mode', also: ['mode'], drivers: ['macvlan'], read: readOneOf(macvlanModes) },
  ipvlanMode: { docker: 'ipvlan_mode', drivers: ['ipvlan'], read: readOneOf(ipvlanModes) },
  ipvlanFlag: { docker: 'ipvlan_flag', drivers: ['ipvlan'], read: readOneOf(ipvlanFlags) },
}
const names = Object.keys(table) as (keyof DriverSettings)[]

/** Docker's options that have no meaning here, each with the reason. */
const meaningless: Readonly<Record<string, string>> = {
  'com.docker.network.bridge.inhibit_ipv4': 'a bridge without its gateway address is made with Namespace.links.create()',
  'com.docker.network.driver.overlay.vxlanid_list': 'there is no overlay driver: it needs a cluster',
  encrypted: 'there is no overlay driver: it needs a cluster',
}
const defaultBridge = 'com.docker.network.bridge.default_bridge'

/** Docker's name of an option, for inspect. */
export const dockerName = (option: keyof DriverSettings): string => table[option].docker

/** The options as the driver understands them. Throws for what the driver does not know; paths begin with `options.`. */
export function driverSettings(driver: DriverName, options: Readonly<Record<string, string>>): DriverSettings {
  const settings: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(options)) {
    const path = `options.${name}`
    if (name === defaultBridge) checkDefaultBridge(text, path)
    else {
      const option = optionOf(name, driver, path)
      if (settings[option] !== undefined) throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${table[option].docker} is given twice`, path)
      settings[option] = checkAt(path, () => table[option].read(text))
    }
  }
  return settings
}

/** Options of which each has Docker's name, as inspect shows them. */
export const byDockersNames = (options: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(options).map(([name, text]) => [
      names.find(short => short === name) ? dockerName(name as keyof DriverSettings) : name,
      text,
    ]),
  )

/** What a network's driver was told. */
export const settingsOf = ({ spec }: NetworkRecord): DriverSettings => driverSettings(spec.driver, spec.options)

/** The short forms as Docker's options; `undefined` is "not given". */
export function shortOptions(driver: DriverName, given: Readonly<Record<string, unknown>>): Record<string, string> {
  const options: Record<string, string> = {}
  for (const name of names) {
    const value = given[name]
    if (value === undefined) continue
    if (!table[name].drivers.includes(driver)) throw argumentError('ERR_NETLOOM_INVALID_OPTION', notOfDriver(name, driver), name)
    const [form, code] = formOf(name)
    if (kindOf(value) !== form) throw argumentError(code, `${shown(value)} is not a ${form}`, name)
    const text = String(value)
    checkAt(name, () => table[name].read(text))
    options[table[name].docker] = text
  }
  return options
}
export const shortNames: readonly string[] = names

function formOf(name: keyof DriverSettings): [form: string, code: string] {
  if (name === 'icc' || name === 'masquerade') return ['boolean', 'ERR_NETLOOM_INVALID_BOOLEAN']
  return name === 'mtu' ? ['number', 'ERR_NETLOOM_INVALID_NUMBER'] : ['string', 'ERR_NETLOOM_INVALID_STRING']
}
const kindOf = (value: unknown): string => typeof value

function optionOf(name: string, driver: DriverName, path: string): keyof DriverSettings {
  const option = names.find(short => table[short].docker === name || table[short].also?.includes(name) || short === name)
  if (option === undefined) {
    const why = Object.hasOwn(meaningless, name) ? meaningless[name] : undefined
    if (why !== undefined) throw argumentError('ERR_NETLOOM_UNSUPPORTED_OPTION', why, path)
    const known = names.filter(short => table[short].drivers.includes(driver)).map(short => table[short].docker)
    const offer = known.length ? `it has ${known.join(', ')}` : 'it has none'
    throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `the driver ${driver} has no such option; ${offer}`, path)
  }
  if (!table[option].drivers.includes(driver)) throw argumentError('ERR_NETLOOM_INVALID_OPTION', notOfDriver(option, driver), path)
  return option
}
const notOfDriver = (name: keyof DriverSettings, driver: DriverName) =>
  `the driver ${driver} has no such option; it is for ${table[name].drivers.join(' and ')}`

function checkDefaultBridge(text: string, path: string): void {
  if (checkAt(path, () => readBoolean(text)))
    throw argumentError('ERR_NETLOOM_UNSUPPORTED_OPTION', "only the predefined network 'bridge' is the default one; leave it out", path)
}
