// A plan that does something of every sort, around many namespaces, on a host that has something for it to change; and all that it could leave.
import { readdir, readFile } from 'node:fs/promises'
import { Namespace, Plan } from '../../lib/index.js'
import { everything } from './plans.js'
import { attempt, run } from './readers.js'
import { namedNamespaces } from './state.js'

/** What the plan finds: a bridge with an address and routes, a rule, and a device that it takes along. */
export async function furnish(host: string): Promise<void> {
  const ip = (...words: string[]) => run(host, 'ip', ...words)
  // New namespaces have what the machine has, which may forward.
  await run(host, 'sysctl', '-qw', 'net.ipv4.ip_forward=0')
  await ip('link', 'add', 'old0', 'address', '02:00:00:00:00:aa', 'type', 'bridge')
  await run(host, 'sysctl', '-qw', 'net.ipv6.conf.old0.disable_ipv6=1')
  await ip('link', 'set', 'old0', 'up', 'mtu', '1480')
  await ip('address', 'add', '10.3.0.1/24', 'dev', 'old0')
  await ip('route', 'add', '10.4.0.0/16', 'via', '10.3.0.9', 'metric', '5')
  await ip('route', 'add', '10.4.0.0/16', 'via', '10.3.0.7', 'metric', '9')
  await ip('route', 'add', '10.6.0.7', 'via', '10.3.0.9', 'metric', '5')
  await ip('neighbour', 'add', '10.3.0.7', 'lladdr', '02:00:00:00:00:07', 'dev', 'old0', 'nud', 'permanent')
  await ip('rule', 'add', 'from', '10.4.0.0/16', 'table', '44', 'priority', '444')
  await ip('link', 'add', 'old1', 'address', '02:00:00:00:00:bb', 'type', 'ifb')
}

export async function unfurnish(host: string): Promise<void> {
  for (const link of ['old0', 'old1']) await attempt(host, 'ip', ['link', 'delete', link])
}

/** `there`: the host, by name if the plan is for another process. */
export function crowd(there: Namespace | { readonly name: string }, count: number, prefix: string): Plan {
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(there)
  const hub = here.links.create({ kind: 'bridge', name: 'hub0', up: true })
  here.addresses.add(hub, '10.77.0.1/16')
  here.addresses.add('old0', '10.3.1.1/24')
  here.routes.add({ to: '10.5.0.0/16', via: '10.3.0.9' })
  // As many as go together.
  for (let i = 0; i < 40; i++) here.routes.add({ to: `10.6.0.${i}`, via: '10.3.0.9' })
  here.routes.replace({ to: '10.4.0.0/16', via: '10.3.0.8', metric: 5 })
  here.neighbours.replace({ address: '10.3.0.7', mac: '02:00:00:00:00:17', link: 'old0' })
  here.rules.add({ from: '10.77.0.0/16', table: 77, priority: 777 })
  here.sysctl.set('net.ipv4.ip_forward', 1)
  here.links.create({ kind: 'veth', name: 'pa0', up: true, group: 7, peer: { name: 'pb0', alias: 'other end' } })
  here.links.update('old0', { mtu: 1300, alias: 'changed' })
  for (let i = 0; i < count; i++) {
    const inside = plan.namespace(`${prefix}${i}`, { loopback: true })
    inside.links.create({ kind: 'veth', name: 'eth0', up: true, peer: { name: `c${i}`, namespace: here, master: hub, up: true } })
    inside.addresses.add('eth0', `10.77.${1 + (i >> 7)}.${(i & 127) + 1}/16`)
    inside.routes.add({ to: 'default', via: '10.77.0.1' })
  }
  here.routes.delete({ to: '10.4.0.0/16', via: '10.3.0.7', metric: 9 })
  here.links.move('old1', plan.namespace(`${prefix}away`))
  return plan
}

/** What deleting the result of a complete crowd does, by other means. */
export async function takeAway(host: string, prefix: string): Promise<void> {
  const ip = (...words: string[]) => run(host, 'ip', ...words)
  await run(undefined, 'ip', '-n', `${prefix}away`, 'link', 'set', 'old1', 'netns', host)
  await Namespace.deleteMany((await namedNamespaces(prefix)).map(name => ({ name })))
  await ip('link', 'delete', 'pa0')
  await ip('link', 'delete', 'hub0')
  await ip('link', 'set', 'old0', 'mtu', '1480', 'alias', '')
  await ip('rule', 'delete', 'priority', '777')
  await ip('address', 'delete', '10.3.1.1/24', 'dev', 'old0')
  await ip('route', 'delete', '10.5.0.0/16')
  for (let i = 0; i < 40; i++) await ip('route', 'delete', `10.6.0.${i}`, 'metric', '0')
  await ip('route', 'replace', '10.4.0.0/16', 'via', '10.3.0.9', 'metric', '5')
  await ip('route', 'add', '10.4.0.0/16', 'via', '10.3.0.7', 'metric', '9')
  await ip('neighbour', 'replace', '10.3.0.7', 'lladdr', '02:00:00:00:00:07', 'dev', 'old0', 'nud', 'permanent')
  await run(host, 'sysctl', '-qw', 'net.ipv4.ip_forward=0')
}

/** Kept by the kernel, not by anybody who sets something. */
const moving = /^net\.(ipv[46]\.route\.|netfilter\.nf_conntrack_count|ipv4\.neigh\.default\.gc_|ipv6\.neigh\.default\.gc_)/

/** All that there is in a host and beside it. */
export async function whole(host: string): Promise<unknown> {
  const settings = await attempt(host, 'sysctl', ['-a', '-r', '^net[.](ipv4|ipv6|bridge|core|netfilter)[.]'])
  const records = await recordsOf(`${host.split('-')[0]!}-`)
  // Last, when no other program runs whose pipes would count.
  const rest = await everything(host)
  const lines = settings.stdout.split('\n').filter(line => !moving.test(line))
  return { ...(rest as object), settings: lines.sort(), records }
}

/** Records of plans that are about this file's names: other files apply plans too. One that goes meanwhile is gone. */
export async function recordsOf(prefix: string): Promise<string[]> {
  const folder = '/run/netloom/plans'
  const ours = []
  for (const name of await readdir(folder).catch(() => []))
    if ((await readFile(`${folder}/${name}`, 'utf8').catch(() => '')).includes(`"${prefix}`)) ours.push(name)
  return ours
}
