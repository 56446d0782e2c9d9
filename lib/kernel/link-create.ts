// Making a link: everything the kernel takes in one message, the rest right after it, and nothing left behind when a step fails.
import { release } from 'node:os'
import type { NamespaceSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { Context, Request } from '../socket/request.js'
import { blame } from './link-blame.js'
import { indexAt } from './link-index.js'
import { forbidIpv6 } from './link-ipv6.js'
import { isKind, ruleOf } from './link-kinds.js'
import { fieldOf, kindAttributes, type LinkMessage, plainAttributes, portAttributes } from './link-message.js'
import { checkCreate, type LinkCreate, type LinkFields } from './link-request.js'
import { createTunLink } from './link-tun.js'
import { undoCreate } from './link-undo.js'
import { type LinkRef, linkReply, type RawLink, type Scope, scopeFor } from './scope.js'

/** One end of what is made: a link that is no veth has only this one. */
interface End {
  readonly scope: Scope
  readonly fields: LinkFields & { readonly master?: LinkRef; readonly namespace?: NamespaceSource }
  /** 'peer' for the other end of a veth. */
  readonly path: string
  /** ifindex of the bridge it becomes a port of. */
  readonly master: number | undefined
  /** Master and up are not in the message that makes it. */
  readonly late: boolean
}
export interface Created {
  readonly link: RawLink
  readonly peer?: { readonly link: RawLink; readonly scope: Scope }
}

/** Makes what `spec` says and calls `use` with it while the namespaces are open. Throws argument errors before anything is sent. */
export async function createLink<T>(here: Scope, spec: LinkCreate, use: (created: Created) => Promise<T>): Promise<T> {
  checkCreate(spec)
  const main = await scopeFor(here, spec.namespace, 'namespace')
  try {
    const peerFields = spec.kind === 'veth' ? (spec.peer ?? {}) : undefined
    const other = peerFields && (await scopeFor(here, peerFields.namespace, 'peer.namespace'))
    try {
      const context = contextOf(spec, main.scope)
      // What is to be found is found before anything is made.
      const ends = {
        main: await endOf(main.scope, spec, '', context, spec.kind === 'tun'),
        peer: other && peerFields && (await endOf(other.scope, peerFields, 'peer', context, true)),
      }
      return await use(await make(here, spec, ends, context))
    } finally {
      other?.release()
    }
  } finally {
    main.release()
  }
}

async function endOf(scope: Scope, fields: End['fields'], path: string, context: Context, late: boolean): Promise<End> {
  const { master } = fields
  const at = path ? `${path}.master` : 'master'
  const index = master === undefined ? undefined : await indexAt(scope, master, { ...context, namespace: scope.label, hints: missing }, at)
  return { scope, fields, path, master: index, late }
}
const missing = { ENODEV: 'a master is looked up in the namespace that the link will be in' }

async function make(
  here: Scope,
  spec: LinkCreate,
  { main, peer }: { main: End; peer: End | undefined },
  context: Context,
): Promise<Created> {
  const lower = 'link' in spec && spec.link !== undefined ? { scope: here, ref: spec.link } : undefined
  const suspects = [{ ...main, ...(lower && { lower }) }, ...(peer ? [peer] : [])]
  const making = spec.kind === 'tun' ? createTunLink(main.scope, spec, context) : send(here, spec, main, peer, context)
  const made = await making.catch(async error => Promise.reject(await blame(error, suspects)))
  try {
    await finish(main, made, context)
    if (!peer) return { link: await main.scope.getLink(made.index, context) }
    const other = await peer.scope.getLink(made.link ?? 0, context)
    await finish(peer, other, context)
    return {
      link: await main.scope.getLink(made.index, context),
      peer: { link: await peer.scope.getLink(other.index, context), scope: peer.scope },
    }
  } catch (error) {
    throw await undoCreate(main.scope, made, error, context)
  }
}

/** The creating message, and what it made. */
async function send(
  here: Scope,
  spec: Exclude<LinkCreate, { kind: 'tun' }>,
  main: End,
  peer: End | undefined,
  context: Context,
): Promise<RawLink> {
  const ref = 'link' in spec ? spec.link : undefined
  const lower = ref === undefined ? undefined : await indexAt(here, ref, { ...context, namespace: here.label }, 'link')
  // A device that sits on another one is made from where that one is; the others from where they will be.
  const sender = lower === undefined ? main.scope : here
  const away = sender !== main.scope
  // The kernel sends its echo where the link is, to whatever socket there has our socket's number; of kinds without a table nobody knows.
  const echo = !away && isKind(spec.kind) && !ruleOf(spec.kind).announcesItself && echoes()
  const index = spec.index ?? (echo || spec.name !== undefined ? undefined : unlikelyIndex())
  const attribute = ruleOf(spec.kind).lowerAttribute
  const extra = {
    ...(lower !== undefined && attribute ? { [attribute]: lower } : {}),
    ...(peer && { peer: { ...atCreation(peer.fields), ...(peer.scope === sender ? {} : { netNsFd: peer.scope.handle.fd }) } }),
  }
  const value = {
    ...atCreation(spec),
    ...(index === undefined ? {} : { index }),
    ...(spec.up && !deferredUp(spec) ? { flags: { up: true } } : {}),
    ...(main.master === undefined ? {} : { master: main.master }),
    ...(away ? { netNsFd: main.scope.handle.fd } : {}),
    ...(lower !== undefined && !attribute ? { link: lower } : {}),
    linkinfo: kindAttributes(spec as { kind: string; options?: unknown }, extra),
  } as LinkMessage
  const connection = await sender.connection()
  const flags = requestFlags.create | requestFlags.exclusive | (echo ? requestFlags.echo : 0)
  const [echoed] = await connection.call({ type: rtm.newLink, flags, codec: linkTable, value, context }, linkReply)
  return echoed ?? (await main.scope.getLink(index ?? spec.name ?? '', context))
}

/** NLM_F_ECHO for links: kernel ≥ 6.2. */
function echoes(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 6 || (major === 6 && minor >= 2)
}

/** Where no echo tells which link was made and the kernel chooses the name, the index has to tell: one that nobody else picks. */
const unlikelyIndex = () => 2 ** 30 + Math.floor(Math.random() * 2 ** 29)

/** In a creating message the kernel takes an alias without a word and forgets it: that one comes later. */
function atCreation({ alias: _, ...fields }: LinkFields): LinkMessage {
  return plainAttributes(fields)
}
const deferredUp = ({ ipv6 }: LinkFields) => ipv6 === 'none' || ipv6 === 'static'

function contextOf(spec: LinkCreate, scope: Scope): Context {
  return {
    operation: 'create link',
    subject: spec.name ?? `of kind ${spec.kind}`,
    namespace: scope.label,
    field: fieldOf(spec.kind),
    hints: {
      EEXIST: 'a link of that name, alternative name or index is there already',
      EOPNOTSUPP: `this kernel cannot make links of kind ${spec.kind.replace(/^other:/, '')}: it lacks the module or an option that was given`,
      EXFULL: 'a bridge has at most 1,023 ports: use another bridge',
      ENETDOWN:
        spec.port?.state === undefined
          ? 'the device that it sits on is down: it has to be up first'
          : 'the state of a port can be set only when it is up and has a carrier: later, with update()',
      ...(ruleOf(spec.kind).lower && { EBUSY: 'the device below is in use in a way that allows no such link on it' }),
    },
  }
}

/** What needs messages of its own after the link is there. */
async function finish(end: End, link: RawLink, context: Context): Promise<void> {
  const { scope, fields, path, master, late } = end
  const kind = link.linkinfo?.kind
  const here: Context = { ...context, namespace: scope.label, field: fieldOf(kind, path) }
  const message = (value: LinkMessage, type: number = rtm.newLink): Request<typeof linkTable> => ({
    type,
    codec: linkTable,
    value: { index: link.index, ...value },
    context: here,
  })
  const { name: _, ...unsaid } = fields
  const rest: LinkMessage = {
    ...(kind === 'tun' ? plainAttributes(unsaid) : fields.alias ? { ifalias: fields.alias } : {}),
    ...(master !== undefined && late ? { master } : {}),
    ...(fields.up && (late || deferredUp(fields)) ? { flags: { up: true } } : {}),
  }
  const steps = [
    ...(fields.ipv6 === 'static' ? [message({ afSpec: { inet6: { addrGenMode: 'none' } } })] : []),
    ...(Object.keys(rest).length ? [message(rest)] : []),
    ...(fields.port && Object.keys(fields.port).length ? [message({ linkinfo: portAttributes(fields.port, 'port') })] : []),
    ...(fields.altNames?.length ? [message({ propList: [...new Set(fields.altNames)] }, rtm.newLinkprop)] : []),
  ]
  if (fields.ipv6 === 'none') await forbidIpv6(scope, link)
  const connection = await scope.connection()
  for (const { error } of await connection.batch(steps)) if (error) throw await blame(error, [{ ...end, index: link.index }])
}
