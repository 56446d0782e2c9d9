// What callers say of a link, checked and turned into the kernel's message; and the way back from a field of the message to the caller's.
import type { Encodable } from '../codec/codec.js'
import { argumentError } from '../codec/errors.js'
import { parseMac } from '../codec/ip.js'
import { checkInterfaceName } from '../namespace/names.js'
import type { NamespaceSource } from '../namespace/source.js'
import type { link as linkTable } from '../protocol/link.js'
import {
  isKind,
  type Kind,
  type KindWith,
  type OptionsOf,
  type PortOptions,
  portRule,
  publicName,
  type Rule,
  ruleOf,
  toWire,
} from './link-kinds.js'
import type { LinkRef } from './scope.js'

/** 'none': no IPv6 on the device. 'static': addresses that are given, none that the kernel makes up. 'kernel': the kernel's own defaults. */
export type Ipv6Policy = 'none' | 'static' | 'kernel'

export interface LinkFields {
  /** 1 to 15 bytes without '/', ':' and white space; left out, the kernel numbers one: veth0, veth1 … */
  readonly name?: string
  /** '02:42:ac:11:00:02'; left out, the kernel makes one up. */
  readonly mac?: string
  /** Largest payload of a frame, in bytes. */
  readonly mtu?: number
  readonly up?: boolean
  /** Free text of at most 255 bytes; '' removes it. */
  readonly alias?: string
  /** Alternative names, at most 127 bytes each. */
  readonly altNames?: readonly string[]
  readonly group?: number
  readonly txQueueLength?: number
  /** Only when it is made: 1 to 4096, by default one for each possible processor. */
  readonly txQueues?: number
  readonly rxQueues?: number
  /** The ifindex it is to have; only when it is made. */
  readonly index?: number
  readonly ipv6?: Ipv6Policy
  /** Settings as a port of a bridge; needs `master`. */
  readonly port?: PortOptions
}
interface Placed extends LinkFields {
  /** The bridge it becomes a port of, looked up in the namespace that the link will be in. */
  readonly master?: LinkRef
  /** Where it is made; left out, here. */
  readonly namespace?: NamespaceSource
}
export type PeerCreate = Placed
type Lower<K> = K extends KindWith<'lower'> ? (K extends 'vxlan' ? { readonly link?: LinkRef } : { readonly link: LinkRef }) : unknown
type Options<K extends Kind> = K extends 'veth'
  ? { readonly peer?: PeerCreate }
  : K extends KindWith<'required'>
    ? { readonly options: OptionsOf<K> }
    : { readonly options?: OptionsOf<K> }
/** A kind without a table: passed to the kernel as it is, its options as bytes. */
export type OtherKind = `other:${string}`
/** What links.create() takes for a kind: common fields flat, the kind's own as `options`. */
export type LinkCreateOf<K extends Kind | OtherKind> = Placed & { readonly kind: K } & (K extends Kind
    ? Lower<K> & Options<K>
    : { readonly link?: LinkRef; readonly options?: Uint8Array })
export type LinkCreate = { [K in Kind | OtherKind]: LinkCreateOf<K> }[Kind | OtherKind]
/** What links.update() takes: only what is given changes; `master: null` frees the port. */
export type LinkChange = Omit<LinkFields, 'index' | 'txQueues' | 'rxQueues'> & {
  readonly master?: LinkRef | null
  /** Of the link's own kind, as in create(). */
  readonly options?: object
}

type LinkMessage = Encodable<typeof linkTable>

/** Public name → attribute, for the fields that are the same thing under another word. */
const attributes = {
  name: 'ifname',
  mac: 'address',
  mtu: 'mtu',
  group: 'group',
  txQueueLength: 'txqlen',
  txQueues: 'numTxQueues',
  rxQueues: 'numRxQueues',
  index: 'index',
  alias: 'ifalias',
} as const
const handled = ['up', 'altNames', 'ipv6', 'port', 'master', 'namespace', 'kind', 'link', 'peer', 'options']
const policies: readonly Ipv6Policy[] = ['none', 'static', 'kernel']

/** Refuses what is wrong in a way that the kernel would not tell, or not tell well; `path` is where the object stands in the caller's. */
export function checkFields(fields: LinkFields & { master?: unknown }, path: string, allowed: readonly string[]): void {
  const at = (field: string) => (path ? `${path}.${field}` : field)
  if (typeof fields !== 'object' || fields === null)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'is not an object', path || undefined)
  for (const field of Object.keys(fields)) {
    if (!allowed.includes(field))
      throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `there is no such option; there are ${allowed.join(', ')}`, at(field))
  }
  if (fields.name !== undefined) checkInterfaceName(fields.name, at('name'))
  if (fields.mac !== undefined) parseMacAt(fields.mac, at('mac'))
  if (fields.up !== undefined && typeof fields.up !== 'boolean')
    throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${String(fields.up)} is not true or false`, at('up'))
  if (fields.alias !== undefined && (typeof fields.alias !== 'string' || Buffer.byteLength(fields.alias) > 255))
    throw argumentError('ERR_NETLOOM_INVALID_STRING', 'an alias is text of at most 255 bytes', at('alias'))
  if (fields.index !== undefined && !(Number.isInteger(fields.index) && fields.index > 0))
    throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${fields.index} is not an interface index`, at('index'))
  if (fields.ipv6 !== undefined && !policies.includes(fields.ipv6))
    throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${String(fields.ipv6)} is none of ${policies.join(', ')}`, at('ipv6'))
  if (fields.port !== undefined && (fields.master === undefined || fields.master === null) && path !== 'change')
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'settings of a bridge port need a master', at('port'))
  for (const [i, name] of (fields.altNames ?? []).entries()) checkAltName(name, `${at('altNames')}[${i}]`)
}
export const createFields = [...Object.keys(attributes), ...handled.filter(field => field !== 'peer')]
export const peerFields = [...Object.keys(attributes), 'up', 'altNames', 'ipv6', 'port', 'master', 'namespace']
export const changeFields = ['name', 'mac', 'mtu', 'group', 'txQueueLength', 'alias', 'up', 'altNames', 'ipv6', 'port', 'master', 'options']

function parseMacAt(mac: string, path: string): void {
  try {
    parseMac(mac, 6)
  } catch {
    throw argumentError('ERR_NETLOOM_INVALID_MAC', `${JSON.stringify(mac)} is not a MAC address like 02:42:ac:11:00:02`, path)
  }
}

function checkAltName(name: unknown, path: string): void {
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > 127 || /[/\s\0]/.test(name))
    throw argumentError(
      'ERR_NETLOOM_INVALID_NAME',
      `${JSON.stringify(name)} cannot be an alternative name: 1 to 127 bytes without '/' and white space`,
      path,
    )
}

/** The attributes that are the field itself under the kernel's name. */
export function plainAttributes(fields: LinkFields): LinkMessage {
  const out: Record<string, unknown> = {}
  for (const [name, wire] of Object.entries(attributes)) {
    const value = fields[name as keyof typeof attributes]
    if (value !== undefined) out[wire] = value
  }
  return out as LinkMessage
}

/** The kind and its options. */
export function kindAttributes(
  spec: { kind: string; options?: object | undefined },
  extra: Record<string, unknown> = {},
): NonNullable<LinkMessage['linkinfo']> {
  const { kind, options } = spec
  if (kind.startsWith('other:')) {
    if (options !== undefined && !(options instanceof Uint8Array))
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'the options of a kind without a table are bytes', 'options')
    return { kind: kind as `other:${string}`, ...(options instanceof Uint8Array ? { data: options } : {}) }
  }
  const data = { ...(options ? toWire(ruleOf(kind), options as Record<string, unknown>, 'options') : {}), ...extra }
  return { kind, ...(Object.keys(data).length ? { data } : {}) } as NonNullable<LinkMessage['linkinfo']>
}

export const portAttributes = (port: object): NonNullable<LinkMessage['linkinfo']> =>
  ({ slaveKind: 'bridge', slaveData: toWire(portRule, port as Record<string, unknown>, 'port') }) as NonNullable<LinkMessage['linkinfo']>

/** Refuses a kind that no table and no caller's bytes describe, and options that are missing. */
export function checkKind(spec: LinkCreate): void {
  const { kind } = spec
  if (typeof kind !== 'string' || !(isKind(kind) || /^other:./.test(kind)))
    throw argumentError(
      'ERR_NETLOOM_UNKNOWN_KIND',
      `${JSON.stringify(kind)} is not a kind that netloom knows; say 'other:${String(kind)}' to pass it to the kernel as it is`,
      'kind',
    )
  const rule: Rule = ruleOf(kind)
  const given = spec as { options?: Record<string, unknown>; link?: unknown; peer?: unknown }
  if (given.peer !== undefined && kind !== 'veth') throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `a ${kind} has no peer`, 'peer')
  if (given.link !== undefined && isKind(kind) && !rule.lower)
    throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `a ${kind} does not sit on another device`, 'link')
  if (given.link === undefined && rule.lower === 'required')
    throw argumentError('ERR_NETLOOM_MISSING_OPTION', `a ${kind} sits on another device: say which`, 'link')
  for (const name of rule.required ?? [])
    if (given.options?.[name] === undefined)
      throw argumentError('ERR_NETLOOM_MISSING_OPTION', `a ${kind} needs this option`, `options.${name}`)
}

/** The caller's name of a field of the message: ['linkinfo', 'data', 'id'] → 'options.id'. */
export function fieldOf(kind: string | undefined, prefix = ''): (path: readonly string[]) => string | undefined {
  return path => {
    const [first, second, third, ...rest] = path
    if (first === 'linkinfo') {
      if (second === 'slaveData') return join(prefix, 'port', third && publicName(portRule, third), ...rest)
      if (second === 'kind' || second === undefined) return 'kind'
      if (kind === 'veth' && third === 'peer') return rest.length ? `peer.${commonName(rest)}` : 'peer'
      if (kind === 'vxlan' && third === 'link') return 'link'
      return join('options', third && publicName(ruleOf(kind), third), ...rest)
    }
    return first === undefined ? undefined : join(prefix, commonName(path))
  }
}

function commonName([first, ...rest]: readonly string[]): string {
  if (first === 'netNsFd' || first === 'netNsPid') return 'namespace'
  if (first === 'afSpec') return 'ipv6'
  if (first === 'flags') return 'up'
  if (first === 'propList') return join('altNames', ...rest)
  const name = Object.entries(attributes).find(([, wire]) => wire === first)?.[0]
  return name ?? join(first, ...rest)
}

const join = (...parts: (string | undefined)[]) => parts.filter(part => part !== undefined && part !== '').join('.')
