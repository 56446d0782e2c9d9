// Rules of a batch that are like one before: the same bytes, and the same errors, as if each had been translated by itself.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Writer } from '../../lib/codec/writer.js'
import type { Family } from '../../lib/kernel/nftables/fields.js'
import type { RuleObject } from '../../lib/kernel/nftables/objects.js'
import { prepare, Recorder } from '../../lib/kernel/nftables/record.js'
import { slotsOf } from '../../lib/kernel/nftables/set-form.js'
import type { Statement } from '../../lib/kernel/nftables/statement.js'
import { World } from '../../lib/kernel/nftables/world.js'
import type { Scope } from '../../lib/kernel/scope.js'
import { castRule } from '../../lib/protocol/nftables/rule.js'
import { encode } from '../../lib/socket/frame.js'

interface Golden {
  readonly family: Family
  readonly statements: readonly Statement[]
  readonly refused?: string
}
const goldens = (JSON.parse(readFileSync(new URL('captured/nftables-rules.json', import.meta.url), 'utf8')) as readonly Golden[]).filter(
  golden => golden.refused === undefined && !/"@|"(?:iif|oif|iifgroup|dup|fwd|fib|iface_index)"/.test(JSON.stringify(golden.statements)),
)

/** The bytes of the rules of one batch, or what is wrong with them; and how many came out of a mould. */
async function written(rules: readonly RuleObject[]): Promise<{ bytes: string[] | string; cast: number }> {
  const recorder = new Recorder()
  for (const rule of rules) recorder.verbs.rules.add(rule)
  try {
    const { changes } = await prepare(new World({} as Scope, { echo: false }), recorder.recorded)
    const bytes = changes.map(change => {
      const writer = new Writer()
      encode(writer, change, change.flags ?? 0, 1)
      return Buffer.from(writer.copy()).toString('hex')
    })
    return { bytes, cast: changes.filter(({ codec }) => codec === castRule).length }
  } catch (error) {
    return { bytes: (error as Error).message.replace(/^rules\[\d+\]/, ''), cast: 0 }
  }
}
const ruleOf = ({ family, statements }: Golden, more: Partial<RuleObject> = {}): RuleObject => ({
  family,
  table: 't',
  chain: 'c',
  expr: statements,
  ...more,
})

/** The rule with each of its scalars, one at a time, replaced by others. */
function* variants(statements: readonly Statement[]): Generator<Statement[]> {
  const text = JSON.stringify(statements)
  const others = [
    0,
    1,
    7,
    4242,
    70_000,
    -1,
    true,
    'x',
    'eth*',
    '10.9.8.7',
    '10.0.0.0/8',
    'fe80::1',
    'tcp',
    'established',
    '@s',
    [1, 2],
    null,
  ]
  for (const [path] of scalars(statements))
    for (const other of others) {
      const copy = JSON.parse(text) as Statement[]
      const last = path.at(-1)!
      const holder = path.slice(0, -1).reduce((at, step) => (at as Record<string, unknown>)[step], copy as unknown)
      ;(holder as Record<string, unknown>)[last] = other
      yield copy
    }
}
function* scalars(value: unknown, path: readonly string[] = []): Generator<[readonly string[]]> {
  if (typeof value !== 'object' || value === null) yield [path]
  else for (const [name, inner] of Object.entries(value)) yield* scalars(inner, [...path, name])
}

test('a rule that comes again, with another comment', async () => {
  let cast = 0
  for (const golden of goldens) {
    const [first, second] = [ruleOf(golden), ruleOf(golden, { comment: 'again' })]
    const together = await written([first, second])
    const apart = [await written([first]), await written([second])]
    if (apart.flatMap(({ bytes }) => bytes).length !== 2) continue
    expect(together.bytes, JSON.stringify(golden.statements)).toEqual(apart.flatMap(({ bytes }) => bytes))
    cast += together.cast
  }
  expect(cast).toBeGreaterThan(500)
})

test('every scalar of a rule replaced by something else', async () => {
  let cast = 0
  let refused = 0
  const seen = new Set<string>()
  for (const golden of goldens) {
    const first = ruleOf(golden)
    if ((await written([first])).bytes.length !== 1) continue
    for (const expr of variants(golden.statements)) {
      const second = ruleOf({ ...golden, statements: expr })
      const key = JSON.stringify(second)
      if (seen.has(key)) continue
      seen.add(key)
      const alone = await written([second])
      const together = await written([first, second])
      const what = `${JSON.stringify(golden.statements)} then ${JSON.stringify(expr)}`
      if (typeof alone.bytes === 'string') {
        expect(together.bytes, what).toBe(alone.bytes)
        refused++
      } else if (typeof together.bytes !== 'string') {
        expect(together.bytes.slice(1), what).toEqual(alone.bytes)
        cast += together.cast
      } else expect.fail(`${what}: ${together.bytes}`)
    }
  }
  expect(cast).toBeGreaterThan(1_000)
  expect(refused).toBeGreaterThan(1_000)
})

test('a set that means something else by then is looked at again', async () => {
  const expr: Statement[] = [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: '@s' } }, { accept: null }]
  const world = new World({} as Scope, { echo: false })
  const set = (type: string) => world.declare('inet', 't', 's', { key: slotsOf(type, 'type'), interval: false, timeout: false })
  const { recorded, verbs } = new Recorder()
  verbs.rules.add({ family: 'inet', table: 't', chain: 'c', expr })
  set('inet_service')
  expect((await prepare(world, recorded)).changes).toHaveLength(1)
  expect((await prepare(world, recorded)).changes[0]!.codec).toBe(castRule)
  set('ipv4_addr')
  await expect(prepare(world, recorded)).rejects.toThrow('is a set of ipv4_addr')
})
