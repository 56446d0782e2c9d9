// What callers say of a link that is to be made or changed: the types, and the checks before anything is sent.
import { argumentError, shown } from '../codec/errors.js'
import { checkInterfaceName } from '../namespace/names.js'
import { checkSource, type NamespaceSource } from '../namespace/source.js'
import { type Check, type Checks, checkOptions, isBoolean, isInteger, isLink, isList, isMac, isOneOf, isUnsigned } from './arguments.js'
import { isKind, isPlain, type Kind, type KindWith, type PlainKind, ruleOf } from './link-kinds.js'
import { kindAttributes, portAttributes } from './link-message.js'
import type { OptionsOf, PortOptions } from './link-options.js'
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
/** The other end of a veth; its `index` can be chosen only together with the first end's. */
export type PeerCreate = Placed
type Lower<K> = K extends KindWith<'lower'> ? (K extends 'vxlan' ? { readonly link?: LinkRef } : { readonly link: LinkRef }) : unknown
type Options<K extends Kind> = K extends 'veth'
  ? { readonly peer?: PeerCreate }
  : K extends PlainKind
    ? unknown
    : K extends KindWith<'required'>
      ? { readonly options: OptionsOf<K> }
      : { readonly options?: OptionsOf<K> }
/** The kernel makes tun and tap devices on another way, which takes fewer wishes. */
type Common<K> = K extends 'tun' ? Omit<Placed, (typeof notForTun)[number]> : Placed
/** A kind without a table: passed to the kernel as it is, its options as bytes. */
export type OtherKind = `other:${string}`
/** What links.create() takes for a kind: common fields flat, the kind's own as `options`. */
export type LinkCreateOf<K extends Kind | OtherKind> = Common<K> & { readonly kind: K } & (K extends Kind
    ? Lower<K> & Options<K>
    : { readonly link?: LinkRef; readonly options?: Uint8Array })
export type LinkCreate = { [K in Kind | OtherKind]: LinkCreateOf<K> }[Kind | OtherKind]
/** What links.update() takes: only what is given changes; `master: null` frees the port. */
export type LinkChange = Omit<LinkFields, (typeof onlyWhenMade)[number]> & {
  readonly master?: LinkRef | null
  /** Of the link's own kind, as in create(); bytes for a kind without a table. */
  readonly options?: { [K in Exclude<Kind, PlainKind>]: Partial<OptionsOf<K>> }[Exclude<Kind, PlainKind>] | Uint8Array
}

const onlyWhenMade = ['index', 'txQueues', 'rxQueues'] as const
const notForTun = onlyWhenMade
/** IFALIASZ less the final NUL, linux/if.h. */
const longestAlias = 255

const isAlias: Check = value => {
  if (typeof value !== 'string' || value.includes('\0') || Buffer.byteLength(value) > longestAlias)
    throw argumentError('ERR_NETLOOM_INVALID_STRING', `an alias is text of at most ${longestAlias} bytes`)
}
/** A name for a link, as net/core/dev.c and net/core/rtnetlink.c take it. */
const isAltName: Check = value => {
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > 127 || /[/\s\0]/.test(value))
    throw argumentError(
      'ERR_NETLOOM_INVALID_NAME',
      `${typeof value === 'string' ? JSON.stringify(value) : typeof value} cannot be an alternative name: 1 to 127 bytes without '/' and white space`,
    )
}
const isNamespace: Check = value => void checkSource(value as NamespaceSource)
const isMaster: Check = value => {
  if (value !== null) isLink(value)
}
const isGiven: Check = () => undefined

const fields: Checks<LinkFields> = {
  name: value => void checkInterfaceName(value),
  mac: isMac(6),
  mtu: isUnsigned,
  up: isBoolean,
  alias: isAlias,
  altNames: isList(isAltName),
  group: isUnsigned,
  txQueueLength: isUnsigned,
  txQueues: isInteger(1, 4096),
  rxQueues: isInteger(1, 4096),
  index: isInteger(1, 0x7fff_ffff),
  ipv6: isOneOf(['none', 'static', 'kernel']),
  port: value => void portAttributes(value, ''),
}
const placed: Checks<Placed> = { ...fields, master: isLink, namespace: isNamespace }
const change: Checks<LinkChange> = { ...without(fields, onlyWhenMade), master: isMaster, options: isGiven }

/** Refuses what is wrong in a way that the kernel would not tell, or not tell well. */
export function checkCreate(spec: LinkCreate): void {
  if (typeof spec !== 'object' || spec === null)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'a link to make is described by an object')
  const { kind } = spec
  if (!isKind(kind) && !(typeof kind === 'string' && /^other:./.test(kind)))
    throw argumentError(
      'ERR_NETLOOM_UNKNOWN_KIND',
      `${shown(kind)} is not a kind that netloom knows; say 'other:…' to pass another one to the kernel as it is`,
      'kind',
    )
  checkOptions(spec as Placed, checksFor(kind))
  const { lower, required } = ruleOf(kind)
  const given = spec as { readonly link?: unknown; readonly options?: unknown }
  if (lower === 'required' && given.link === undefined) throw lacking('link', `a ${kind} sits on another device: say which`)
  if (required && given.options === undefined)
    throw lacking(
      required.map(name => `options.${name}`).join(', '),
      `a ${kind} needs ${required.length > 1 ? 'these options' : 'this option'}`,
    )
  kindAttributes(spec)
  for (const name of required ?? [])
    if ((given.options as Record<string, unknown>)[name] === undefined) throw lacking(`options.${name}`, `a ${kind} needs this option`)
  if (spec.kind === 'tun' && spec.mac !== undefined && spec.options.type === 'tun')
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'a tun carries packets without link-layer addresses: a tap has one', 'mac')
  checkPort(spec, '')
  if (spec.kind !== 'veth' || spec.peer === undefined) return
  checkOptions(spec.peer, placed, 'peer')
  checkPort(spec.peer, 'peer.')
  if (spec.peer.index !== undefined && spec.index === undefined)
    throw argumentError(
      'ERR_NETLOOM_INVALID_OPTION',
      'the kernel gives the peer a chosen index only when the link itself has one: say index too',
      'peer.index',
    )
}

/** The same for a change; its `options` can be looked at only when the link's kind is known. */
export function checkChange(given: LinkChange): void {
  checkOptions(given, change)
}

function checksFor(kind: Kind | OtherKind): Checks<Placed> {
  const rule = ruleOf(kind)
  const more = {
    kind: isGiven,
    ...(kind === 'veth' ? { peer: isGiven } : isPlain(kind) ? {} : { options: isGiven }),
    ...(rule.lower || !isKind(kind) ? { link: isLink } : {}),
  }
  return { ...(kind === 'tun' ? (without(placed, notForTun) as Checks<Placed>) : placed), ...more }
}

function checkPort({ port, master }: Placed, path: string): void {
  if (port !== undefined && master === undefined)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'settings of a bridge port need a master', `${path}port`)
}

const lacking = (path: string, detail: string) => argumentError('ERR_NETLOOM_MISSING_OPTION', detail, path)

function without<T extends object, const N extends readonly (keyof T)[]>(checks: T, names: N): Omit<T, N[number]> {
  return Object.fromEntries(Object.entries(checks).filter(([name]) => !names.includes(name as keyof T))) as Omit<T, N[number]>
}
