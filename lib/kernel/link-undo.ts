// Removing a link that was made when something after it fails.
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import type { Scope } from './scope.js'

/** Removes what was made; gives the error that led here, which says so if that does not work. */
export async function undoCreate(
  scope: Scope,
  { index, ifname }: { readonly index?: number; readonly ifname?: string | undefined },
  cause: unknown,
  context: Context,
): Promise<unknown> {
  try {
    const connection = await scope.connection()
    await connection.request({
      type: rtm.delLink,
      codec: linkTable,
      value: index === undefined ? { ifname } : { index },
      context: { ...context, operation: 'undo create link' },
    })
    return cause
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENODEV') return cause
    if (!(cause instanceof NetloomError)) return cause
    return new NetloomError(cause.errno ?? cause.code, {
      ...cause,
      leftovers: [`link ${ifname}${scope.label ? ` in ${scope.label}` : ''}`],
      cause: new AggregateError([cause, error]),
    })
  }
}
