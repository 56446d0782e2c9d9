// The README's programs run as they stand there, each in a machine of its own.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { patience } from '../helpers/patience.js'
import { attempt, ip, run } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { compiled, typeProblems } from './program.js'

const top = new URL('../../', import.meta.url)
// Inside the package, so that 'netloom' means what it means to a user.
const folder = new URL('build/readme/', top)
const readme = readFileSync(new URL('README.md', top), 'utf8')
const programs = [...readme.matchAll(/^```(ts|js)\n(.*?)^```$/gms)].map(([, language = '', text = ''], i) => ({
  language,
  text,
  number: i + 1,
}))

beforeAll(() => void mkdirSync(folder, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('there are programs for every section that has one', () => {
  expect(programs.filter(({ language }) => language === 'ts').length).toBeGreaterThanOrEqual(7)
  expect(programs.filter(({ language }) => language === 'js')).toHaveLength(1)
})

for (const { language, text, number } of programs) {
  const title = text.split('\n').find(line => /await|const/.test(line) && !line.startsWith('import')) ?? ''
  test(`program ${number}: ${title.slice(0, 80)}`, async context => {
    await needs(context, 'tool:ip')
    const file = new URL(`${number}.mjs`, folder)
    // JavaScript stays as it is: Node has to understand it.
    writeFileSync(file, language === 'js' ? text : compiled(text))
    await using box = await sandbox()
    const { code, stdout, stderr } = await attempt(box.where, process.execPath, [fileURLToPath(file)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toBe('')
    // The kernel removes the devices of a namespace some time after its name is gone.
    const links = async () => (await ip<{ ifname: string }>(box.where, 'link', 'show')).map(link => link.ifname)
    await expect.poll(links, { timeout: patience(10_000) }).toEqual(['lo'])
    expect(await run(box.where, 'ip', 'netns', 'list')).toBe('')
  })
}

test('they pass the type checker as they stand', () => {
  const files = programs.filter(({ language }) => language === 'ts')
  expect(typeProblems(files.map(({ text, number }) => ({ name: `readme-${number}.ts`, text })))).toEqual([])
})
