// Processes killed at random moments while they connect namespaces to a network and disconnect them: after gc() kernel and folder say the same,
// and what is connected can be disconnected without anything being left.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { agreed, everything } from '../helpers/network-state.js'
import { patience } from '../helpers/patience.js'
import { random, seed, settle } from './ending.js'
import { type Ending, kills, live, Tally } from './killing.js'

const host = useOpenHost()
const program = fileURLToPath(new URL('victim-networks.mjs', import.meta.url))
const count = 12

test(`${kills} processes are killed that connect ${count} namespaces and disconnect them`, {
  timeout: patience(3_600_000),
}, async context => {
  await needs(context, 'tool:nft', 'nftables')
  const folder = await mkdtemp(join(tmpdir(), 'netloom-connects-'))
  const names = Array.from({ length: count }, (_, i) => host.named(`c${i}`))
  const places = { stateDir: join(folder, 'state'), host: host.name, prefix: host.named(''), names }
  await using _made = await Namespace.createMany(names)
  const networks = await Networks.open({ stateDir: places.stateDir, host: host.namespace })
  const net = await networks.create({ name: 'killed', subnet: '10.68.0.0/24' })
  const first = seed()
  const chance = random(first)
  const tally = new Tally(`connecting ${count} namespaces to a network and disconnecting them`, first)
  const start = (ending?: Ending) => live([program, host.name, places.stateDir, net.id, ...names], '', ending)
  try {
    // The firewall comes with the first endpoint, and stays.
    expect(await start()).toMatchObject({ errors: '', said: ['connecting', 'connected', 'disconnected'] })
    const before = await everything(places)
    const { errors, took } = await start()
    expect(errors).toBe('')
    for (let i = 0; i < kills; i++) {
      const after = i % 4 === 3 ? 'connected' : 'connecting'
      const delay = chance() * took(after)
      const moment = `kill ${i}, ${delay} ms after ${after}`
      const { said, signal } = await start({ after, delay })
      const pending = await readdir(join(places.stateDir, 'pending'))
      await networks.gc()
      const endpoints = await agreed(networks, places)
      if (pending.length > 0) tally.add('taken back by gc()')
      else if (endpoints.length > 0) tally.add('complete, left as it is')
      else tally.add(signal === null || said.at(-1) !== 'connecting' ? 'gone by itself' : 'nothing done yet')
      for (const endpoint of endpoints) await endpoint.disconnect()
      expect(await settle(() => everything(places), before, 3000), moment).toEqual(before)
    }
    tally.tell()
  } finally {
    await net.delete({ force: true })
    await networks.close()
    await rm(folder, { recursive: true })
  }
})
