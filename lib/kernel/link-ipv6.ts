// What a link does with IPv6 by itself: nothing at all, only what it is told, or what the kernel does by default.
import { setSysctl } from '../namespace/sysctl.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import type { LinkMessage } from './link-message.js'
import type { Ipv6Policy } from './link-request.js'
import type { RawLink, Scope } from './scope.js'

const disable = (scope: Scope, link: Pick<RawLink, 'ifname'>, value: 0 | 1) =>
  setSysctl(scope, `net/ipv6/conf/${link.ifname}/disable_ipv6`, value)

/** Switches IPv6 off on a link. One whose MTU is too small for IPv6, or a kernel without it, needs no switching. */
export async function forbidIpv6(scope: Scope, link: Pick<RawLink, 'ifname'>): Promise<void> {
  try {
    await disable(scope, link, 1)
  } catch (error) {
    if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
  }
}

/** The policy of a link that is there already. Addresses that it has stay, but for 'none'. */
export async function changeIpv6(scope: Scope, link: RawLink, policy: Ipv6Policy, context: Context): Promise<void> {
  if (policy === 'none') return forbidIpv6(scope, link)
  const connection = await scope.connection()
  const value: LinkMessage = { index: link.index, afSpec: { inet6: { addrGenMode: policy === 'static' ? 'none' : 'eui64' } } }
  // The mode first: switching IPv6 on makes the addresses.
  await connection.request({ type: rtm.newLink, codec: linkTable, value, context })
  await disable(scope, link, 0)
}
