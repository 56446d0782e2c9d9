// Asks the C compiler whether numbers are what its headers say: one compilation, nothing is run.
import { spawnSync } from 'node:child_process'

/** `expression` must equal `value`; `name` is for the report. */
export interface Claim {
  readonly name: string
  readonly expression: string
  readonly value: number
}
export interface Verdict {
  /** Claims about names that these headers do not have. */
  readonly unknown: readonly string[]
  /** Claims that the compiler denies, or cannot make sense of. */
  readonly wrong: readonly string[]
}

const absent = /undeclared|no member named|invalid application of 'sizeof' to (?:an )?incomplete type|undefined type|incomplete definition/

/** Checks every claim against `<headers>`, included in this order. */
export function checkClaims(headers: readonly string[], claims: readonly Claim[]): Verdict {
  const includes = headers.map(header => `#include <${header}>`)
  const lines = [
    '#include <stddef.h>',
    ...includes,
    ...claims.map(({ expression, value }) => `_Static_assert((long long)(${expression}) == ${value}LL, "");`),
  ]
  const compiler = process.env.CC ?? 'cc'
  const { stderr, error, status } = spawnSync(compiler, ['-fsyntax-only', '-w', '-xc', '-'], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 << 20,
  })
  if (error) throw new Error(`the C compiler "${compiler}" does not start: ${error.message}`)
  const first = lines.length - claims.length
  const complaints = new Map<number, string[]>()
  for (const [, line, text] of stderr.matchAll(/^<stdin>:(\d+):\d+: (?:fatal )?error: (.*)$/gm)) {
    const at = Number(line) - 1 - first
    complaints.set(at, [...(complaints.get(at) ?? []), text ?? ''])
  }
  if (status !== 0 && complaints.size === 0) throw new Error(`${compiler}:\n${stderr}`)
  const unknown: string[] = []
  const wrong: string[] = []
  for (const [at, texts] of complaints) {
    const claim = claims[at]
    if (!claim) throw new Error(`${compiler}: ${texts.join('; ')}`)
    if (texts.some(text => absent.test(text))) unknown.push(claim.name)
    else wrong.push(`${claim.name} is not ${claim.value}`)
  }
  return { unknown, wrong }
}

/** Checks `{ NAME: number }` against `<headers>`. */
export const checkConstants = (headers: readonly string[], constants: Readonly<Record<string, number>>): Verdict =>
  checkClaims(
    headers,
    Object.entries(constants).map(([name, value]) => ({ name, expression: name, value })),
  )
