// The conventions that a program can check: length, first line, exports, and what no file of the project may contain.

import { expect, test } from 'vitest'
import { importsOf, projectFiles, textOf } from '../helpers/sources.js'

const MOST_LINES = 400
/** A first line that says the file's responsibility, by file name ending. */
const comment: Record<string, RegExp> = {
  ts: /^\/\/ \S|^\/\*\*? \S/,
  mjs: /^\/\/ \S|^\/\*\*? \S/,
  cc: /^\/\/ \S|^\/\*\*? \S/,
  h: /^\/\/ \S|^\/\*\*? \S/,
  py: /^# \S|^"""\S/,
  sh: /^# \S/,
}
const ending = (path: string) => path.split('.').at(-1) ?? ''

const all = projectFiles()
const code = all.filter(path => /^(lib|native|test|scripts|examples)\//.test(path) && Object.hasOwn(comment, ending(path)))
const lib = code.filter(path => path.startsWith('lib/'))
/** Written for this test so that it does not find itself. */
const word = (...parts: string[]) => parts.join('')

/** 'path:line' of every line that a pattern matches. */
const find = (paths: readonly string[], pattern: RegExp) =>
  paths.flatMap(path =>
    textOf(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  )

test(`no file has more than ${MOST_LINES} lines`, () => {
  const long = code.map(path => [path, textOf(path).trimEnd().split('\n').length] as const).filter(([, lines]) => lines > MOST_LINES)
  expect(long).toEqual([])
})

test('the first line of every file says what it is for', () => {
  const silent = code.filter(path => {
    const [first = '', second = ''] = textOf(path).split('\n')
    return !comment[ending(path)]?.test(first.startsWith('#!') ? second : first)
  })
  expect(silent).toEqual([])
})

test('lib has no default exports', () => {
  expect(find(lib, /^export default\b|^export \{.*\bas default\b/)).toEqual([])
})

test('only the entry points re-export', () => {
  const barrels = find(lib, /^export (type )?(\*|\{).* from /).filter(place => !/^lib\/(index|netlink)\.ts:/.test(place))
  expect(barrels).toEqual([])
})

test('imports name the files that the compiler writes', () => {
  const typescript = code.filter(path => path.endsWith('.ts'))
  const loose = typescript
    .flatMap(path => importsOf(path).map(one => ({ path, ...one })))
    .filter(one => one.inside && !/\.(ts|mjs|json)$/.test(one.target))
  expect(loose.map(one => `${one.path} → ${one.target}`)).toEqual([])
})

test('nothing is put off and no check is silenced', () => {
  const pattern = new RegExp(
    `\\b(${['TO', 'FIX', 'XX'].map((start, index) => word(start, ['DO', 'ME', 'X'][index] ?? '')).join('|')})\\b|@ts-${word('ig', 'nore')}|${word('biome', '-ignore')}|@ts-${word('no', 'check')}`,
  )
  expect(find(code, pattern)).toEqual([])
})

test('no file names a folder of one machine', () => {
  const pattern = new RegExp(`(?<![\\w.}])/(${['work', 'home', 'root', 'Users'].join('|')})/[a-z]`)
  expect(find(all.filter(isText), pattern)).toEqual([])
})

test('no file names a package registry', () => {
  const pattern = new RegExp(
    [word('registry', '\\.[a-z]'), word('npm', 'js\\.(org|com)'), word('arti', 'factory'), word('deb\\.', 'debian')].join('|'),
    'i',
  )
  expect(find(all.filter(isText), pattern)).toEqual([])
})

test('the lock file says what to install, not from where', () => {
  expect(find(['package-lock.json'], /"resolved"/)).toEqual([])
})

function isText(path: string): boolean {
  return !textOf(path).includes('\0')
}
