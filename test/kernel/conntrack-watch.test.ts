// Connections as they come, change and go; and a published port that moves, whose old connections have to be forgotten.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ConntrackEvent, type ConntrackTuple, Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace
beforeEach(context => needs(context, 'tool:conntrack', 'conntrack', 'tool:nft', 'nftables'))
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(async () => {
  await attempt(host.name, 'conntrack', ['-F'])
})
afterAll(async () => {
  await here?.close()
})

const udp = (i: number): ConntrackTuple => ({
  protocol: 'udp',
  source: '10.0.0.1',
  destination: '10.0.0.2',
  sourcePort: 5000 + i,
  destinationPort: 53,
})
const add = (i: number) =>
  run(host.name, 'conntrack', ...'-I -p udp -s 10.0.0.1 -d 10.0.0.2 --dport 53 -t 60 --sport'.split(' '), String(5000 + i))
const change = (i: number, mark: number) =>
  run(host.name, 'conntrack', ...'-U -p udp -s 10.0.0.1 -d 10.0.0.2 --dport 53 --sport'.split(' '), String(5000 + i), '-m', String(mark))
const remove = (i: number) =>
  run(host.name, 'conntrack', ...'-D -p udp -s 10.0.0.1 -d 10.0.0.2 --dport 53 --sport'.split(' '), String(5000 + i))
const short = (event: ConntrackEvent) => ('entry' in event ? [event.type, event.entry.original.sourcePort, event.entry.mark] : [event.type])

test('what the tool makes, changes and deletes is told in order', async () => {
  const events: unknown[] = []
  for await (const event of here.conntrack.watch()) {
    events.push(short(event))
    if (event.type === 'ready') {
      await add(1)
      await change(1, 9)
      await remove(1)
    }
    if (event.type === 'destroy') break
  }
  expect(events).toEqual([['ready'], ['new', 5001, 0], ['update', 5001, 9], ['destroy', 5001, 9]])
})

test('which changes, and of which connections, can be chosen', async () => {
  const events: unknown[] = []
  for await (const event of here.conntrack.watch({ events: ['destroy'], filter: { protocol: 'udp', originalSourcePort: 5003 } })) {
    events.push(short(event))
    if (event.type === 'destroy') break
    for (const i of [2, 3]) await add(i)
    for (const i of [2, 3]) await remove(i)
  }
  expect(events).toEqual([['ready'], ['destroy', 5003, 0]])
})

test('a reader that is too slow is told that events were lost', async () => {
  await using events = here.conntrack.watch({ receiveBuffer: 4096 })
  expect((await events.next()).value).toEqual({ type: 'ready' })
  for (let i = 0; i < 300; i++) await here.conntrack.create({ ...udp(i), timeout: 60 })
  const types: string[] = []
  while (!types.includes('lost')) types.push((await events.next()).value!.type)
  expect(types.length).toBeLessThan(300)
  expect(await here.conntrack.list()).toHaveLength(300)
})

test('a watch ends by the signal, by leaving, and with its namespace', async () => {
  const controller = new AbortController()
  const aborted = here.conntrack.watch({ signal: controller.signal })
  await aborted.next()
  const waiting = aborted.next()
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  const other = await Namespace.open({ name: host.name })
  const left = other.conntrack.watch()
  await left.next()
  const pending = left.next()
  await other.close()
  await expect(pending).rejects.toMatchObject({ code: 'ECANCELED' })
  expect(() => here.conntrack.watch({ events: ['gone' as never] })).toThrow(expect.objectContaining({ path: 'events[0]' }))
  expect(() => here.conntrack.watch({ filter: { zone: -1 } })).toThrow(expect.objectContaining({ path: 'filter.zone' }))
})

test('a published UDP port that moves: the client goes on talking to the old place until its connection is forgotten', async () => {
  const point = (port: number) =>
    run(host.name, 'nft', `flush chain ip nat output; add rule ip nat output udp dport 8080 dnat to 127.0.0.1:${port}`)
  await run(host.name, 'nft', 'add table ip nat; add chain ip nat output { type nat hook output priority -100; }')
  const heard: string[] = []
  const sockets = await Promise.all([9001, 9002, 0].map(port => here.udp({ type: 'udp4', port, address: '127.0.0.1' })))
  const [first, second, client] = sockets
  try {
    const says = (name: string) => (data: Buffer) => void heard.push(`${name} heard ${data}`)
    first!.on('message', says('first'))
    second!.on('message', says('second'))
    const send = async (text: string) => {
      const before = heard.length
      client!.send(text, 8080, '127.0.0.1')
      await expect.poll(() => heard.length).toBe(before + 1)
    }
    await point(9001)
    await send('one')
    await point(9002)
    await send('two')
    await here.conntrack.deleteMatching({ protocol: 'udp', originalDestination: '127.0.0.1', originalDestinationPort: 8080 })
    await send('three')
    expect(heard).toEqual(['first heard one', 'first heard two', 'second heard three'])
  } finally {
    for (const socket of sockets) socket.close()
    await run(host.name, 'nft', 'delete table ip nat')
  }
})
