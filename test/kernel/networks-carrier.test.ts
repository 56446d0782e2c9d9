// An endpoint works when connect() has returned: the kernel takes note of a carrier on a thread of its own, up to 200 links at a time, and the rest a second
// later. Until then it drops what is sent over the link.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks, Plan } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { run } from '../helpers/readers.js'

/** Both ends of each wait for the kernel's thread: five times as many as it takes note of at once. */
const pairs = 500

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(context => needs(context, 'tool:ip', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-carrier-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  for (const one of made.splice(0)) await one.delete()
  await rm(folder, { recursive: true })
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function namespace(name: string): Promise<Namespace & { readonly name: string }> {
  const one = await Namespace.create(`${host.name}-${name}`, { loopback: true })
  made.push(one)
  return one as Namespace & { readonly name: string }
}

/** From a list of all links: a question about a single one makes the kernel take note of it. */
async function states(name: string): Promise<Readonly<Record<string, string>>> {
  const all = JSON.parse(await run(name, 'ip', '-j', 'link')) as { readonly ifname: string; readonly operstate: string }[]
  return Object.fromEntries(all.map(({ ifname, operstate }) => [ifname, operstate]))
}

/** Gives a thousand ends of links their carrier at one moment. */
async function storm(crowd: Namespace & { readonly name: string }): Promise<void> {
  await run(crowd.name, 'ip', 'link', 'set', 'group', '7', 'down')
  await run(crowd.name, 'ip', 'link', 'set', 'group', '7', 'up')
}

test.each(['one', 'many', 'with a setting'] as const)(
  'what is connected works at once, %s, while a thousand links get their carrier',
  async how => {
    const crowd = await namespace('crowd')
    const plan = new Plan({ ipv6: 'none' })
    for (let i = 0; i < pairs; i++)
      plan.in(crowd).links.create({ kind: 'veth', name: `a${i}`, group: 7, up: true, peer: { name: `b${i}`, up: true } })
    await plan.apply()
    const net = await networks.create({ name: 'net', subnet: '10.140.0.0/24' })
    const guests = [await namespace('web'), await namespace('mail'), await namespace('news')]
    for (const round of [1, 2, 3]) {
      await storm(crowd)
      const endpoints =
        how === 'many'
          ? await net.connectMany(guests)
          : [await net.connect(guests[0]!, how === 'one' ? {} : { sysctls: { 'net.ipv4.conf.IFNAME.forwarding': '1' } })]
      const outside = await states(host.name)
      const inside = await Promise.all(endpoints.map(async (_, i) => (await states(guests[i]!.name!)).eth0))
      const ports = endpoints.map(({ hostInterface }) => outside[hostInterface!])
      const up = endpoints.map(() => 'UP')
      expect([round, ports, outside[`br-${net.id.slice(0, 12)}`], inside]).toEqual([round, up, 'UP', up])
      await net.disconnectMany(guests.slice(0, endpoints.length))
    }
  },
)
