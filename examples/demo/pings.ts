// The demo's pings: from all to all while that is a readable table, around in a ring when there are many.
import type { Namespace } from 'netloom'
import type { Member, Network } from './bridge.js'
import type { Lab } from './lab.js'
import { milliseconds, since, step, table, thousands } from './show.js'

/** Up to this many, everybody pings everybody, and the times fit on a line. */
const mostInMatrix = 12
/** All namespaces of a machine share one neighbour table, with 1,024 entries unless gc_thresh3 says otherwise. */
const mostNeighbours = 200
/** Each first ping begins with a broadcast to all ports: of more of them at a time, the kernel would drop some (net.core.netdev_max_backlog). */
const mostAtOnce = (members: number) => Math.max(1, Math.floor(400 / members))

export async function pingAround(lab: Lab, network: Network): Promise<void> {
  const { members, gateway, host } = network
  const started = performance.now()
  const targets = [...members.map(({ name, address }) => ({ name, address })), { name: 'br0', address: gateway }]
  const all = members.length <= mostInMatrix
  // A ring, when there are many: each pings the next one.
  const targetsOf = (i: number) => (all ? targets : members.slice((i + 1) % members.length).slice(0, 1))
  const pingFrom = async (member: Member, i: number) => {
    const { namespace, name } = member
    const times: (number | undefined)[] = []
    for (const target of targetsOf(i)) {
      if (target.name === name) times.push(undefined)
      else times.push((await namespace.ping(target.address, { count: 1, signal: lab.signal })).rtt?.avg ?? Number.NaN)
    }
    const answered = !times.some(time => Number.isNaN(time))
    if (answered && members.length > mostNeighbours) await forget(member, members[(i + 1) % members.length])
    return { name, times }
  }
  const rows = await lab.each('pinging', members, pingFrom, mostAtOnce(members.length))
  const times = rows.flatMap(row => row.times).filter(time => time !== undefined)
  const answered = times.filter(time => !Number.isNaN(time)).sort((a, b) => a - b)
  step(
    `${all ? 'all ping all, and br0' : 'each pings the next'}: ${thousands(answered.length)} of ${thousands(times.length)} answered (${since(started)})`,
    `ip netns exec ${members[0]?.name} ping -c 1 ${targetsOf(0).find(({ name }) => name !== members[0]?.name)?.address}`,
  )
  if (all) {
    const cell = (time: number | undefined) => (time === undefined ? '·' : Number.isNaN(time) ? 'lost' : time.toFixed(2))
    table(
      ['ms', ...targets.map(({ name }) => name)],
      rows.map(row => [row.name, ...row.times.map(cell)]),
    )
  }
  const [min, median, max] = [answered[0], answered[answered.length >> 1], answered.at(-1)]
  step(`round trips: ${milliseconds(min ?? 0)} at least, ${milliseconds(median ?? 0)} typically, ${milliseconds(max ?? 0)} at most`)
  if (answered.length < times.length) throw new Error(`${times.length - answered.length} pings were lost: ${await suspect(host)}`)
}

/** What two have learned of each other by a ping. */
async function forget(a: Member, b = a): Promise<void> {
  await a.namespace.neighbours.delete({ address: b.address, link: 'eth0' })
  await b.namespace.neighbours.delete({ address: a.address, link: 'eth0' })
}

/** The usual reason for a bridge that passes ARP and drops IP. */
async function suspect(host: Namespace): Promise<string> {
  try {
    const calls = await host.sysctl.get('net.bridge.bridge-nf-call-iptables')
    return `net.bridge.bridge-nf-call-iptables is ${calls}, so that a firewall ${calls === '0' ? 'is not the reason' : 'may have dropped them'}`
  } catch (error) {
    return `no firewall sees bridged packets here (${error instanceof Error ? error.message : error})`
  }
}
