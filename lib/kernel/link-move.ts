// Moving a link to another namespace: there under the name that was asked for, or still here.
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import type { LinkMessage } from './link-message.js'
import { type LinkRef, nameOf, type RawLink, type Scope } from './scope.js'

const hints = {
  ENODEV: 'links.list() says which links there are',
  EINVAL: 'links like lo and bridges cannot leave their namespace (netnsImmutable): make one there',
  EEXIST: 'a link of that name, or of one of its alternative names, is there already: give another name',
}

export async function moveLink(here: Scope, link: LinkRef, target: Scope, name: string | undefined): Promise<void> {
  const context: Context = {
    operation: 'move link',
    subject: nameOf(link),
    namespace: here.label,
    field: ([first]) => (first === 'ifname' ? 'options.name' : 'to'),
    hints,
  }
  if (name === undefined) {
    const index = await here.indexOf(link, context)
    return send(here, { index, netNsFd: target.handle.fd }, context)
  }
  const raw = await here.getLink(link, context)
  const { operation, subject, namespace } = context
  const taken = { operation, subject, namespace, path: 'options.name', reason: `there is a link ${name} already`, hint: hints.EEXIST }
  // The kernel moves first and names then: a link that cannot be named stays there under its old name.
  if (target !== here && (await exists(target, name))) throw new NetloomError('EEXIST', taken)
  try {
    await send(here, { index: raw.index, netNsFd: target.handle.fd, ifname: name }, context)
  } catch (error) {
    if (target === here || !(error instanceof NetloomError) || error.code !== 'EEXIST' || (await exists(here, raw.index))) throw error
    await bringBack(here, raw, target, context)
    throw new NetloomError('EEXIST', { ...taken, cause: error })
  }
}

async function send(scope: Scope, value: LinkMessage, context: Context): Promise<void> {
  const connection = await scope.connection()
  await connection.request({ type: rtm.newLink, codec: linkTable, value, context })
}

/** As it was, but for its addresses, which went when it left. */
async function bringBack(here: Scope, { ifname, flags }: RawLink, target: Scope, context: Context): Promise<void> {
  const { index } = await target.getLink(ifname ?? '', context)
  await send(target, { index, netNsFd: here.handle.fd }, { ...context, operation: 'undo move link' })
  if (flags.up) await send(here, { index: (await here.getLink(ifname ?? '', context)).index, flags: { up: true } }, context)
}

async function exists(scope: Scope, ref: LinkRef): Promise<boolean> {
  try {
    await scope.getLink(ref)
    return true
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENODEV') return false
    throw error
  }
}
