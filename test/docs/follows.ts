// Rows that go on for ever: the command and the call run side by side while things happen.
import { expect, vi } from 'vitest'
import type { WatchEvent } from '../../lib/index.js'
import { patience } from '../helpers/patience.js'
import type { Row } from './rows.js'
import type { Scene } from './scene.js'

interface Follow {
  /** Commands that both must tell, each in one word. */
  readonly steps: readonly string[]
  /** Something to tell, again and again, until the command has begun to listen. */
  readonly knock: string
  theirs(line: string): string | undefined
  ours(event: WatchEvent): string | undefined
}

async function follow(scene: Scene, { command, call }: Row, { steps, knock, theirs, ours }: Follow): Promise<void> {
  await using held = await scene.hold(call)
  const events = held.value as AsyncGenerator<WatchEvent, void>
  await using running = await scene.follow(command)
  const [told, seen]: [string[], string[]] = [[], []]
  let [heard, ready] = [false, false]
  const readers = [
    collect(running.lines, line => {
      heard = true
      add(told, theirs(line))
    }),
    collect(events, event => {
      if (event.type === 'ready') ready = true
      else if (ready) add(seen, ours(event))
    }),
  ]
  try {
    await vi.waitFor(
      async () => {
        await scene.run(knock)
        expect([heard, ready]).toEqual([true, true])
      },
      { timeout: patience(10_000), interval: 20 },
    )
    for (const [i, step] of steps.entries()) {
      await scene.run(step)
      await vi.waitFor(() => expect([told.length, seen.length]).toEqual([i + 1, i + 1]), { timeout: patience(10_000), interval: 5 })
    }
    expect(seen).toEqual(told)
  } finally {
    await running.stop()
    await events.return()
    await Promise.all(readers)
  }
}

/** The kernel may tell the same thing twice. */
const add = (list: string[], word: string | undefined) => {
  if (word !== undefined && list.at(-1) !== word) list.push(word)
}
async function collect<T>(from: AsyncIterable<T>, take: (one: T) => void): Promise<void> {
  for await (const one of from) take(one)
}

const namespaces: Follow = {
  knock: 'ip netns add knock; ip netns delete knock',
  steps: ['ip netns add red', 'ip netns delete red', 'ip netns add red', 'ip netns delete red'],
  theirs: line => (line.endsWith(' red') ? line : undefined),
  ours: event =>
    event.type === 'namespace' && event.namespace.name === 'red' ? `${event.action === 'set' ? 'add' : 'delete'} red` : undefined,
}

const objects: Follow = {
  knock: 'ip link set wire alias knock; ip link set wire alias ""',
  steps: [
    'ip link set veth2 mtu 1300',
    'ip address add 10.7.0.1/24 dev eth0',
    'ip route add 10.70.0.0/16 via 10.7.0.2',
    'ip neighbour add 10.7.0.3 lladdr 02:00:00:00:00:0c dev eth0',
    'ip neighbour change 10.7.0.3 lladdr 02:00:00:00:00:0d dev eth0',
    'ip route delete 10.70.0.0/16',
    'ip address delete 10.7.0.1/24 dev eth0',
  ],
  theirs: line => {
    const [, deleted = '', word] = /^(Deleted )?(?:\d+: )?(.*)$/.exec(line) ?? []
    const [, link, address, route, neighbour] =
      /^(veth2)\S*: .* mtu 1300|inet (10\.7\.0\.1\/24)|^(10\.70\.0\.0\/16) via|^(10\.7\.0\.3 .*lladdr \S+)/.exec(word ?? '') ?? []
    if (neighbour !== undefined) return `${deleted}${neighbour.replace(/ dev \S+/, '')}`
    const what = link ?? address ?? route
    return what && `${deleted}${what}`
  },
  ours: event => {
    if (!('action' in event)) return undefined
    const deleted = event.action === 'delete' ? 'Deleted ' : ''
    if (event.type === 'link' && event.link.name === 'veth2' && event.link.mtu === 1300) return `${deleted}veth2`
    if (event.type === 'address' && event.address.cidr === '10.7.0.1/24') return `${deleted}${event.address.cidr}`
    if (event.type === 'route' && event.route.to === '10.70.0.0/16') return `${deleted}${event.route.to}`
    if (event.type === 'neighbour' && event.neighbour.address === '10.7.0.3')
      return `${deleted}${event.neighbour.address} lladdr ${event.neighbour.mac}`
    return undefined
  },
}

export const follows: Readonly<Record<string, (scene: Scene, row: Row) => Promise<void>>> = {
  'ip netns monitor': (scene, row) => follow(scene, row, namespaces),
  'ip monitor link address route neigh': (scene, row) => follow(scene, row, objects),
}
