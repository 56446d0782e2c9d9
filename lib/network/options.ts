// What Networks.create() takes: Docker's names and short ones, checked as far as that goes without looking at the machine.
import { argumentError, shown } from '../codec/errors.js'
import { type Check, checkAt, checkOptions, conflict, isBoolean, isList, isObject, isOneOf, lacking } from '../kernel/arguments.js'
import {
  byDockersNames,
  type DriverName,
  type DriverSettings,
  driverSettings,
  drivers,
  shortNames,
  shortOptions,
} from './driver-options.js'

/** A subnet of a network. */
export interface Subnet {
  /** '172.28.0.0/16' */
  readonly subnet: string
  /** Where in it addresses are allocated: '172.28.5.0/24'. By default everywhere. */
  readonly ipRange?: string
  /** The address of the network's gateway; by default the first of the range. */
  readonly gateway?: string
  /** Addresses that are never allocated, by name: { router: '172.28.1.5' }. */
  readonly auxAddresses?: Readonly<Record<string, string>>
}

export interface NetworkCreate extends Partial<Subnet>, DriverSettings {
  readonly name: string
  /** 'bridge' by default. 'host' and 'none' exist once, predefined. */
  readonly driver?: 'bridge' | 'host' | 'none' | 'null' | 'macvlan' | 'ipvlan'
  /** In place of `subnet` and its companions where there are several: an endpoint gets an address of each family, from the first that has one. */
  readonly subnets?: readonly Subnet[]
  /** Gives the network IPv6 too: with a subnet of that family, or one that is made up under fd00::/8 (RFC 4193). */
  readonly ipv6?: boolean
  /** No way out of the network, and none in. */
  readonly internal?: boolean
  /** Kept for inspect: what is not part of a swarm can always be attached. */
  readonly attachable?: boolean
  /** Only `false`: ingress networks belong to a swarm. */
  readonly ingress?: boolean
  readonly labels?: Readonly<Record<string, string>>
  /** The driver's options, by Docker's names or the short ones. */
  readonly options?: Readonly<Record<string, string>>
  /** The name of a configOnly network, from which subnets, options and labels come. */
  readonly configFrom?: string
  /** Is nothing but a configuration for other networks. */
  readonly configOnly?: boolean
  /** Only 'local': networks over several machines need a cluster. */
  readonly scope?: string
  readonly ipam?: {
    /** Only 'default'. */
    readonly driver?: string
    /** 'com.docker.network.ipam.serial': 'false' allocates the lowest free address; by default they go round. */
    readonly options?: Readonly<Record<string, string>>
  }
}

/** A network as it is kept: everything that the caller said, in one form. */
export interface NetworkSpec {
  readonly name: string
  readonly driver: DriverName
  readonly subnets: readonly Subnet[]
  /** How the caller gave `subnets`, for the paths of later errors: 'subnets[0].' or ''. */
  readonly listed: boolean
  readonly ipv6: boolean
  readonly internal: boolean
  readonly attachable: boolean
  readonly configOnly: boolean
  readonly configFrom?: string
  readonly labels: Readonly<Record<string, string>>
  /** By Docker's names, as inspect shows them. */
  readonly options: Readonly<Record<string, string>>
  readonly ipamOptions: Readonly<Record<string, string>>
}

export const serialOption = 'com.docker.network.ipam.serial'
/** Names and ids share the place where a network is looked up, and Docker's rule keeps names out of paths and options. */
const networkName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

export function checkNetworkName(name: unknown, what = 'a network'): string {
  if (typeof name === 'string' && networkName.test(name)) return name
  const rule = 'a letter or digit, then up to 254 letters, digits, dots, dashes and underscores'
  throw argumentError('ERR_NETLOOM_INVALID_NAME', `${shown(name)} cannot name ${what}: names are ${rule}`)
}

const isString: Check = value => {
  if (typeof value !== 'string') throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(value)} is not a string`)
}
export const isTexts: Check = value => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw argumentError('ERR_NETLOOM_INVALID_OBJECT', `${shown(value)} is not an object of strings`)
  for (const [name, text] of Object.entries(value)) checkAt(name, () => isString(text))
}
const subnetChecks = { subnet: isString, ipRange: isString, gateway: isString, auxAddresses: isTexts }
/** What kind of value a short option has is the table's business. */
const isSetting: Check = () => undefined
const settingChecks = Object.fromEntries(shortNames.map(name => [name, isSetting])) as Record<keyof DriverSettings, Check>

const checks = {
  ...subnetChecks,
  ...settingChecks,
  name: (value: unknown) => void checkNetworkName(value),
  driver: isDriver,
  subnets: isList(isObject<Subnet>(subnetChecks)),
  ipv6: isBoolean,
  internal: isBoolean,
  attachable: isBoolean,
  ingress: isIngress,
  labels: isTexts,
  options: isTexts,
  configFrom: (value: unknown) => void checkNetworkName(value),
  configOnly: isBoolean,
  scope: isScope,
  ipam: isObject<NonNullable<NetworkCreate['ipam']>>({ driver: isIpamDriver, options: isIpamOptions }),
}

/** Checks what the caller said and gives it one form. Throws TypeErrors and RangeErrors with the field's path. */
export function networkSpec(given: NetworkCreate): NetworkSpec {
  checkOptions<NetworkCreate>(given, checks)
  if (given.name === undefined) throw lacking('name', 'a network needs a name')
  const driver = given.driver === undefined ? 'bridge' : (given.driver.replace(/^none$/, 'null') as DriverName)
  const { configFrom, configOnly = false } = given
  const operator = configOnly ? (['internal', 'attachable'] as const).find(name => given[name]) : undefined
  if (operator !== undefined) throw conflict(operator, 'is for the networks that are made from a configuration to say')
  const options = optionsOf(driver, given)
  const subnets = subnetsOf(given)
  if (driver === 'host' || driver === 'null') refuseSubnets(driver, given)
  if (configFrom !== undefined) checkConfigFrom(given, subnets, options)
  const spec = {
    name: given.name,
    driver,
    subnets,
    listed: given.subnets !== undefined,
    ipv6: given.ipv6 ?? false,
    internal: given.internal ?? false,
    attachable: given.attachable ?? false,
    configOnly,
    labels: { ...given.labels },
    options,
    ipamOptions: { ...given.ipam?.options },
  }
  return configFrom === undefined ? spec : { ...spec, configFrom }
}

/** What a network takes from the configuration that it names. */
export function configured(spec: NetworkSpec, config: NetworkSpec): NetworkSpec {
  if (!config.configOnly) throw conflict('configFrom', `${config.name} is a network itself; it was not made with configOnly`)
  const { subnets, listed, ipv6, labels, options, ipamOptions } = config
  driverSettings(spec.driver, options)
  return { ...spec, subnets, listed, ipv6, labels: { ...labels }, options, ipamOptions }
}

function optionsOf(driver: DriverName, given: NetworkCreate): Record<string, string> {
  const short = shortOptions(driver, given as unknown as Record<string, unknown>)
  const options = { ...given.options }
  for (const name of Object.keys(short))
    if (Object.hasOwn(options, name)) throw conflict(`options.${name}`, 'the same option is given by its short name too')
  driverSettings(driver, { ...options, ...short })
  return { ...byDockersNames(options), ...short }
}

function subnetsOf(given: NetworkCreate): Subnet[] {
  const { subnet, ipRange, gateway, auxAddresses, subnets } = given
  const flat = { ipRange, gateway, auxAddresses }
  const loose = Object.entries(flat).find(([, value]) => value !== undefined)?.[0]
  if (subnets !== undefined) {
    const doubled = subnet === undefined ? loose : 'subnet'
    if (doubled !== undefined) throw conflict(doubled, 'belongs into `subnets` where that is given')
    for (const [i, one] of subnets.entries()) if (one.subnet === undefined) throw lacking(`subnets[${i}].subnet`, 'every entry needs it')
    return subnets.map(copySubnet)
  }
  if (subnet !== undefined) return [copySubnet({ subnet, ...flat } as Subnet)]
  if (loose !== undefined) throw lacking('subnet', `${loose} says nothing without the subnet that it is in`)
  return []
}

function copySubnet({ subnet, ipRange, gateway, auxAddresses }: Subnet): Subnet {
  return {
    subnet,
    ...(ipRange !== undefined && { ipRange }),
    ...(gateway !== undefined && { gateway }),
    ...(auxAddresses !== undefined && { auxAddresses: { ...auxAddresses } }),
  }
}

function refuseSubnets(driver: DriverName, given: NetworkCreate): void {
  const field = (['subnets', 'subnet', 'ipv6'] as const).find(name => given[name])
  if (field !== undefined) throw conflict(field, `the driver ${driver} gives no addresses`)
}

function checkConfigFrom(given: NetworkCreate, subnets: readonly Subnet[], options: object): void {
  const own = { subnet: subnets.length > 0, options: Object.keys(options).length > 0 }
  const field = Object.entries({ ...own, ipv6: given.ipv6, labels: given.labels, ipam: given.ipam }).find(([, value]) => value)?.[0]
  if (field !== undefined) throw conflict(field, 'comes from the network that configFrom names')
  if (given.configOnly) throw conflict('configFrom', 'a configuration cannot itself come from another one')
}

function isDriver(value: unknown): void {
  if (value === 'overlay') throw argumentError('ERR_NETLOOM_UNSUPPORTED_OPTION', 'overlay networks need a cluster')
  isOneOf([...drivers, 'none'])(value)
}
function isIngress(value: unknown): void {
  isBoolean(value)
  if (value) throw argumentError('ERR_NETLOOM_UNSUPPORTED_OPTION', 'ingress networks belong to a swarm, and there is none here')
}
function isScope(value: unknown): void {
  isOneOf(['local', 'global', 'swarm'])(value)
  if (value !== 'local')
    throw argumentError(
      'ERR_NETLOOM_UNSUPPORTED_OPTION',
      `a network of scope ${value} spans the machines of a cluster; networks here are 'local'`,
    )
}
function isIpamDriver(value: unknown): void {
  isString(value)
  if (value !== 'default')
    throw argumentError(
      'ERR_NETLOOM_UNSUPPORTED_OPTION',
      `${shown(value)} would be a plugin of Docker's; addresses are allocated by 'default'`,
    )
}
function isIpamOptions(value: unknown): void {
  isTexts(value)
  for (const [name, text] of Object.entries(value as Record<string, string>)) {
    if (name !== serialOption) throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `there is no such option; there is ${serialOption}`, name)
    if (text !== 'true' && text !== 'false') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(text)} is not true or false`, name)
  }
}
