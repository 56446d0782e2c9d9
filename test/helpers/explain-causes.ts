// What can be in the way of a ping: how it comes about, and what explain() has to say of it.
import type { ExplainCauseKind, LinkChange } from '../../lib/index.js'
import type { Rig } from './explain-rig.js'
import type { Feature } from './features.js'

type Told = readonly [kind: ExplainCauseKind, way: 'there' | 'back', namespace: string, link?: string]
export interface Injected {
  readonly to: 'green' | 'far'
  inject(rig: Rig): Promise<unknown>
  readonly size?: number
  readonly source?: string
  /** What explain() names, in this order. */
  readonly told: readonly Told[]
  readonly needs?: readonly Feature[]
  /** The kernel that had it first. */
  readonly since?: string
}

const macOf = async (namespace: Rig['blue']) => (await namespace.links.get('eth0')).mac!
/** Nobody remembers where somebody is. */
const forget = ({ machine }: Rig) => machine.links.update('br0', { options: { flush: true } } as LinkChange)
const unknown = ({ blue }: Rig, address: string) => blue.neighbours.delete({ address, link: 'eth0' })

/** A second cable from blue to the machine, by which its packets leave while answers come by the bridge. */
async function sidestep({ machine, blue }: Rig): Promise<void> {
  const peer = { namespace: blue, name: 'eth1', up: true }
  await machine.links.create({ kind: 'veth', name: 'to-blue2', up: true, peer })
  await machine.addresses.add('to-blue2', '10.0.4.254/24')
  await blue.addresses.add('eth1', '10.0.4.1/24')
  await blue.routes.replace({ to: 'default', via: '10.0.4.254', src: '10.0.1.1' })
}

export const routing: Readonly<Record<string, Injected>> = {
  'no default route': {
    to: 'far',
    inject: ({ blue }) => blue.routes.delete({ to: 'default' }),
    told: [['no-route', 'there', 'blue', 'eth0']],
  },
  'no way back': {
    to: 'far',
    inject: ({ far }) => far.routes.delete({ to: 'default' }),
    told: [['no-route', 'back', 'far', 'eth0']],
  },
  'the connected route taken away': {
    to: 'green',
    inject: async ({ blue }) => {
      await blue.routes.delete({ to: 'default' })
      await blue.routes.delete({ to: '10.0.1.0/24', link: 'eth0' })
    },
    told: [['no-route', 'there', 'blue', 'eth0']],
  },
  'subnets that differ on one bridge': {
    to: 'green',
    inject: async ({ blue, green }) => {
      await blue.routes.delete({ to: 'default' })
      await green.addresses.delete('eth0', '10.0.1.2/24')
      await green.addresses.add('eth0', '10.220.1.2/24')
    },
    told: [['different-subnets', 'there', 'blue', 'eth0']],
  },
  'no address at the sender': {
    to: 'green',
    inject: ({ blue }) => blue.addresses.delete('eth0', '10.0.1.1/24'),
    told: [['no-address', 'there', 'blue', 'eth0']],
  },
  'no address at the sender, which needs a router': {
    to: 'far',
    inject: ({ blue }) => blue.addresses.delete('eth0', '10.0.1.1/24'),
    told: [['no-address', 'there', 'blue', 'eth0']],
  },
  'no address at the receiver': {
    to: 'green',
    inject: ({ green }) => green.addresses.delete('eth0', '10.0.1.2/24'),
    told: [['no-address', 'there', 'green', 'eth0']],
  },
  'a blackhole at the sender': {
    to: 'far',
    inject: ({ blue }) => blue.routes.add({ to: '10.0.2.0/24', type: 'blackhole' }),
    told: [['blackhole-route', 'there', 'blue']],
  },
  'a blackhole at the router': {
    to: 'far',
    inject: ({ machine }) => machine.routes.add({ to: '10.0.2.0/25', type: 'blackhole' }),
    told: [['blackhole-route', 'there', 'machine']],
  },
  'an unreachable route': {
    to: 'far',
    inject: ({ blue }) => blue.routes.add({ to: '10.0.2.2', type: 'unreachable' }),
    told: [['unreachable-route', 'there', 'blue']],
  },
  'a prohibiting route': {
    to: 'far',
    inject: ({ machine }) => machine.routes.add({ to: '10.0.2.2', type: 'prohibit', metric: 5 }),
    told: [['prohibit-route', 'there', 'machine']],
  },
  'forwarding off': {
    to: 'far',
    inject: ({ machine }) => machine.sysctl.set('net.ipv4.ip_forward', 0),
    told: [['forwarding-off', 'there', 'machine']],
  },
  'forwarding off on one link': {
    to: 'far',
    inject: ({ machine }) => machine.sysctl.set('net.ipv4.conf.to-far.forwarding', 0),
    told: [['forwarding-off', 'back', 'machine', 'to-far']],
  },
  'the reverse path filter, where ways differ': {
    to: 'far',
    source: '10.0.1.1',
    inject: async rig => {
      await sidestep(rig)
      await rig.machine.sysctl.set('net.ipv4.conf.to-blue2.rp_filter', 1)
    },
    told: [['reverse-path', 'there', 'machine', 'to-blue2']],
  },
  'the sender’s address at the router too': {
    to: 'far',
    inject: ({ machine }) => machine.addresses.add('to-far', '10.0.1.1/32'),
    told: [['duplicate-address', 'there', 'machine', 'to-far']],
  },
  'echo requests ignored': {
    to: 'far',
    inject: ({ far }) => far.sysctl.set('net.ipv4.icmp_echo_ignore_all', 1),
    told: [['echo-ignored', 'there', 'far', 'eth0']],
  },
  'an MTU at the router': {
    to: 'far',
    size: 1400,
    inject: async ({ machine, far }) => {
      await machine.links.update('to-far', { mtu: 1000 })
      await far.links.update('eth0', { mtu: 1000 })
    },
    told: [
      ['mtu', 'there', 'machine', 'to-far'],
      ['mtu', 'there', 'far', 'eth0'],
    ],
  },
}

export const linkLayer: Readonly<Record<string, Injected>> = {
  'a port down': {
    to: 'green',
    inject: ({ machine }) => machine.links.update('to-green', { up: false }),
    told: [['link-down', 'there', 'machine', 'to-green']],
  },
  'the sender’s link down': {
    to: 'green',
    inject: ({ blue }) => blue.links.update('eth0', { up: false }),
    told: [['link-down', 'there', 'blue', 'eth0']],
  },
  'the sender’s link down, and with it the default route': {
    to: 'far',
    inject: ({ blue }) => blue.links.update('eth0', { up: false }),
    told: [
      ['link-down', 'there', 'blue', 'eth0'],
      ['no-route', 'there', 'blue', 'eth0'],
    ],
  },
  'the receiver’s link down': {
    to: 'green',
    inject: ({ green }) => green.links.update('eth0', { up: false }),
    told: [['link-down', 'there', 'green', 'eth0']],
  },
  'the bridge down': {
    to: 'green',
    inject: ({ machine }) => machine.links.update('br0', { up: false }),
    told: [['bridge-down', 'there', 'machine', 'br0']],
  },
  // The kernel undoes other states at once while no spanning tree runs.
  'a port that only learns': {
    to: 'green',
    inject: ({ machine }) => machine.links.update('to-green', { port: { state: 'learning' } }),
    told: [['port-state', 'there', 'machine', 'to-green']],
  },
  'a port held back by the spanning tree': {
    to: 'green',
    inject: async ({ machine }) => {
      await machine.links.update('br0', { options: { stp: true, forwardDelay: 30 } })
      await machine.links.update('to-blue', { master: null })
      await machine.links.update('to-blue', { master: 'br0' })
    },
    told: [['port-state', 'there', 'machine', 'to-blue']],
  },
  'isolated ports': {
    to: 'green',
    inject: async ({ machine }) => {
      for (const port of ['to-blue', 'to-green']) await machine.links.update(port, { port: { isolated: true } })
    },
    told: [['isolated-ports', 'there', 'machine', 'br0']],
  },
  'a locked port': {
    to: 'green',
    inject: async rig => {
      await rig.machine.links.update('to-blue', { port: { locked: true } })
      await forget(rig)
    },
    told: [['port-locked', 'there', 'machine', 'to-blue']],
    since: '5.18',
  },
  'no flooding, and nothing learned': {
    to: 'green',
    inject: async rig => {
      await rig.machine.links.update('to-green', { port: { flood: false } })
      await forget(rig)
    },
    told: [['port-flooding', 'there', 'machine', 'to-green']],
  },
  'no broadcasts, and nobody known': {
    to: 'green',
    inject: async rig => {
      await rig.machine.links.update('to-green', { port: { broadcastFlood: false } })
      await unknown(rig, '10.0.1.2')
    },
    told: [['port-flooding', 'there', 'machine', 'to-green']],
  },
  'a MAC that may not move, at the wrong port': {
    to: 'green',
    inject: async ({ machine, green }) => machine.fdb.replace({ mac: await macOf(green), port: 'to-blue', sticky: true }),
    told: [['wrong-fdb', 'there', 'machine', 'br0']],
  },
  'a static entry at the wrong port': {
    to: 'green',
    inject: async ({ machine, green }) => machine.fdb.replace({ mac: await macOf(green), port: 'to-blue' }),
    told: [['wrong-fdb', 'there', 'machine', 'br0']],
  },
  'a MAC that the bridge takes for its own': {
    to: 'green',
    inject: async ({ machine, green }) => machine.fdb.replace({ mac: await macOf(green), port: 'to-green', state: 'permanent' }),
    told: [['wrong-fdb', 'there', 'machine', 'br0']],
  },
  'a wrong neighbour': {
    to: 'green',
    inject: ({ blue }) => blue.neighbours.replace({ address: '10.0.1.2', mac: '02:00:00:00:00:99', link: 'eth0' }),
    told: [['wrong-neighbour', 'there', 'blue', 'eth0']],
  },
  'a wrong neighbour on the way back': {
    to: 'far',
    inject: ({ machine }) => machine.neighbours.replace({ address: '10.0.1.1', mac: '02:00:00:00:00:99', link: 'br0' }),
    told: [['wrong-neighbour', 'back', 'machine', 'br0']],
  },
  'an MTU that only frames meet': {
    to: 'green',
    size: 1400,
    inject: ({ machine }) => machine.links.update('to-green', { mtu: 1000 }),
    told: [['mtu', 'there', 'machine', 'to-green']],
  },
}
