// Every example in a doc comment of lib/ that works on plain data gives what it says.
import { expect, test } from 'vitest'
import * as netloom from '../../lib/index.js'
import { projectFiles, textOf } from '../helpers/sources.js'
import { evaluate, typeProblems } from './program.js'

/** What follows @example up to the next tag or the end of the comment, without the stars. */
const examples = projectFiles('lib')
  .filter(path => path.endsWith('.ts'))
  .flatMap(path =>
    [...textOf(path).matchAll(/^ *\* @example\n((?: *\*(?!\/| @).*\n)+)/gm)].map(([, block = '']) => ({
      path,
      ...apart(block.replace(/^ *\* ?/gm, '')),
    })),
  )

/** The code, and what its comments say is the result. */
function apart(block: string): { code: string; result: string } {
  const lines = block.split('\n').map(line => /^(.*?)(?:\/\/ ?(.*))?$/.exec(line) ?? [])
  const joined = (part: 1 | 2) => lines.map(line => line[part] ?? '').join('\n')
  return { code: joined(1).trim(), result: joined(2).trim() }
}

/** Live objects come out of a call that waits. */
const isLive = ({ code }: { code: string }) => /\bawait\b/.test(code)
const plain = examples.filter(example => !isLive(example))

test('there are examples, and all but those on live objects say their result', () => {
  expect(plain.length).toBeGreaterThanOrEqual(7)
  expect(plain.filter(({ code, result }) => code === '' || result === '')).toEqual([])
})

test.each(plain)('$path: $code', async ({ code, result }) => {
  expect(await evaluate(code, netloom)).toEqual(await evaluate(`(${result})`, {}))
})

test('they pass the type checker', () => {
  const imported = `import { ${Object.keys(netloom).join(', ')} } from 'netloom'\n`
  expect(typeProblems(plain.map(({ code }, i) => ({ name: `example-${i}.ts`, text: imported + code })))).toEqual([])
})
