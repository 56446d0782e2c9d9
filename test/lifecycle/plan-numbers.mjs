// Connects as many namespaces as its first argument says to one by a plan, and says what ip tells of their numbers there. To be run in a fresh network and mount
// namespace: so many names at a time would be in the way of whoever compares mounts. On the built library.
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { Namespace, Plan } from '../../dist/index.js'

const [, , count, threads] = process.argv.map(Number)
const host = await Namespace.create('numbers-host')
const plan = new Plan({ ipv6: 'none' })
for (let i = 0; i < count; i++)
  plan.namespace(`n${i}`).links.create({ kind: 'veth', name: 'eth0', peer: { namespace: host, name: `p${i}` } })
await plan.apply({ threads })
const read = (...words) => execFileSync('ip', ['-n', 'numbers-host', ...words], { encoding: 'utf8', maxBuffer: 2 ** 26 })
const byName = new Map(JSON.parse(read('-j', 'link')).map(({ ifname, link_netnsid }) => [ifname, link_netnsid]))
const numbers = Array.from({ length: count }, (_, i) => byName.get(`p${i}`))
const named = [...read('netns', 'list-id').matchAll(/nsid (\d+) .*name: (\S+?)\)/g)].map(([, nsid, name]) => [Number(nsid), name])
process.stdout.write(JSON.stringify({ numbers, named }))
