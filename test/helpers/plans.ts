// What the tests of plans share: a star of namespaces around a bridge, and the whole state of a machine before and after.
import { type Namespace, Plan } from '../../lib/index.js'
import { run } from './readers.js'
import { descriptors, mountPoints, namedNamespaces, namespaceState, threadCount, threadNamespaces } from './state.js'

export interface StarNames {
  /** Begins the names of the namespaces. */
  readonly prefix: string
  readonly bridge?: string
}

/** One bridge in the host, and so many namespaces with a veth, an address and a default route each. */
export function star(host: Namespace, count: number, { prefix, bridge = 'star0' }: StarNames): Plan {
  const plan = new Plan({ ipv6: 'static' })
  const here = plan.in(host)
  const hub = here.links.create({ kind: 'bridge', name: bridge, up: true, mac: '02:00:00:00:00:01' })
  here.addresses.add(hub, '10.77.0.1/16')
  for (let i = 0; i < count; i++) {
    const inside = plan.namespace(`${prefix}${i}`, { loopback: true })
    const eth0 = inside.links.create({
      kind: 'veth',
      name: 'eth0',
      mac: mac(1, i),
      up: true,
      peer: { name: `p${i}`, mac: mac(2, i), namespace: here, master: hub, up: true },
    })
    inside.addresses.add(eth0, address(i))
    inside.routes.add({ to: 'default', via: '10.77.0.1' })
    here.routes.add({ to: `10.78.${i >> 8}.${i & 255}`, via: address(i).replace('/16', ''), link: hub })
  }
  return plan
}
export const address = (i: number): string => `10.77.${1 + Math.floor(i / 250)}.${(i % 250) + 1}/16`
const mac = (side: number, i: number) => `02:0${side}:00:00:${hex(i >> 8)}:${hex(i & 255)}`
const hex = (byte: number) => byte.toString(16).padStart(2, '0')

/** Everything that a plan could leave behind, in its host, beside it and in this process. */
export async function everything(host: string): Promise<unknown> {
  const [state, rules, neighbours, sysctls, groups] = await Promise.all([
    namespaceState(host),
    run(host, 'ip', 'rule', 'show'),
    run(host, 'ip', 'neighbour', 'show', 'nud', 'permanent'),
    run(host, 'sysctl', 'net.ipv4.ip_forward', 'net.ipv4.conf.default.rp_filter'),
    run(host, 'ip', '-o', 'link', 'show'),
  ])
  const ours = host.replace(/host$/, '')
  const mounts = (await mountPoints()).filter(point => point.includes(ours))
  return {
    ...{ state, rules, neighbours, sysctls, names: await namedNamespaces(ours), mounts },
    groups: [...groups.matchAll(/group (\S+)/g)].map(([, group]) => group),
    ...{ descriptors: await descriptors(), threads: await threadNamespaces(), few: (await threadCount()) < 40 },
  }
}
