// Legacy tables of iptables: read as iptables-legacy-save prints them, changed by one rule, never made by asking.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AcceptRule, type IptablesTable, iptablesListView, iptablesSaveView, Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { ip6tablesRules, iptablesRules, words } from '../helpers/iptables-rules.js'
import { attempt, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let number = 0
let box: Namespace
const where = () => box.name!

beforeEach(async context => {
  await needs(context, 'tool:iptables', 'iptables-legacy')
  // Legacy tables stay for as long as their namespace.
  box = await Namespace.create(host.named(`legacy${number++}`), { loopback: true })
})
afterEach(async () => {
  await box?.delete()
})

/** The file of a family is there once its module is loaded. */
const names = () =>
  run(where(), 'sh', '-c', 'cd /proc/net; for file in ip_tables_names ip6_tables_names; do [ ! -e $file ] || cat $file; done')
const save = async (tool: string) => (await run(where(), tool, '-c')).split('\n').filter(line => line !== '' && !line.startsWith('#'))
/** Tables as the tool saves them. */
const saved = (tables: readonly IptablesTable[]) => iptablesSaveView(tables).split('\n').filter(Boolean)

/** The chains of a table, each with its rules in their order. */
const sorted = (text: string) =>
  text
    .split('\n\n')
    .map(chain => chain.trimEnd())
    .sort()

test('no table is made by asking', async () => {
  const before = await names()
  expect(before).toBe('')
  expect(await box.iptables.list({ backend: 'legacy' })).toEqual([])
  expect(await box.iptables.unreadable()).toEqual([])
  expect(await box.iptables.check({ in: 'br0' }, { backend: 'legacy' })).toBe(false)
  for (const work of [box.iptables.insertAccept, box.iptables.removeAccept])
    expect(await refusal(work({ in: 'br0' }, { backend: 'legacy' }))).toMatchObject({ code: 'ENOENT', subject: 'accept in FORWARD in br0' })
  expect(await names()).toBe(before)
})

test('rules of all forms read as the tool saves them', async () => {
  for (const line of iptablesRules) await run(where(), 'iptables-legacy', ...words(line))
  for (const line of ip6tablesRules) await run(where(), 'ip6tables-legacy', ...words(line))
  const before = await names()
  expect(saved(await box.iptables.list({ backend: 'legacy', family: 4 }))).toEqual(await save('iptables-legacy-save'))
  expect(saved(await box.iptables.list({ backend: 'legacy', family: 6 }))).toEqual(await save('ip6tables-legacy-save'))
  expect(await names()).toBe(before)
})

test('tables look as iptables -vnL shows them', async () => {
  for (const line of iptablesRules) await run(where(), 'iptables-legacy', ...words(line))
  for (const line of ip6tablesRules) await run(where(), 'ip6tables-legacy', ...words(line))
  await run(where(), 'iptables-legacy', '-I', 'OUTPUT', '-o', 'lo')
  await run(where(), 'iptables-legacy', '-c', '123456', '98765432', '-A', 'OUTPUT', '-j', 'ACCEPT')
  await box.ping('127.0.0.1', { count: 3, interval: 0.01 })
  for (const family of [4, 6] as const)
    for (const table of await box.iptables.list({ backend: 'legacy', family })) {
      const tool = family === 4 ? 'iptables-legacy' : 'ip6tables-legacy'
      const shown = await run(where(), tool, '-t', table.name, '-vnL')
      expect(sorted(iptablesListView(table)), `${tool} ${table.name}`).toEqual(sorted(shown))
    }
})

test('what is not understood keeps its bytes', async () => {
  await run(where(), 'iptables-legacy', ...words('-A FORWARD -p tcp -m string --string abc --algo bm -j ACCEPT'))
  await run(where(), 'iptables-legacy', ...words('-A FORWARD -j CONNMARK --set-mark 8'))
  const [filter] = await box.iptables.list({ backend: 'legacy', table: 'filter' })
  const [string, connmark] = filter!.chains.find(({ name }) => name === 'FORWARD')!.rules
  expect(string!.matches).toEqual([{ name: 'string', revision: 1, data: expect.stringContaining(Buffer.from('abc').toString('hex')) }])
  expect(string!.text).toMatch(/^-p tcp -m string \[\d+ bytes\] -j ACCEPT$/)
  expect(connmark!.target).toMatchObject({ name: 'CONNMARK', data: expect.stringMatching(/^[0-9a-f]+$/) })
  expect(await box.iptables.insertAccept({ in: 'br0' })).toEqual(['legacy'])
  expect(await run(where(), 'iptables-legacy', '-S', 'FORWARD')).toContain('--string "abc" --algo bm')
})

const rules: [string, AcceptRule, string][] = [
  ['a link', { in: 'br0' }, '-i br0'],
  ['links', { in: 'br0', out: 'br+' }, '-i br0 -o br+'],
  ['addresses', { from: '10.0.0.0/8', to: '192.0.2.1' }, '-s 10.0.0.0/8 -d 192.0.2.1/32'],
  ['a protocol', { in: 'br0', protocol: 'tcp' }, '-i br0 -p tcp'],
  ['a comment', { in: 'br0', comment: 'let it in' }, '-i br0 -m comment --comment "let it in"'],
  ['IPv6', { in: 'br0', from: 'fd00::/64' }, '-s fd00::/64 -i br0'],
  ['IPv6 by its family', { family: 6, out: 'br0', protocol: 'udp' }, '-o br0 -p udp'],
  ['another chain', { chain: 'MINE', in: 'br0' }, '-i br0'],
  ['an empty chain', { chain: 'EMPTY' }, ''],
]

test.each(rules)('inserted as iptables -I does, found by -C, taken away again: %s', async (_, rule, text) => {
  const six = rule.family === 6 || rule.from?.includes(':')
  const tool = six ? 'ip6tables-legacy' : 'iptables-legacy'
  for (const line of [
    '-N MINE',
    '-N EMPTY',
    '-A MINE -j EMPTY',
    '-A FORWARD -j MINE',
    '-A INPUT -i lo -j MINE',
    '-A FORWARD -s 0.0.0.0/0 -j DROP',
  ])
    await run(where(), tool, ...words(six ? line.replace('0.0.0.0/0', '::/0') : line))
  const chain = rule.chain ?? 'FORWARD'
  const before = await save(`${tool}-save`)
  expect(await box.iptables.check(rule)).toBe(false)
  expect(await box.iptables.insertAccept(rule)).toEqual(['legacy'])
  expect((await run(where(), tool, '-S', chain, '1')).trim()).toBe(`-A ${chain}${text && ` ${text}`} -j ACCEPT`)
  await run(where(), tool, '-C', chain, ...words(text), '-j', 'ACCEPT')
  expect((await save(`${tool}-save`)).filter(line => line !== `[0:0] -A ${chain}${text && ` ${text}`} -j ACCEPT`)).toEqual(before)
  expect(await box.iptables.check(rule)).toBe(true)
  expect(await box.iptables.removeAccept(rule)).toEqual(['legacy'])
  expect(await save(`${tool}-save`)).toEqual(before)
  expect(await box.iptables.check(rule)).toBe(false)
  expect(await box.iptables.removeAccept(rule)).toEqual([])
})

test('a rule that the tool made is found and taken away', async () => {
  await run(where(), 'iptables-legacy', ...words('-A FORWARD -s 10.0.0.0/8 -i br0 -p tcp -m comment --comment hello -j ACCEPT'))
  const rule = { in: 'br0', from: '10.0.0.0/8', protocol: 'tcp', comment: 'hello' }
  expect(await box.iptables.check(rule)).toBe(true)
  expect(await box.iptables.removeAccept(rule)).toEqual(['legacy'])
  expect(await run(where(), 'iptables-legacy', '-S', 'FORWARD')).toBe('-P FORWARD ACCEPT\n')
})

test('all other rules keep what they have counted, byte for byte, while packets go on being counted', async () => {
  for (const line of ['-A INPUT -i lo -p icmp', '-A INPUT -i lo', '-N C', '-A OUTPUT -o lo -j C', '-A C -d 127.0.0.1'])
    await run(where(), 'iptables-legacy', ...words(line))
  const count = async () => {
    const [filter] = await box.iptables.list({ backend: 'legacy', table: 'filter' })
    return Object.fromEntries(filter!.chains.map(({ name, packets, rules: list }) => [name, [packets, ...list.map(rule => rule.packets)]]))
  }
  let sent = 0
  const pings = async () => {
    for (let i = 0; i < 20; i++) sent += (await box.ping('127.0.0.1', { count: 5, interval: 0.001 })).received
  }
  const work = pings()
  for (let i = 0; i < 20; i++) {
    await box.iptables.insertAccept({ chain: 'C', in: 'nobody' })
    await box.iptables.insertAccept({ chain: 'INPUT', in: 'nobody' })
    await box.iptables.removeAccept({ chain: 'C', in: 'nobody' })
    await box.iptables.removeAccept({ chain: 'INPUT', in: 'nobody' })
  }
  await work
  expect(sent).toBe(100)
  // A request and its answer each.
  expect(await count()).toMatchObject({ INPUT: [2 * sent, 2 * sent, 2 * sent], OUTPUT: [2 * sent, 2 * sent], C: [0, 2 * sent] })
  const lines = await save('iptables-legacy-save')
  expect(saved(await box.iptables.list({ backend: 'legacy', family: 4 }))).toEqual(lines)
})

test('many writers at once lose nothing', async () => {
  await run(where(), 'iptables-legacy', '-P', 'FORWARD', 'DROP')
  const links = Array.from({ length: 20 }, (_, i) => `br${i}`)
  const tool = (link: string) => run(where(), 'iptables-legacy', '-w', '-A', 'FORWARD', '-i', `x${link}`, '-j', 'DROP')
  await Promise.all(links.flatMap(link => [box.iptables.insertAccept({ in: link }), tool(link)]))
  const text = await run(where(), 'iptables-legacy', '-S', 'FORWARD')
  for (const link of links) {
    expect(text).toContain(`-A FORWARD -i ${link} -j ACCEPT\n`)
    expect(text).toContain(`-A FORWARD -i x${link} -j DROP\n`)
  }
  expect(text.trim().split('\n')).toHaveLength(41)
})

test.each<[string, unknown, string, string]>([
  ['a misspelt option', { iif: 'br0' }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'iif'],
  ['two families', { from: '10.0.0.1', to: 'fd00::1' }, 'ERR_NETLOOM_INVALID_OPTION', 'to'],
  ['a name that is too long', { in: 'a-name-that-is-too-long' }, 'ERR_NETLOOM_INVALID_STRING', 'in'],
  ['an unknown protocol', { protocol: 'tpc' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'protocol'],
])('refused before anything is done: %s', async (_, rule, code, path) => {
  await expect(async () => box.iptables.insertAccept(rule as AcceptRule)).rejects.toMatchObject({ code, path })
  expect(await attempt(where(), 'cat', ['/proc/net/ip_tables_names'])).toMatchObject({ stdout: '' })
})
