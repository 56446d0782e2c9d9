// Making a link: everything the kernel takes in one message, the rest right after it, and nothing left behind when a step fails.
import type { Encodable } from '../codec/codec.js'
import { argumentError } from '../codec/errors.js'
import type { NamespaceSource } from '../namespace/source.js'
import { setSysctl } from '../namespace/sysctl.js'
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context, Request } from '../socket/request.js'
import { ruleOf } from './link-kinds.js'
import {
  checkFields,
  checkKind,
  createFields,
  fieldOf,
  kindAttributes,
  type LinkCreate,
  type LinkFields,
  peerFields,
  plainAttributes,
  portAttributes,
} from './link-request.js'
import { type LinkRef, linkReply, type RawLink, type Scope, scopeFor } from './scope.js'

type LinkMessage = Encodable<typeof linkTable>
/** One end of what is made: a link that is no veth has only this one. */
interface End {
  readonly scope: Scope
  readonly fields: LinkFields & { readonly master?: LinkRef; readonly namespace?: NamespaceSource }
  /** 'peer' for the other end of a veth. */
  readonly path: string
}
export interface Created {
  readonly link: RawLink
  readonly peer?: { readonly link: RawLink; readonly scope: Scope }
}

export async function createLink<T>(here: Scope, spec: LinkCreate, use: (created: Created) => Promise<T>): Promise<T> {
  checkKind(spec)
  const peerFieldsOf = 'peer' in spec ? (spec.peer ?? {}) : {}
  checkFields(
    spec,
    '',
    spec.kind === 'veth' ? [...createFields.filter(field => field !== 'link' && field !== 'options'), 'peer'] : createFields,
  )
  checkFields(peerFieldsOf, 'peer', peerFields)
  if (peerFieldsOf.index !== undefined && spec.index === undefined)
    throw argumentError(
      'ERR_NETLOOM_INVALID_OPTION',
      'the kernel gives the peer a chosen index only when the link itself has one: say index too',
      'peer.index',
    )
  const main = await scopeFor(here, spec.namespace, 'namespace')
  try {
    const other = spec.kind === 'veth' ? await scopeFor(here, peerFieldsOf.namespace, 'peer.namespace') : undefined
    try {
      const ends = {
        main: { scope: main.scope, fields: spec, path: '' },
        ...(other && { peer: { scope: other.scope, fields: peerFieldsOf, path: 'peer' } }),
      }
      return await use(await make(here, spec, ends))
    } finally {
      other?.release()
    }
  } finally {
    main.release()
  }
}

async function make(here: Scope, spec: LinkCreate, { main, peer }: { main: End; peer?: End }): Promise<Created> {
  const context = contextOf(spec, main)
  // A device that sits on another one is made from where that one is; the others from where they will be, whose answer then is the link itself.
  const lower = 'link' in spec && spec.link !== undefined
  const sender = lower ? here : main.scope
  if (sender !== main.scope && spec.name === undefined)
    throw argumentError(
      'ERR_NETLOOM_MISSING_OPTION',
      `a ${spec.kind} that is made in another namespace than the device it sits on needs a name`,
      'name',
    )
  const value: LinkMessage = {
    ...atCreation(spec),
    ...(spec.up && !deferredUp(spec) ? { flags: { up: true } } : {}),
    ...(spec.master === undefined ? {} : { master: await main.scope.indexOf(spec.master, { ...context, at: 'master' }) }),
    ...(sender === main.scope ? {} : { netNsFd: main.scope.handle.fd }),
    ...(await kindOf(spec, here, peer, sender, context)),
  }
  const connection = await sender.connection()
  const flags = requestFlags.create | requestFlags.exclusive | requestFlags.echo
  const [echoed] = await connection.call({ type: rtm.newLink, flags, codec: linkTable, value, context }, linkReply)
  const made = echoed ?? (await main.scope.getLink(spec.name ?? '', context))
  try {
    const finished = await finish(main, made, context)
    if (!peer) return { link: finished || !echoed ? await main.scope.getLink(made.index, context) : made }
    const other = await peer.scope.getLink(made.link ?? 0, context)
    await finish(peer, other, context)
    return {
      link: await main.scope.getLink(made.index, context),
      peer: { link: await peer.scope.getLink(other.index, context), scope: peer.scope },
    }
  } catch (error) {
    throw await undo(main.scope, made, error, context)
  }
}

/** The kind, and for kinds that need it the lower device's index in the right place. */
async function kindOf(spec: LinkCreate, here: Scope, peer: End | undefined, sender: Scope, context: Context): Promise<LinkMessage> {
  const lower = 'link' in spec && spec.link !== undefined ? await here.indexOf(spec.link, { ...context, at: 'link' }) : undefined
  if (spec.kind === 'vxlan') return { linkinfo: kindAttributes(spec, lower === undefined ? {} : { link: lower }) } as LinkMessage
  const extra = peer && { peer: { ...atCreation(peer.fields), ...(peer.scope === sender ? {} : { netNsFd: peer.scope.handle.fd }) } }
  return {
    ...(lower === undefined ? {} : { link: lower }),
    linkinfo: kindAttributes(spec.kind === 'veth' ? { kind: 'veth' } : spec, extra),
  } as LinkMessage
}

/** In a creating message the kernel takes an alias without a word and forgets it: that one comes later. */
function atCreation({ alias: _, ...fields }: LinkFields): LinkMessage {
  return plainAttributes(fields)
}
const deferredUp = ({ ipv6 }: LinkFields) => ipv6 === 'none' || ipv6 === 'static'

function contextOf(spec: LinkCreate, { scope }: End): Context {
  const master = 'a bridge has at most 1,023 ports: use another bridge'
  return {
    operation: 'create link',
    subject: spec.name ?? `of kind ${spec.kind}`,
    namespace: scope.label,
    field: fieldOf(spec.kind),
    hints: {
      EEXIST: 'a link of that name, alternative name or index is there already',
      EOPNOTSUPP: `this kernel cannot make links of kind ${spec.kind.replace(/^other:/, '')}: it lacks the module or an option that was given`,
      EXFULL: master,
      ...(ruleOf(spec.kind).lower && { EBUSY: 'the device below is in use in a way that allows no such link on it' }),
    },
  }
}

/** What needs messages of its own after the link is there. Tells whether there was anything. */
async function finish({ scope, fields, path }: End, link: RawLink, context: Context): Promise<boolean> {
  const name = link.ifname ?? ''
  const here: Context = { ...context, namespace: scope.label, field: fieldOf(link.linkinfo?.kind, path) }
  const message = (value: LinkMessage, type: number = rtm.newLink): Request<typeof linkTable> => ({
    type,
    codec: linkTable,
    value: { index: link.index, ...value },
    context: here,
  })
  const isPeer = path !== ''
  const master =
    isPeer && fields.master !== undefined ? await scope.indexOf(fields.master, { ...context, at: `${path}.master` }) : undefined
  if (fields.ipv6 === 'none') await setSysctl(scope, `net/ipv6/conf/${name}/disable_ipv6`, 1)
  const rest: LinkMessage = {
    ...(fields.alias ? { ifalias: fields.alias } : {}),
    ...(master === undefined ? {} : { master }),
    ...(fields.up && (isPeer || deferredUp(fields)) ? { flags: { up: true } } : {}),
  }
  const steps = [
    ...(fields.ipv6 === 'static' ? [message({ afSpec: { inet6: { addrGenMode: 'none' } } })] : []),
    ...(Object.keys(rest).length ? [message(rest)] : []),
    ...(fields.port && Object.keys(fields.port).length ? [message({ linkinfo: portAttributes(fields.port) })] : []),
    ...(fields.altNames?.length ? [message({ propList: [...fields.altNames] }, rtm.newLinkprop)] : []),
  ]
  const connection = await scope.connection()
  for (const { error } of await connection.batch(steps)) if (error) throw error
  return steps.length > 0 || fields.ipv6 === 'none'
}

/** Removes what was made; the error that led here says so if that does not work. */
async function undo(scope: Scope, made: RawLink, cause: unknown, context: Context): Promise<unknown> {
  try {
    const connection = await scope.connection()
    await connection.request({
      type: rtm.delLink,
      codec: linkTable,
      value: { index: made.index },
      context: { ...context, operation: 'undo create link' },
    })
    return cause
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENODEV') return cause
    if (!(cause instanceof NetloomError)) return cause
    return new NetloomError(cause.code, {
      ...cause,
      leftovers: [`link ${made.ifname}${scope.label ? ` in ${scope.label}` : ''}`],
      cause: new AggregateError([cause, error]),
    })
  }
}
