// The state folder under processes that are killed at any moment: no address is given twice, and nothing half-done stays.
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFile } from '../../lib/namespace/file-lock.js'
import { networkSpec } from '../../lib/network/options.js'
import type { EndpointRecord, NetworkRecord } from '../../lib/network/records.js'
import { State } from '../../lib/network/state.js'
import { Allocator } from '../../lib/network/state-allocate.js'
import { patience } from '../helpers/patience.js'
import { start } from '../helpers/readers.js'
import { random, seed } from './ending.js'

const program = fileURLToPath(new URL('network-claims.mjs', import.meta.url))
const kills = Number(process.env.NETLOOM_KILLS ?? 40)
const atOnce = 8

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-state-'))
})
afterEach(() => rm(folder, { recursive: true }))

const id = (digit: string) => digit.repeat(64)
const network = (subnet: string, gateway: string): NetworkRecord => ({
  kind: 'network',
  id: id('a'),
  created: '',
  spec: networkSpec({ name: 'blue', subnet }),
  pools: [{ subnet, gateway }],
})
const endpoint = (digit: string, given: Partial<EndpointRecord>): EndpointRecord => ({
  ...{ kind: 'endpoint', id: id(digit), network: id('a'), created: '', aliases: [], gatewayPriority: 0, addresses: [] },
  namespace: { key: 'c1', device: 4, inode: 1 },
  ...given,
})
const nothing = async () => undefined

async function withNetwork(record: NetworkRecord): Promise<State> {
  const { state } = await State.open(folder, 'test')
  await state.change(async () => {
    await state.intend([record])
    await state.commitNetwork(record)
  }, nothing)
  return state
}

test(`8 processes on one folder, ${kills} of them killed at random moments`, { timeout: patience(240_000) }, async () => {
  // So small that addresses come back all the time.
  const record = network('10.9.0.0/22', '10.9.0.1')
  const state = await withNetwork(record)
  const chance = random(seed())
  let left = kills
  const one = async () => {
    while (left-- > 0) {
      const child = await start(undefined, process.execPath, [program, folder, record.id])
      await child.lines.next()
      await setTimeout(chance() * 200)
      process.kill(child.pid, 'SIGKILL')
      await child.stop()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))

  const recovered: string[] = []
  await state.change(nothing, async ({ kind }) => void recovered.push(kind))
  const endpoints = await state.endpoints(record.id)
  const addresses = endpoints.flatMap(one => one.addresses.map(({ address }) => address))
  expect(addresses.length).toBeGreaterThan(atOnce)
  expect(new Set(addresses).size).toBe(addresses.length)
  expect((await readdir(state.path('networks', record.id, 'addresses'))).sort()).toEqual(addresses.sort())
  for (const one of endpoints)
    for (const { address } of one.addresses) expect(await readlink(state.addressPath(record.id, address))).toBe(one.id)
  expect((await readdir(state.path('networks', record.id, 'names'))).length).toBe(endpoints.length)
  const keys = new Set(endpoints.map(one => one.namespace.key))
  const found = (await Promise.all([...keys].map(key => state.endpointsOf(key)))).flat()
  expect(found.map(one => one.id).sort()).toEqual(endpoints.map(one => one.id).sort())
  expect(await readdir(state.path('pending'))).toEqual([])
})

test('a lock is waited for, given up by a signal, and given back by the kernel', async () => {
  await State.open(folder, 'test')
  const path = join(folder, 'lock')
  const first = await lockFile(path)
  const order: string[] = []
  const controller = new AbortController()
  const given = lockFile(path, controller.signal)
  const second = lockFile(path).then(lock => {
    order.push('second')
    return lock
  })
  controller.abort('enough')
  await expect(given).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' })
  order.push('first')
  first.release()
  first.release()
  const lock = await second
  expect(order).toEqual(['first', 'second'])

  const child = await start(undefined, 'flock', ['-o', path, 'sh', '-c', 'echo locked; exec cat'])
  lock.release()
  expect((await child.lines.next()).value).toBe('locked')
  const third = lockFile(path)
  process.kill(child.pid, 'SIGKILL')
  await child.stop()
  ;(await third).release()
})

test('what a killed process was at is undone by the next', async () => {
  const state = await withNetwork(network('10.9.0.0/29', '10.9.0.1'))
  const record = endpoint('b', { name: 'web', addresses: [{ address: '10.9.0.2', prefix: 29, family: 4 }] })
  const stopped = new Error('killed here')
  const dying = state.change(async () => {
    await state.intend([record])
    await state.claimEndpoints([record])
    throw stopped
  }, nothing)
  await expect(dying).rejects.toBe(stopped)
  const seen: string[] = []
  const addresses = await state.change(
    async () => new Allocator(state, network('10.9.0.0/29', '10.9.0.1')).allocate({ ip: '10.9.0.2' }),
    async ({ id }) => void seen.push(id),
  )
  expect([seen, addresses[0]?.address]).toEqual([[record.id], '10.9.0.2'])
  expect(await readdir(state.path('namespaces'))).toEqual([])
})

test('addresses that are taken, and a subnet that is full', async () => {
  const record = network('10.9.0.0/29', '10.9.0.1')
  const state = await withNetwork(record)
  await state.change(async () => {
    const allocator = new Allocator(state, record)
    const records = []
    for (const digit of 'bcdef')
      records.push(endpoint(digit, { name: `n${digit}`, addresses: await allocator.allocate(digit === 'f' ? { ip: '10.9.0.6' } : {}) }))
    await state.intend(records)
    await state.claimEndpoints(records)
    await state.commitEndpoints(records)
    expect(records.map(({ addresses }) => addresses[0]?.address)).toEqual(['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6'])
  }, nothing)
  const next = new Allocator(state, record)
  await expect(next.allocate({ ip: '10.9.0.3' })).rejects.toMatchObject({
    ...{ code: 'EADDRINUSE', path: 'ip', message: expect.stringContaining('10.9.0.3 is that of endpoint nc') },
  })
  await expect(next.allocate()).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', message: expect.stringContaining('10.9.0.0/29') })
  const doubled = endpoint('9', { name: 'nb' })
  await state.intend([doubled])
  await expect(state.claimEndpoints([doubled])).rejects.toMatchObject({ code: 'EEXIST' })
})

test('networks are found by name, id and the beginning of an id, and outlive the machine; endpoints do not', async () => {
  const record = network('10.9.0.0/29', '10.9.0.1')
  const state = await withNetwork(record)
  const there = endpoint('b', { addresses: [{ address: '10.9.0.2', prefix: 29, family: 4 }] })
  await state.intend([there])
  await state.claimEndpoints([there])
  await state.commitEndpoints([there])
  for (const key of ['blue', record.id, 'aaaa']) expect(await state.findNetwork(key)).toEqual(record)
  for (const key of ['green', 'b', '..', '../boot', '']) expect(await state.findNetwork(key)).toBeUndefined()

  await expect(State.open(folder, 'another')).rejects.toMatchObject({ code: 'EBUSY' })
  expect((await State.open(folder, 'test')).restarted).toBe(false)
  expect(await state.endpoints(record.id)).toEqual([there])
  const boot = JSON.stringify({ form: '2', boot: 'the one before', host: 'another' })
  await writeFile(state.path('boot'), boot)
  const again = await State.open(folder, 'test')
  expect(again.restarted).toBe(true)
  expect([await again.state.findNetwork('blue'), await again.state.endpoints(record.id)]).toEqual([record, []])
})
