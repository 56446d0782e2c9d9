// Processes that connect and disconnect on one state folder and are killed at random moments: no address is given twice, and gc() leaves nothing behind.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { agreed, everything } from '../helpers/network-state.js'
import { patience } from '../helpers/patience.js'
import { environment } from '../helpers/readers.js'
import { random, seed, settle } from './ending.js'

const host = useOpenHost()
const program = fileURLToPath(new URL('networks-churn.mjs', import.meta.url))
/** The whole minute: `npm run test:networks`. */
const seconds = Number(process.env.NETLOOM_CHURN_SECONDS ?? 15)
const kills = Math.ceil((seconds * 100) / 60)
const atOnce = 8
const each = 2

let folder = ''
let networks: Networks
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-killed-'))
  networks = await Networks.open({ stateDir: join(folder, 'state'), host: host.namespace })
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
})

const places = (names: readonly string[]) => ({ stateDir: join(folder, 'state'), host: host.name, prefix: host.named(''), names })

/** One at a time; killed between a moment at which it starts and a while after it is ready. Gives what it said when it ended by itself. */
async function live(chance: () => number, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: environment([process.execPath]) })
  let said = ''
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString()
  })
  const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>
  if (chance() < 0.1) await setTimeout(chance() * 1_000)
  else await Promise.race([once(child.stdout, 'data'), ended]).then(() => setTimeout(chance() * 2_000))
  child.kill('SIGKILL')
  const [, signal] = await ended
  return signal === 'SIGKILL' ? '' : said
}

/** What the diary says that two had at a time, in the order in which it happened. */
function doubles(diary: string): string[] {
  const owners = new Map<string, string>()
  const found: string[] = []
  for (const line of diary.trimEnd().split('\n')) {
    const [word, thing = '', id = ''] = line.split(' ')
    const owner = owners.get(thing)
    if (word === 'gives') owners.delete(thing)
    else if (owner === undefined) owners.set(thing, id)
    else found.push(`${thing}: ${id} while ${owner} had it`)
  }
  return found
}

interface Seen {
  readonly where: string
  readonly link: number
}
/** Addresses that two interfaces have, in two looks one after the other: then they had them at once in between. */
async function watchKernel(inside: readonly Namespace[], signal: AbortSignal): Promise<{ looks: number; found: string[] }> {
  const found: string[] = []
  let before = new Map<string, Seen[]>()
  let looks = 0
  for (; !signal.aborted; looks++) {
    const now = new Map<string, Seen[]>()
    for (const namespace of inside)
      for (const { address, link } of await namespace.addresses.list({ family: 4 }))
        if (!address.startsWith('127.')) now.set(address, [...(now.get(address) ?? []), { where: namespace.name ?? '', link }])
    for (const [address, seen] of now) {
      const same = seen.filter(one => before.get(address)?.some(({ where, link }) => where === one.where && link === one.link))
      if (same.length > 1) found.push(`${address} in ${same.map(({ where }) => where).join(' and ')}`)
    }
    before = now
    await setTimeout(10)
  }
  return { looks, found }
}

test(`${atOnce} processes on one folder for ${seconds} s, at least ${kills} of them killed`, {
  timeout: patience(seconds * 4_000 + 60_000),
  retry: 0,
}, async () => {
  const names = Array.from({ length: atOnce * each }, (_, i) => host.named(`k${i}`))
  await using _made = await Namespace.createMany(names)
  // So small, and the lowest first, that an address comes back at once.
  const net = await networks.create({
    ...{ name: 'churn', subnet: '10.67.0.0/27' },
    ipam: { options: { 'com.docker.network.ipam.serial': 'false' } },
  })
  const before = await everything(places(names))
  const diary = join(folder, 'diary')
  await writeFile(diary, '')
  const chance = random(seed())
  const inside = await Promise.all(names.map(name => Namespace.open({ name })))
  const stop = new AbortController()
  const watching = watchKernel(inside, stop.signal)
  const end = performance.now() + seconds * 1_000
  let killed = 0
  const one = async (number: number) => {
    const own = names.slice(number * each, (number + 1) * each)
    while (performance.now() < end || killed < kills) {
      expect(await live(chance, [host.name, join(folder, 'state'), net.id, diary, ...own])).toBe('')
      killed++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, (_, number) => one(number)))
  stop.abort()
  const { looks, found } = await watching
  for (const namespace of inside) await namespace.close()
  const written = await readFile(diary, 'utf8')
  process.stderr.write(
    `networks: ${killed} killed, ${written.match(/^has 10\.67/gm)?.length} addresses given, ${looks} looks at the kernel\n`,
  )
  expect(doubles(written)).toEqual([])
  expect(found).toEqual([])
  expect(killed).toBeGreaterThanOrEqual(kills)

  await networks.gc()
  await agreed(networks, places(names))

  // Half of what is left goes with its namespaces, the rest is taken off.
  const [gone, rest] = [names.slice(0, atOnce), names.slice(atOnce)]
  for (const name of rest) for (const endpoint of await networks.endpoints({ name })) await endpoint.disconnect()
  for (const name of gone) await (await Namespace.open({ name })).delete()
  const cablesLeft = () => linkNames(host.name).then(found => found.filter(name => name.startsWith('veth')))
  expect(await settle(cablesLeft, [], 10_000)).toEqual([])
  await networks.gc()
  for (const network of await networks.list({ name: 'own-' })) await network.delete()
  const again = await Promise.all(gone.map(name => Namespace.create(name)))
  const after = await everything(places(names))
  for (const namespace of again) await namespace.delete()
  expect(after).toEqual(before)
})
