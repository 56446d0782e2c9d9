// The benchmarks of plans run: at sizes that tell nothing about speed, every program does its work and prints what it measured.
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { needs, needsShells } from '../helpers/features.js'
import { attempt } from '../helpers/readers.js'

const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url))
beforeEach(context => needs(context, 'veth', 'bridge'))

const fresh = async (...command: string[]) => {
  const { code, stdout, stderr } = await attempt(undefined, process.execPath, [script('isolated.mjs'), '--fresh', ...command])
  expect({ code, stderr: stderr.replace(/^isolated: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>
}

const bulk = (file: string, ...words: string[]) => [process.execPath, script(`bench/peers/${file}`), '3', ...words]
const works: [name: string, command: string[]][] = [
  ['netloom, names', bulk('bulk-netloom.mjs', 'none', 'names')],
  ['netloom, group', bulk('bulk-netloom.mjs', 'all', 'group')],
  ['netloom, kernel', bulk('bulk-netloom.mjs', 'kernel', 'names')],
  ['ip -batch', ['bash', script('bench/peers/bulk-ip-batch.sh'), '3', 'none']],
  ['ip per command', ['bash', script('bench/peers/bulk-ip.sh'), '3']],
]
for (const [name, command] of works)
  test(`the work of scripts/bench/bulk.mjs: ${name}`, async context => {
    await needs(context, 'tool:bash')
    if (command[0] === 'bash') needsShells(context)
    const figures = await fresh(...command)
    expect(Object.keys(figures)).toEqual(['create', 'createCpu', 'remove', 'removeCpu', 'gone'])
    for (const key of ['create', 'remove', 'gone']) expect(figures[key]).toBeGreaterThan(0)
  })

test.each([
  ['events', '20', /20 pairs +\d[\d,]* .* 0\n.*: met/],
  ['memory', '5 10', /kB for each further namespace: /],
  ['loop', '20', /Node with netloom( +\d+\.\d){5}/],
])('npm run bench -- %s %s', async (name, words, expected) => {
  const command = ['env', 'NETLOOM_ROUNDS=1', process.execPath, script('bench/run.mjs'), name, ...words.split(' ')]
  const { stdout, stderr, code } = await attempt(undefined, command[0]!, command.slice(1))
  expect(stderr).not.toMatch(/Error/)
  expect(stdout).toMatch(expected)
  // 1: a limit is not met, which at such sizes is no wonder.
  expect([0, 1]).toContain(code)
})

test('a benchmark that is not there is refused by name', async () => {
  const { code, stderr } = await attempt(undefined, process.execPath, [script('bench/run.mjs'), 'bulc'])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^no benchmark bulc; there are .*bulk.*, plans\n$/) })
})
