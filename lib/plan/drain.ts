// Waiting until the kernel has removed the devices of namespaces that have ended already.
import { setTimeout } from 'node:timers/promises'
import { Scope } from '../kernel/scope.js'
import { createAnonymous } from '../namespace/lifecycle.js'
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import { briefLinks } from './remove.js'

const context = { operation: 'wait for devices' } as const
/** The kernel lets a descriptor's namespace go only after all processors have rested once: the second one is behind everything before the first. */
const rounds = 2

/**
 * The kernel takes namespaces apart in the order in which they end, some time after they did and without saying so. One of our own that ends
 * now, with a cable into another one, is behind all others: when that cable is gone their devices are too.
 */
export async function devicesGone(): Promise<void> {
  try {
    for (let round = 0; round < rounds; round++) await oneMore()
  } catch (error) {
    // No further namespace can be made, or nothing be asked: the devices go all the same, only nobody waits for it.
    if (!(error instanceof NetloomError)) throw error
  }
}

async function oneMore(): Promise<void> {
  const here = new Scope({ ...(await createAnonymous()) })
  try {
    const ending = new Scope({ ...(await createAnonymous()) })
    try {
      const connection = await ending.connection()
      const value = { ifname: 'end', linkinfo: { kind: 'veth', data: { peer: { ifname: 'end', netNsFd: here.handle.fd } } } } as const
      await connection.request({ type: rtm.newLink, flags: requestFlags.create | requestFlags.exclusive, codec: linkTable, value, context })
    } finally {
      ending.close()
    }
    while ((await briefLinks(here)).some(({ ifname }) => ifname === 'end')) await setTimeout(2)
  } finally {
    here.close()
  }
}
