// Compiled, never run: what plans take and give. Each line fails the compiler if a mistake is let through, or something right is refused.
import { Namespace, Plan, type PlanJson, type PlanLimit, type PlanLink, type PlanNamespace, type PlanResult } from '../../lib/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>() => undefined as T | undefined

export async function plans(namespace: Namespace): Promise<void> {
  const plan = new Plan({ ipv6: 'none' })
  const host = plan.in(namespace)
  const web = plan.namespace('web', { loopback: true })
  is<Equal<typeof web, PlanNamespace>>()

  // ---- links stand wherever a link is meant, a veth has its other end
  const bridge = host.links.create({ kind: 'bridge', options: { stp: true } })
  is<Equal<typeof bridge, PlanLink>>()
  const port = host.links.create({ kind: 'veth', master: bridge, peer: { namespace: web, name: 'eth0', master: 'br1' } })
  const other: PlanLink = port.peer
  host.links.create({ kind: 'vlan', link: port, options: { id: 5 }, namespace })
  host.links.create({ kind: 'vxlan', link: other, options: { id: 5 }, namespace: { name: 'blue' } })
  host.links.create({ kind: 'other:foo', link: bridge, options: new Uint8Array(4) })
  web.addresses.add(port.peer, '10.0.0.1/24', { metric: 3 })
  web.routes.add({ to: 'default', link: other, nexthops: [{ link: port.peer, weight: 2 }] })
  web.neighbours.add({ address: '10.0.0.2', link: port.peer })
  web.links.update(port, { master: bridge })
  web.links.update('eth0', { master: null })
  web.links.move(other, web, { name: 'x' })
  web.links.delete({ index: 7 })

  // @ts-expect-error a bridge has no other end
  bridge.peer
  // @ts-expect-error there is no such kind
  host.links.create({ kind: 'brigde' })
  // @ts-expect-error a vlan needs a device below it
  host.links.create({ kind: 'vlan', options: { id: 5 } })
  // @ts-expect-error an option of another kind
  host.links.create({ kind: 'bridge', options: { id: 5 } })
  // @ts-expect-error a namespace is no link
  web.addresses.add(web, '10.0.0.1/24')
  // @ts-expect-error a link is no namespace
  web.links.move(port, bridge)
  // @ts-expect-error a route in a plan needs to lead somewhere, too
  web.routes.add({ via: '10.0.0.1' })
  // @ts-expect-error a plan makes its namespaces with namespace()
  plan.in(web)
  // @ts-expect-error live verbs know nothing of what is only planned
  await namespace.links.delete(port)
  // @ts-expect-error nothing is read in a plan
  host.links.list
  // @ts-expect-error there are three policies
  new Plan({ ipv6: 'off' })

  // ---- what can be done with it
  is<Equal<ReturnType<typeof plan.toJSON>, PlanJson>>()
  is<Equal<Awaited<ReturnType<typeof plan.preflight>>, PlanLimit[]>>()
  const text: string = String(Plan.fromJSON(JSON.parse(JSON.stringify(plan)) as object))
  const result: PlanResult = await plan.apply({ onError: 'continue', onProgress: ({ done, total }) => void [done, total, text] })
  await Namespace.open(result.namespace(web))
  result.namespace('web')
}
