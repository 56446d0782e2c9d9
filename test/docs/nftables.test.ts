// The programs of docs/nftables.md compile, run and print what stands beside them; its table says of each match what nft says of it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NftStatement, nft, nftText } from '../../lib/index.js'
import { needs, needsShells } from '../helpers/features.js'
import { attempt } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { compiled, evaluate, typeProblems } from './program.js'

const top = new URL('../../', import.meta.url)
// Inside the package, so that 'netloom' means what it means to a user.
const folder = new URL('build/nftables/', top)
const text = readFileSync(new URL('docs/nftables.md', top), 'utf8')
const programs = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, program = ''], number) => ({ program, number }))

beforeAll(() => void mkdirSync(folder, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What comments behind console.log, and whole lines of comments, say that is printed. */
const promised = (program: string) =>
  program.split('\n').flatMap(line => {
    const [, comment] = /console\.log\(.*\) \/\/ (.*)$/.exec(line) ?? /^\/\/ ?(.*)$/.exec(line) ?? []
    return comment === undefined ? [] : [comment]
  })
const lines = (printed: string) => printed.trimEnd().split('\n')
const squeezed = (all: readonly string[]) => all.join(' ').replace(/\s+/g, ' ')

test('there are programs', () => {
  expect(programs.length).toBeGreaterThanOrEqual(3)
})

for (const { program, number } of programs)
  test(`program ${number + 1}`, async context => {
    await needs(context, 'nftables')
    if (program.includes("'bash'")) needsShells(context)
    const file = new URL(`${number}.mjs`, folder)
    writeFileSync(file, compiled(program))
    await using box = await sandbox()
    const { code, stdout, stderr } = await attempt(box.where, process.execPath, [fileURLToPath(file)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(squeezed(lines(stdout))).toBe(squeezed(promised(program)))
  })

test('the programs pass the type checker as they stand', () => {
  expect(typeProblems(programs.map(({ program, number }) => ({ name: `nftables-${number}.ts`, text: program })))).toEqual([])
})

test('each match in the table is what nft says', async () => {
  const rows = text.split('\n').filter(line => /^\|[^|]*\| `/.test(line))
  expect(rows.length).toBeGreaterThanOrEqual(10)
  const { return: _, continue: __, ...words } = nft
  for (const row of rows) {
    const [, , sources = '', texts = ''] = row.split('|')
    const said = [...texts.matchAll(/`([^`]+)`/g)].map(([, one]) => one)
    const written = [...sources.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one).filter(one => one.includes('('))
    const made = await Promise.all(written.map(source => evaluate(source, words)))
    expect(made.map(statement => nftText([statement as NftStatement]))).toEqual(said)
  }
})
