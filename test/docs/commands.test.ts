// docs/commands.md: every call does, or says, what the command beside it does or says.
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest'
import * as netloom from '../../lib/index.js'
import { type Feature, isFeature, missing, needs } from '../helpers/features.js'
import { patience } from '../helpers/patience.js'
import { type Sandbox, sandbox } from '../helpers/sandbox.js'
import { changes } from './changes.js'
import { follows } from './follows.js'
import { ipLooks } from './looks-ip.js'
import { netfilter } from './looks-netfilter.js'
import { oldLooks } from './looks-old.js'
import { special } from './looks-special.js'
import { typeProblems } from './program.js'
import { lines, page, type Row, rows } from './rows.js'
import { type Scene, scene } from './scene.js'

const looks = { ...ipLooks, ...oldLooks }
const of = (commands: readonly string[]) => rows.filter(({ command }) => commands.includes(command))

test('every line is a command and a call, and every row is compared once', () => {
  expect(rows).toHaveLength(lines.length)
  expect(rows.length).toBeGreaterThan(130)
  const compared = [looks, special, netfilter, follows].flatMap(Object.keys).concat(changes)
  expect(compared.sort()).toEqual(rows.map(({ command }) => command).sort())
})

test('the calls pass the type checker', () => {
  const imported = `import { ${Object.keys(netloom).join(', ')} } from 'netloom'\ndeclare const ns: Namespace, blue: Namespace, pid: number\n`
  const calls = rows.map(({ call }) => `async function row() {\n${call}\n}\n`)
  expect(typeProblems(calls.map((call, i) => ({ name: `row-${i}.ts`, text: imported + call })))).toEqual([])
  expect(page).toContain('`ns` is the namespace')
})

/** What the network is made with. */
const always = ['tool:ip', 'tool:bridge', 'tool:nsenter', 'tool:sysctl', 'veth', 'bridge', 'ipv6'] as const
/** What a row needs of this machine. */
async function demand(context: TestContext, { command, tool }: Row): Promise<void> {
  const features: Feature[] = [...always]
  const named = `tool:${tool}`
  if (isFeature(named)) features.push(named)
  if (/^(nft|iptables|conntrack)/.test(command)) features.push('tool:nft', 'nftables', 'tool:conntrack')
  if (command.startsWith('iptables')) features.push('tool:iptables', 'iptables-nft')
  if (command.includes('ethtool')) features.push('tool:ethtool')
  if (tool === 'brctl' || command.includes('/sys/')) features.push('own-sysfs')
  if (/^ifconfig \S+ txqueuelen/.test(command)) features.push('initial-user-namespace')
  for (const kind of ['vlan', 'macvlan', 'vxlan', 'dummy', 'tap'] as const)
    if (new RegExp(`(type|mode) ${kind}\\b`).test(command)) features.push(kind)
  await needs(context, ...features)
}
/** Without these nothing can be set up; the tests themselves then skip with the reason. */
const possible = async () => (await Promise.all(always.map(missing))).every(reason => reason === undefined)

describe('what only looks', () => {
  let here: Scene
  let names: Map<number, string>
  beforeAll(async () => {
    if (!(await possible())) return
    here = await scene()
    // Something for neighbour and MAC tables to learn.
    await here.run('ping -c 1 -W 5 10.0.1.2')
    names = new Map(((await here.call('await ns.links.list()')) as netloom.Link[]).map(({ index, name }) => [index, name]))
  })
  afterAll(() => here?.[Symbol.asyncDispose]())

  test.for(of(Object.keys(looks)))('$command', async (row, context) => {
    await demand(context, row)
    const { command, call } = row
    const look = looks[command]!
    const asked = look.json ? command.replace(/^(ip|bridge)\b/, '$1 -j -d') : command
    // Counters and states may move between the two.
    await vi.waitFor(
      async () => {
        const theirs = look.theirs(await here.run(asked))
        expect(look.ours(await here.call(call), { names })).toEqual(theirs)
        expect(JSON.stringify(theirs)).toMatch(/\w/)
      },
      { timeout: patience(15_000), interval: 50 },
    )
  })
  test.for(of(Object.keys(special)))('$command', async (row, context) => {
    await demand(context, row)
    await special[row.command]!(here, row.call)
  })
  test.for(of(Object.keys(netfilter)))('$command', async (row, context) => {
    await demand(context, row)
    await netfilter[row.command]!(here, row.call, row.command)
  })
  test.for(of(Object.keys(follows)))('$command', async (row, context) => {
    await demand(context, row)
    await follows[row.command]!(here, row)
  })
})

describe('what changes something', () => {
  let box: Sandbox
  beforeAll(async () => {
    if (await possible()) box = await sandbox()
  })
  afterAll(() => box?.[Symbol.asyncDispose]())

  test.for(of(changes))('$command', async (row, context) => {
    await demand(context, row)
    const { command, call } = row
    await using theirs = await scene(box)
    await using ours = await scene()
    const agree = () =>
      vi.waitFor(
        async () => {
          const [expected, actual] = await Promise.all([theirs.state(command), ours.state(command)])
          expect(actual).toEqual(expected)
          return expected
        },
        { timeout: patience(15_000), interval: 50 },
      )
    const before = await agree()
    await theirs.run(command)
    await ours.call(call)
    expect(await agree()).not.toEqual(before)
  })
})
