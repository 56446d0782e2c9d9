// What the link tests share: an open host namespace, and what ip says of one link.

import { afterAll, beforeAll } from 'vitest'
import { Namespace, NetloomError } from '../../lib/index.js'
import { missing } from './features.js'
import { type Host, useHost } from './host.js'
import { ip, type Where } from './readers.js'

/** A link as `ip -j -d link show` prints it. */
export interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly altnames?: readonly string[]
  readonly flags: readonly string[]
  readonly mtu: number
  readonly address: string
  readonly group: string
  readonly txqlen?: number
  readonly num_tx_queues: number
  readonly num_rx_queues: number
  readonly ifalias?: string
  readonly master?: string
  readonly link?: string
  readonly link_index?: number
  readonly inet6_addr_gen_mode?: string
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: Readonly<Record<string, unknown>>
    readonly info_slave_kind?: string
    readonly info_slave_data?: Readonly<Record<string, unknown>>
  }
}

/** The file's host, held open by the library as long as its tests run. */
export function useOpenHost(): Host & { readonly namespace: Namespace } {
  const host = useHost()
  let namespace: Namespace | undefined
  beforeAll(async () => {
    if ((await missing('tool:ip')) === undefined) namespace = await Namespace.open({ name: host.name })
  })
  afterAll(() => namespace?.close())
  return {
    ...host,
    get namespace() {
      if (!namespace) throw new Error('the host is not there yet')
      return namespace
    },
  }
}

/** What ip says of a link, or undefined if there is none. */
export async function ipLink(where: Where, name: string): Promise<IpLink | undefined> {
  return (await ip<IpLink>(where, 'link', 'show')).find(link => link.ifname === name || link.altnames?.includes(name))
}

/** Some kernels put these into every new namespace, and they cannot be deleted. */
const fallback = /^(lo|tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0|teql0)$/

/** The names of all links that somebody made, sorted. */
export async function linkNames(where: Where): Promise<string[]> {
  const links = await ip<IpLink>(where, 'link', 'show')
  return links
    .map(link => link.ifname)
    .filter(name => !fallback.test(name))
    .sort()
}

/** Deletes all links that can be deleted; the other ends of veths, and those in namespaces that are just going, go by themselves. */
export async function clear(namespace: Namespace): Promise<void> {
  for (const { name } of await namespace.links.list()) {
    if (fallback.test(name)) continue
    await namespace.links.delete(name).catch((error: unknown) => {
      if (!(error instanceof NetloomError) || error.code !== 'ENODEV') throw error
    })
  }
}
