// Addresses of interfaces: what callers say of one, the message that the kernel takes, and what it reports.
import type { Decoded, Encodable } from '../codec/codec.js'
import { argumentError, rangeError } from '../codec/errors.js'
import { formatIp, ipFamily, networkOf, parseCidr } from '../codec/ip.js'
import { type addressFlags, type address as addressTable, forever } from '../protocol/address.js'
import {
  type Checks,
  checkAt,
  checkOptions,
  conflict,
  isAddress,
  isBoolean,
  isNumber,
  isOneOf,
  isText,
  isUnsigned,
  present,
} from './arguments.js'

export interface AddressOptions {
  /** IPv4 only. None is set unless it is given here, as `ip address add` does it. */
  readonly broadcast?: string
  /** The address at the other end of a point-to-point link; the prefix length then counts for it. */
  readonly peer?: string
  /** IPv4 only: a name for the address, at most 15 bytes, for old tools one that begins with the link's. */
  readonly label?: string
  /** IPv4 only, by default 'global'; IPv6 addresses say it themselves. */
  readonly scope?: 'global' | 'site' | 'link' | 'host'
  /** IPv6 only: usable at once, without looking for duplicates on the link. By default true on veth links, whose other end is ours, false elsewhere. */
  readonly noDad?: boolean
  /** No connected route. */
  readonly noPrefixRoute?: boolean
  /** Seconds until the kernel removes the address, from 1; Infinity, or left out: for ever. */
  readonly validLifetime?: number
  /** Seconds until the address is deprecated: not used for new connections. 0 to validLifetime, which it is by default. */
  readonly preferredLifetime?: number
  /** Of the connected route. */
  readonly metric?: number
}

/** An address of a link. Lifetimes are left out when they are endless, noDad and noPrefixRoute when they are off. */
export interface Address extends Omit<AddressOptions, 'scope'> {
  /** '10.0.1.2' */
  readonly address: string
  /** Length of the prefix, in bits. */
  readonly prefix: number
  /** '10.0.1.2/24' */
  readonly cidr: string
  readonly family: 4 | 6
  /** ifindex */
  readonly link: number
  /** 'global', 'site', 'link', 'host', or a number. */
  readonly scope: string
  /** In `ip`'s words: 'secondary', 'temporary', 'tentative', 'deprecated', 'dadfailed', 'nodad', 'dynamic' (it has a lifetime) … */
  readonly flags: readonly string[]
}

export type AddressMessage = Encodable<typeof addressTable>
type RawAddress = Decoded<typeof addressTable>

const lifetime = isNumber(0, Number.POSITIVE_INFINITY)

const checks: Checks<AddressOptions> = {
  broadcast: isAddress,
  peer: isAddress,
  label: isText(15),
  scope: isOneOf(['global', 'site', 'link', 'host']),
  noDad: isBoolean,
  noPrefixRoute: isBoolean,
  validLifetime: lifetime,
  preferredLifetime: lifetime,
  metric: isUnsigned,
}
/** Which family has it, for the options that the kernel ignores silently in the other. */
const onlyIn = { broadcast: 4, label: 4, scope: 4, noDad: 6 } as const

/** What is sent to add an address, less the link's index. `noDad` is what happens when the options don't say. */
export function addressMessage(cidr: string, options: AddressOptions = {}, noDad = false): AddressMessage {
  const { address, prefix, family } = checkAt('cidr', () => parseCidr(cidr))
  checkOptions(options, checks, 'options')
  for (const [name, only] of Object.entries(onlyIn))
    if (options[name as keyof typeof onlyIn] !== undefined && family !== only)
      throw conflict(`options.${name}`, `IPv${family} addresses have no ${name}`)
  const { broadcast, peer, label, scope, noPrefixRoute, metric } = options
  for (const [name, other] of Object.entries({ broadcast, peer }))
    if (other !== undefined && ipFamily(other) !== family)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${other} is not an IPv${family} address, as ${cidr} is`, `options.${name}`)
  const flags = [
    ...(family === 6 && (options.noDad ?? noDad) ? (['nodad'] as const) : []),
    ...(noPrefixRoute ? (['noprefixroute'] as const) : []),
  ]
  return present({
    family: family === 4 ? ('inet' as const) : ('inet6' as const),
    prefixlen: prefix,
    scope: scope,
    local: address,
    address: peer ?? address,
    broadcast,
    label,
    flags: flags.length ? flags : undefined,
    rtPriority: metric,
    cacheinfo: lifetimes(options),
  }) as AddressMessage
}

/** What is sent to remove one. */
export function addressKey(cidr: string, options: Pick<AddressOptions, 'peer'> = {}): AddressMessage {
  checkOptions(options, { peer: isAddress }, 'options')
  const { family, prefixlen, local, address } = addressMessage(cidr, options)
  return { family, prefixlen, local, address } as AddressMessage
}

function lifetimes({ validLifetime, preferredLifetime }: AddressOptions): { preferred: number; valid: number } | undefined {
  if (validLifetime === undefined && preferredLifetime === undefined) return undefined
  const valid = seconds(validLifetime, 'options.validLifetime')
  const preferred = preferredLifetime === undefined ? valid : seconds(preferredLifetime, 'options.preferredLifetime')
  if (valid === 0) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'an address is valid for at least one second', 'options.validLifetime')
  if (preferred > valid)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'an address cannot be preferred for longer than it is valid', 'options.preferredLifetime')
  return { preferred, valid }
}

function seconds(value: number | undefined, path: string): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return forever
  if (!Number.isInteger(value)) throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${value} is not a whole number of seconds`, path)
  if (value >= forever) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (0 to ${forever - 1}, or Infinity)`, path)
  return value
}

/** '10.0.1.0/24' is the name of a network; on a link it works as an address, though seldom as somebody meant it. */
export function networkAddressWarning(cidr: string): string | undefined {
  const { address, prefix, family, bytes } = parseCidr(cidr)
  if (family !== 4 || prefix >= 31 || formatIp(networkOf(bytes, prefix)) !== address) return undefined
  return `${cidr}: this is the address of the network itself; hosts in it have others`
}

/** The caller's name of a field of the message. */
export function addressField([first]: readonly string[]): string | undefined {
  switch (first) {
    case undefined:
      return undefined
    case 'index':
      return 'link'
    case 'local':
    case 'address':
    case 'prefixlen':
    case 'family':
      return 'cidr'
    case 'cacheinfo':
      return 'options.validLifetime'
    case 'rtPriority':
      return 'options.metric'
    default:
      return `options.${first}`
  }
}

export const isAddressFamily = (raw: RawAddress): boolean => raw.family === 'inet' || raw.family === 'inet6'

/** `ip`'s words for the flags that the kernel calls otherwise. */
const words: Partial<Record<string, string>> = {
  homeaddress: 'home',
  managetempaddr: 'mngtmpaddr',
  mcautojoin: 'autojoin',
  stablePrivacy: 'stable-privacy',
}

function flagNames(set: readonly string[], family: 4 | 6): string[] {
  const names = set
    .filter(flag => flag !== 'permanent')
    .map(flag => (flag === 'secondary' && family === 6 ? 'temporary' : (words[flag] ?? flag)))
  return set.includes('permanent') ? names : [...names, 'dynamic']
}

const finite = (lifetime: number | undefined) => (lifetime === forever ? undefined : lifetime)

/** An address as callers see it. */
export function toAddress(raw: RawAddress): Address {
  const family = raw.family === 'inet' ? 4 : 6
  const address = raw.local ?? raw.address ?? ''
  const set: readonly string[] = raw.flags ?? raw.headerFlags
  const has = (flag: keyof typeof addressFlags) => (set.includes(flag) ? true : undefined)
  return {
    address,
    prefix: raw.prefixlen,
    cidr: `${address}/${raw.prefixlen}`,
    family,
    link: raw.index,
    scope: typeof raw.scope === 'number' ? String(raw.scope) : raw.scope,
    flags: flagNames(set, family),
    ...present({
      broadcast: raw.broadcast,
      peer: raw.address === address ? undefined : raw.address,
      label: raw.label,
      noDad: has('nodad'),
      noPrefixRoute: has('noprefixroute'),
      validLifetime: finite(raw.cacheinfo?.valid),
      preferredLifetime: finite(raw.cacheinfo?.preferred),
      metric: raw.rtPriority || undefined,
    }),
  }
}
