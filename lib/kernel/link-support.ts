// Whether the kernel has a kind of link, found out without making one.
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { rules } from './link-kinds.js'
import type { LinkMessage } from './link-message.js'
import { linkReply, type Scope } from './scope.js'

/** Kinds that cannot be without a device below. */
type Sitting = { [K in keyof typeof rules]: (typeof rules)[K] extends { readonly lower: 'required' } ? K : never }[keyof typeof rules]

/** Asks for one without a device below: a kernel that has the kind, or loads it now, misses that device (EINVAL); one that lacks it says EOPNOTSUPP. */
export async function hasKind(scope: Scope, kind: Sitting): Promise<boolean> {
  const connection = await scope.connection()
  const context = { operation: 'look for link kind', subject: kind, namespace: scope.label }
  const flags = requestFlags.create | requestFlags.exclusive
  try {
    await connection.call({ type: rtm.newLink, flags, codec: linkTable, value: { linkinfo: { kind } } as LinkMessage, context }, linkReply)
  } catch (error) {
    if (!(error instanceof NetloomError) || !['EINVAL', 'EOPNOTSUPP'].includes(error.code)) throw error
    return error.code === 'EINVAL'
  }
  throw new NetloomError('EBADMSG', { ...context, reason: 'the kernel has made a link that lacks what it sits on' })
}
