// The main job: what it shows is what other tools see, and it leaves nothing, also when it is interrupted or cannot begin.

import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt, run } from '../helpers/readers.js'
import { type Sandbox, sandbox } from '../helpers/sandbox.js'
import { textOf } from '../helpers/sources.js'
import {
  addressesIn,
  endOf,
  expectNothingLeft,
  identityOf,
  linksIn,
  namesIn,
  peerIndexIn,
  programOf,
  runExample,
  startIn,
} from './running.js'

beforeEach(context => needs(context, 'tool:ip', 'tool:nsenter', 'veth', 'bridge'))

test('npm run demo sets up, isolates, and runs it', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
  expect(scripts.demo).toBe('node scripts/setup.mjs && node scripts/isolated.mjs node dist-examples/demo.js')
})

test('builds a pair and a bridge as it says', async context => {
  await needs(context, 'tool:bridge', 'tool:ethtool')
  await using box = await sandbox()
  const members = ['n01', 'n02', 'n03', 'n04', 'n05', 'n06', 'n07', 'n08', 'n09', 'n10', 'n11', 'n12']
  const stdout = await runExample(box, programOf('demo'), async ({ output }) => {
    const shown = output()
    expect(await namesIn(box)).toEqual(['blue', 'green', 'host', ...members])
    for (const name of await namesIn(box)) expect(shown).toContain(await identityOf(box, name))
    expect(await addressesIn(box, 'blue', 'eth0')).toEqual(['10.0.1.1/24'])
    expect(await addressesIn(box, 'green', 'eth0')).toEqual(['10.0.1.2/24'])
    expect(await addressesIn(box, 'host', 'br0')).toEqual(['10.0.1.1/24'])

    const links = await linksIn(box, 'host')
    expect(links.map(link => link.ifname)).toEqual(['lo', 'br0', ...members.map(name => `v-${name}`)])
    expect(links.filter(link => link.master === 'br0')).toHaveLength(members.length)
    const learned = JSON.parse(await run(box.where, 'bridge', '-j', '-n', 'host', 'fdb', 'show', 'br', 'br0', 'dynamic')) as object[]
    for (const [i, name] of members.entries()) {
      const address = `10.0.1.${i + 2}`
      const [, eth0] = await linksIn(box, name)
      const port = links.find(link => link.ifname === `v-${name}`)
      expect(await addressesIn(box, name, 'eth0')).toEqual([`${address}/24`])
      expect(await run(box.where, 'ip', '-n', name, 'route', 'show', 'default')).toContain('via 10.0.1.1 dev eth0')
      expect(await peerIndexIn(box, 'host', `v-${name}`)).toBe(eth0?.ifindex)
      expect(learned).toContainEqual(expect.objectContaining({ mac: eth0?.address, ifname: `v-${name}` }))
      // The MAC table, the peers and both pictures tell of it.
      expect(shown).toMatch(new RegExp(`${eth0?.address} +v-${name} +${name}, ${address} +\\d`))
      expect(shown).toMatch(new RegExp(`v-${name} +${port?.ifindex} +eth0 in ${name} +${eth0?.ifindex} +net:`))
      expect(shown).toMatch(new RegExp(`─ v-${name} ─+┼─── ${name} +eth0 +${address}/24 +default via 10\\.0\\.1\\.1\n`))
      expect(shown).toContain(`["${name}<br/>default via 10.0.1.1"]`)
    }
    expect(shown).toContain('144 of 144 answered')
    expect(shown).toContain('15 namespaces, 42 links, 13 cables')
  })
  expect(stdout).toContain('as before: no named namespace, and here lo')
  // Nothing for terminals in a file.
  expect(stripVTControlCharacters(stdout)).toBe(stdout)
})

test('as many as are wanted, where they are wanted', async () => {
  await using box = await sandbox()
  const args = ['--count', '45', '--subnet', '172.20.4.0/23']
  const look = async () => {
    const names = await namesIn(box)
    expect(names).toHaveLength(3 + 45)
    for (const number of [1, 45]) {
      const name = `n${String(number).padStart(2, '0')}`
      expect(await addressesIn(box, name, 'eth0')).toEqual([`172.20.4.${number + 1}/23`])
    }
  }
  const stdout = await runExample(box, programOf('demo'), look, args)
  expect(stdout).toContain('each pings the next: 45 of 45 answered')
  expect(stdout).toContain('… and 33 more')
  expect(stdout).toMatch(/by one plan of 180 things: preparing \d+ ms, namespaces [\d.]+ m?s, the host \d+ ms\n/)
})

test('hundreds, as one plan, with how far it is and how long it takes', async () => {
  await using box = await sandbox()
  const { code, stdout, stderr } = await start(box, '--count', '300')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  for (const line of [/namespaces: [\d,]+ of 1,200\n/, /removing: [\d,]+ of 600\n/, /all 300 made in [\d.]+ m?s/])
    expect(stdout).toMatch(line)
  expect(stdout).toMatch(/304 namespaces with all that was in them \([\d.]+ m?s\)/)
  expect(stdout).toContain('300 of 300 answered')
  expect(stdout).toContain('303 namespaces, 906 links, 301 cables')
  expect(stripVTControlCharacters(stdout)).toBe(stdout)
  await expectNothingLeft(box)
})

test('on a terminal it is a bar, drawn over itself and gone at the end', async context => {
  await needs(context, 'tool:python3')
  await using box = await sandbox()
  const pseudo = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'
  const { code, stdout } = await attempt(box.where, 'python3', ['-c', pseudo, process.execPath, programOf('demo'), '--count', '60'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/\r {2}namespaces {2}█+.*░* {2}\d+\/240/)
  expect(stdout).toMatch(/\r {2}removing {2}█/)
  const seen = stdout
    .split('\r\n')
    .map(line => stripVTControlCharacters(line.slice(line.lastIndexOf('\r') + 1)))
    .join('\n')
  expect(seen).toContain('all 60 made in')
  expect(seen).not.toContain('█')
  await expectNothingLeft(box)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s in the middle of it removes what was made', async (signal, exitCode) => {
  await using box = await sandbox()
  const child = startIn(box, [programOf('demo'), '--count', '500'])
  const ended = endOf(child)
  const isBuilding = (text: string) => text.includes('bridge br0, up')
  for await (const [text] of eventsOf(child.stdout!)) if (isBuilding(text)) break
  child.kill(signal)
  const { code, stderr } = await ended
  expect({ code, stderr }).toEqual({ code: exitCode, stderr: `\nInterrupted (${signal}).\n` })
  await expectNothingLeft(box)

  async function* eventsOf(stream: NodeJS.EventEmitter) {
    for (;;) yield (await once(stream, 'data')) as [string]
  }
})

test('a reader that has seen enough ends it', async () => {
  await using box = await sandbox()
  const child = startIn(box, [programOf('demo')])
  const closed = once(child, 'exit')
  await once(child.stdout!, 'data')
  child.stdout?.destroy()
  expect(await closed).toEqual([141, null])
  await expectNothingLeft(box)
})

test('a name that is taken is an error that says so, and what stood there stays', async () => {
  await using box = await sandbox()
  await run(box.where, 'ip', 'netns', 'add', 'host')
  const before = await identityOf(box, 'host')
  const { code, stderr } = await start(box)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^netloom demo: create namespace host: EEXIST/)
  expect(await identityOf(box, 'host')).toBe(before)
  expect(await namesIn(box)).toEqual(['host'])
})

test.each([
  [['--count', '1'], '--count 1: give a number from 2 to 1000'],
  [['--count', '1e2'], '--count 1e2: give a number'],
  [
    ['--count', '254', '--subnet', '10.0.1.0/24'],
    '--subnet 10.0.1.0/24: 254 namespaces and the bridge need 255 addresses, and it has 254; a /23 is big enough',
  ],
  [['--subnet', '10.0.1.7/24'], "--subnet 10.0.1.7/24: this is a host's address; its network is 10.0.1.0/24"],
  [['--subnet', '10.0.1.0'], '--subnet 10.0.1.0: give an IPv4 network'],
  [['--subnet', '10.0.1.0/31'], '--subnet 10.0.1.0/31: give an IPv4 network with a prefix length from 8 to 30'],
  [['--subnet', '10.0.300.0/24'], '--subnet 10.0.300.0/24: give an IPv4 network'],
  [['--subnet', 'fd00::/64'], '--subnet fd00::/64: give an IPv4 network'],
  [['--subnet', '127.0.0.0/8'], '--subnet 127.0.0.0/8: hosts cannot have addresses from there'],
  [['--keep'], "Unknown option '--keep'"],
  [['more'], 'Unexpected argument'],
] as const)('%j is refused before anything is made', async (args, message) => {
  await using box = await sandbox()
  const { code, stdout, stderr } = await start(box, ...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(`netloom demo: ${message}`)
  expect(stderr).toContain('Usage: npm run demo')
  await expectNothingLeft(box)
})

test('--help', async () => {
  await using box = await sandbox()
  const { code, stdout, stderr } = await start(box, '--help')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('--count N')
})

const start = (box: Sandbox, ...args: string[]) => endOf(startIn(box, [programOf('demo'), ...args]))
