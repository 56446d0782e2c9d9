// Links of a plan: where their ends are, which of them the fast way can make, and the messages that make them.
import { isKind, ruleOf } from '../kernel/link-kinds.js'
import { fieldOf, kindAttributes, type LinkMessage, plainAttributes, portAttributes } from '../kernel/link-message.js'
import type { Ipv6Policy, LinkFields } from '../kernel/link-request.js'
import { skipProtocolStatistics } from '../kernel/scope.js'
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { AnyRequest, Context } from '../socket/request.js'
import type { Item, PlanData, PlanLinkRef } from './items.js'

export type CreateItem = Extract<Item, { readonly verb: 'links.create' }>
export type EndFields = LinkFields & { readonly master?: PlanLinkRef }
/** One end of a link that is to be made; only a veth has two. */
export interface End {
  readonly in: number
  readonly fields: EndFields
  /** In front of the fields' names in the item: '' or 'peer'. */
  readonly path: '' | 'peer'
}
/** How a link is named in a message. */
export type LinkKey = { readonly index: number } | { readonly ifname: string }

export const creates = (item: Item): item is CreateItem => item.verb === 'links.create'

/** The item that was asked about last: questions about one come one after the other. */
let last: { readonly item: Item; readonly ends: readonly End[] } | undefined

/** The link itself, then the other end if it is a veth. */
export function endsOf(item: Item): readonly End[] {
  if (last?.item === item) return last.ends
  if (!creates(item)) return none
  last = { item, ends: findEnds(item) }
  return last.ends
}
const none: readonly End[] = []

function findEnds({ in: here, spec }: CreateItem): readonly End[] {
  const main: End = { in: spec.namespace?.number ?? here, fields: spec as EndFields, path: '' }
  if (spec.kind !== 'veth') return [main]
  const { peer = {} } = spec as { readonly peer?: EndFields & { readonly namespace?: { readonly number: number } } }
  return [main, { in: peer.namespace?.number ?? here, fields: peer, path: 'peer' }]
}

/** Where an item is carried out: in the newest planned namespace that it concerns, else where it was said. */
export function homeOf(data: PlanData, item: Item, parties: readonly number[]): number {
  let newest = -1
  for (const number of parties) if (number > newest && 'make' in (data.namespaces[number] ?? nothing)) newest = number
  return newest < 0 ? item.in : newest
}

const nothing = {}

const placesOf = (item: CreateItem): readonly number[] => endsOf(item).map(end => end.in)

/** Which end is where the creating message is sent from: the first there. */
export function homeEnd(data: PlanData, item: CreateItem): number {
  const places = placesOf(item)
  return places.indexOf(homeOf(data, item, places))
}

/** Whether one message from its home makes it; the others are left to the live verb. */
export function isFast(data: PlanData, item: CreateItem, home = homeOf(data, item, placesOf(item))): boolean {
  const { spec } = item
  if (spec.kind === 'tun') return false
  const ends = endsOf(item)
  const isPlanned = 'make' in (data.namespaces[home] ?? {})
  // A device below is looked up where the verb was said.
  if (spec.link !== undefined && (item.in !== home || ends.some(end => end.in !== home))) return false
  if (isPlanned) return true
  // Only a name finds again what is made in a namespace that others use too.
  return ends.every(end => end.in === item.in && end.fields.name !== undefined)
}

export const policyOf = (data: PlanData, { ipv6 }: EndFields): Ipv6Policy => ipv6 ?? data.ipv6

/** More queues only cost time and memory, unless somebody asks for them: a veth has no hardware to spread over. */
function queues(kind: string, fields: LinkFields): LinkFields {
  return kind === 'veth' ? { txQueues: 1, rxQueues: 1, ...fields } : fields
}

/** In a creating message the kernel takes an alias without a word and forgets it. */
function atCreation(kind: string, { alias: _, ...fields }: LinkFields): LinkMessage {
  return plainAttributes(queues(kind, fields))
}

export interface Creation {
  readonly item: CreateItem
  /** The end that is where the message is sent from. */
  readonly home: End
  readonly index?: number | undefined
  readonly master?: number | undefined
  readonly lower?: number | undefined
  /** Up at once: nothing has to be said before. */
  readonly up: boolean
  /** A bridge that does not follow multicast groups yet. */
  readonly quiet?: boolean
  readonly other?: { readonly end: End; readonly fd?: number | undefined; readonly index?: number | undefined }
  readonly context: Context
}

export function createRequest({ item, home, index, master, lower, up, quiet, other, context }: Creation): AnyRequest {
  const { kind } = item.spec
  const attribute = ruleOf(kind).lowerAttribute
  const extra = {
    ...(lower !== undefined && attribute ? { [attribute]: lower } : {}),
    ...(quiet && { mcastSnooping: false }),
    ...(other && {
      peer: {
        ...atCreation(kind, other.end.fields),
        ...(other.fd === undefined ? {} : { netNsFd: other.fd }),
        ...(other.index === undefined ? {} : { index: other.index }),
      },
    }),
  }
  const value = {
    ...atCreation(kind, home.fields),
    ...(index === undefined ? {} : { index }),
    ...(up ? { flags: { up: true } } : {}),
    ...(master === undefined ? {} : { master }),
    ...(lower !== undefined && !attribute ? { link: lower } : {}),
    linkinfo: kindAttributes(kind === 'veth' ? { kind } : (item.spec as { kind: string; options?: unknown }), extra),
  }
  return { type: rtm.newLink, flags: requestFlags.create | requestFlags.exclusive, codec: linkTable, value, context }
}

export const getRequest = (key: LinkKey, context: Context): AnyRequest => ({
  type: rtm.getLink,
  codec: linkTable,
  value: { extMask: skipProtocolStatistics, ...key },
  context,
})

/** What the creating message could not carry. `late`: bridge and up are among it. */
export function finishRequests(
  end: End,
  key: LinkKey,
  policy: Ipv6Policy,
  late: boolean,
  master: number | undefined,
  context: Context,
): AnyRequest[] {
  const { fields } = end
  const message = (value: LinkMessage, type: number = rtm.newLink): AnyRequest => ({
    type,
    codec: linkTable,
    value: { ...key, ...value },
    context,
  })
  const rest: LinkMessage = {
    ...(fields.alias ? { ifalias: fields.alias } : {}),
    ...(master !== undefined && late ? { master } : {}),
    ...(fields.up && (late || policy !== 'kernel') ? { flags: { up: true } } : {}),
  }
  return [
    ...(policy === 'static' ? [message({ afSpec: { inet6: { addrGenMode: 'none' } } })] : []),
    ...(Object.keys(rest).length ? [message(rest)] : []),
    ...(fields.port && Object.keys(fields.port).length ? [message({ linkinfo: portAttributes(fields.port, 'port') })] : []),
    ...(fields.altNames?.length ? [message({ propList: [...fields.altNames] }, rtm.newLinkprop)] : []),
  ]
}

/** A bridge follows multicast groups, as all do unless told otherwise. */
export const snoopRequest = (key: LinkKey, context: Context): AnyRequest => ({
  type: rtm.newLink,
  codec: linkTable,
  value: { ...key, linkinfo: kindAttributes({ kind: 'bridge' }, { mcastSnooping: true }) },
  context,
})

/** The caller's name of a field, when the message was written from the other end. */
export function fieldFrom(kind: string, home: End): Context['field'] {
  const field = fieldOf(isKind(kind) ? kind : undefined)
  if (home.path === '') return field
  return path => {
    const found = field(path)
    if (found === undefined || found === 'kind' || found === 'peer') return found
    return found.startsWith('peer.') ? found.slice('peer.'.length) : `peer.${found}`
  }
}

/** Fields of a message about one end alone. */
export function prefixed(kind: string, { path }: End): Context['field'] {
  const field = fieldFrom(kind, { in: 0, fields: {}, path: '' })
  return path === '' ? field : wire => join(path, field?.(wire))
}
const join = (path: string, field: string | undefined) => (field === undefined ? path : `${path}.${field}`)

export function linkContext(item: CreateItem, end: End, namespace: string | undefined): Context {
  const subject = item.spec.name ?? `of kind ${item.spec.kind}`
  return { operation: 'create link', subject, namespace, field: fieldFrom(item.spec.kind, end), hints: linkHints }
}

export const linkHints = {
  EEXIST: 'a link of that name, alternative name or index is there already',
  EOPNOTSUPP: 'this kernel cannot make links of that kind: it lacks the module or an option that was given',
  EXFULL: 'a bridge has at most 1,023 ports: use another bridge',
  ENODEV: 'links.list() says which links there are',
  ENETDOWN: 'the state of a port can be set only when it is up and has a carrier: later, with update()',
} as const
