// The demo's second part (S2): two namespaces with a cable between them.
import { type Namespace, NetloomError } from 'netloom'
import type { Lab } from './lab.js'
import type { Subnet } from './options.js'
import { bad, heading, milliseconds, step } from './show.js'

export async function connectPair(lab: Lab, blue: Namespace, subnet: Subnet): Promise<Namespace> {
  heading('Two namespaces and a veth pair')
  const green = await lab.namespace('green')
  step(`green is ${green}`, 'ip netns add green')
  const peer = { name: 'eth0', namespace: green, up: true }
  const cable = await blue.links.create({ kind: 'veth', name: 'eth0', up: true, peer })
  step(
    `${cable.name} in blue (index ${cable.index}) ⇄ ${cable.peer.link.name} in green (index ${cable.peer.link.index})`,
    'ip -n blue link add eth0 type veth peer name eth0 netns green',
  )
  for (const [i, namespace] of [blue, green].entries()) {
    const cidr = `${subnet.host(i + 1)}/${subnet.prefix}`
    await namespace.addresses.add('eth0', cidr)
    step(`${namespace.name} has ${cidr}`, `ip -n ${namespace.name} address add ${cidr} dev eth0`)
  }
  await showRoutes(blue)
  for (const [from, number] of [
    [blue, 2],
    [green, 1],
  ] as const) {
    const to = subnet.host(number)
    const { sent, received, loss, rtt } = await from.ping(to, { count: 5, interval: 0.02, signal: lab.signal })
    const times = rtt ? `, ${milliseconds(rtt.avg)}` : ''
    step(`${from.name} pings ${to}: ${received} of ${sent}, ${loss * 100} % lost${times}`, `ip netns exec ${from.name} ping -c 5 ${to}`)
  }
  await failToPing(lab, blue, subnet)
  return green
}

async function showRoutes(blue: Namespace): Promise<void> {
  for (const table of ['main', 'local'] as const) {
    const routes = await blue.routes.list({ table, family: 4, link: 'eth0' })
    const texts = routes.map(({ type, to }) => (type === 'unicast' ? to : `${type} ${to}`))
    step(`blue's ${table} table: ${texts.join(', ')}`, `ip -n blue route show table ${table}`)
  }
}

/** An address that no route leads to: the answer is an error that says so, not a loss. */
async function failToPing(lab: Lab, blue: Namespace, subnet: Subnet): Promise<void> {
  const elsewhere = subnet.contains('10.220.1.2') ? '10.99.1.2' : '10.220.1.2'
  try {
    await blue.ping(elsewhere, { count: 1, signal: lab.signal })
  } catch (error) {
    if (!(error instanceof NetloomError && error.code === 'ENETUNREACH')) throw error
    step(`blue pings ${elsewhere}: ${bad(error.code)}, ${error.reason}`, `ip netns exec blue ping -c 1 ${elsewhere}`)
  }
}
