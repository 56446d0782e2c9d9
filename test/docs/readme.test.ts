// The README's programs run as they stand there, each in a machine of its own.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt, ip, run } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'

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
    expect((await ip<{ ifname: string }>(box.where, 'link', 'show')).map(link => link.ifname)).toEqual(['lo'])
    expect(await run(box.where, 'ip', 'netns', 'list')).toBe('')
  })
}

test('they pass the type checker as they stand', () => {
  const files = programs
    .filter(({ language }) => language === 'ts')
    .map(({ text, number }) => ({ name: fileURLToPath(new URL(`readme-${number}.ts`, top)), text }))
  const config = ts.readConfigFile(fileURLToPath(new URL('tsconfig.json', top)), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, fileURLToPath(top))
  const host = ts.createCompilerHost(options)
  const own = (name: string) => files.find(file => file.name === name)?.text
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, language, ...rest) => {
    const text = own(name)
    return text === undefined ? getSourceFile.call(host, name, language, ...rest) : ts.createSourceFile(name, text, language)
  }
  host.fileExists = name => own(name) !== undefined || fileExists.call(host, name)
  host.readFile = name => own(name) ?? readFile.call(host, name)
  const program = ts.createProgram(
    files.map(({ name }) => name),
    { ...options, noEmit: true },
    host,
  )
  const problems = files.flatMap(({ name }) => [...ts.getPreEmitDiagnostics(program, program.getSourceFile(name))])
  const shown = problems.map(({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  expect(shown).toEqual([])
}, 120_000)

const compiled = (text: string) =>
  ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText
