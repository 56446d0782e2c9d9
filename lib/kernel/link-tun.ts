// Making tun and tap devices, which netlink only reads and removes.
import { createTun } from '../namespace/tun.js'
import { tunFlags, tunTypes } from '../protocol/kinds/tun.js'
import type { Context } from '../socket/request.js'
import { blaming } from './blame.js'
import type { LinkCreateOf } from './link-request.js'
import { undoCreate } from './link-undo.js'
import type { RawLink, Scope } from './scope.js'

/** Makes a device that stays when nobody has it open; it has its options and its name, everything else is to be set. */
export async function createTunLink(scope: Scope, { name, options }: LinkCreateOf<'tun'>, context: Context): Promise<RawLink> {
  const { type, owner, group, pi, vnetHdr, multiQueue } = options
  const flags =
    (typeof type === 'number' ? type : tunTypes[type]) |
    (pi ? 0 : tunFlags.noPi) |
    (vnetHdr ? tunFlags.vnetHdr : 0) |
    (multiQueue ? tunFlags.multiQueue : 0) |
    tunFlags.tunExcl
  const { subject } = context
  // Users that this user namespace does not have.
  const culprits = [[/TUNSETOWNER/, 'options.owner'] as const, [/TUNSETGROUP/, 'options.group'] as const]
  const ifname = await blaming(createTun(scope, { name, flags, owner, group, subject }), culprits)
  try {
    return await scope.getLink(ifname, context)
  } catch (error) {
    // It was made exclusively, so the name is ours.
    throw await undoCreate(scope, { ifname }, error, context)
  }
}
