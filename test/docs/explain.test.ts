// The program of docs/explain.md runs as it stands there, and prints what stands below it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { compiled, typeProblems } from './program.js'

const top = new URL('../../', import.meta.url)
// Inside the package, so that 'netloom' means what it means to a user.
const folder = new URL('build/explain/', top)
const text = readFileSync(new URL('docs/explain.md', top), 'utf8')
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block)

beforeAll(() => void mkdirSync(folder, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('it prints what the page says, and cures', async context => {
  await needs(context, 'bridge', 'veth', 'nftables', 'bridge-netfilter')
  const [program, ...more] = blocks('ts')
  expect(more).toEqual([])
  const file = new URL('example.mjs', folder)
  writeFileSync(file, compiled(program!))
  await using box = await sandbox()
  const { code, stdout, stderr } = await attempt(box.where, process.execPath, [fileURLToPath(file)])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  expect(lines.pop()).toBe('passes')
  // The kernel makes up the MACs: the first that is met is green's, whom blue asks for.
  const macs = [...new Set(stdout.match(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g))]
  const named = macs.reduce((line, mac, i) => line.replaceAll(mac, `MAC of ${['green', 'blue'][i]}`), lines.join('\n'))
  expect(`${named}\n`).toBe(blocks('text')[0])
})

test('it passes the type checker as it stands', () => {
  expect(typeProblems([{ name: 'explain.ts', text: blocks('ts')[0]! }])).toEqual([])
})
