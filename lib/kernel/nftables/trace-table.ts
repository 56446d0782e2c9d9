// The table that marks packets for a trace, and the tables of iptables-legacy whose traces are told elsewhere.
import { randomBytes } from 'node:crypto'
import { NetloomError } from '../../socket/error.js'
import { readLegacy } from '../iptables/legacy-read.js'
import type { Scope } from '../scope.js'
import { type RulePart, rule } from './builders.js'
import { changeVerbs } from './changes.js'
import { atOnce, transact } from './transaction.js'

export interface TraceTable {
  readonly name: string
  /** Once, however often it is called. */
  remove(): Promise<void>
}

/** Before everything but the assembly of fragments (-400): what is traced is traced from its first rule on. */
const priority = -350

/** It belongs to the namespace's connection, so that it goes even if the process is killed; kernel ≥ 5.12. */
export async function traceTable(scope: Scope, family: 'ip' | 'ip6' | 'inet' | 'bridge', match: readonly RulePart[]): Promise<TraceTable> {
  const name = `netloom-trace-${randomBytes(4).toString('hex')}`
  const { expr } = rule(...match, { mangle: { key: { meta: { key: 'nftrace' } }, value: 1 } })
  await transact(scope, t => {
    t.tables.create({ family, name, flags: 'owner' })
    for (const hook of ['prerouting', 'output'] as const) {
      t.chains.create({ family, table: name, name: hook, type: 'filter', hook, prio: priority, policy: 'accept' })
      t.rules.add({ family, table: name, chain: hook, expr })
    }
  })
  let removal: Promise<void> | undefined
  return { name, remove: () => (removal ??= remove(scope, family, name)) }
}

async function remove(scope: Scope, family: 'ip' | 'ip6' | 'inet' | 'bridge', name: string): Promise<void> {
  try {
    await changeVerbs<true>(atOnce(scope)).tables.delete({ family, name })
  } catch (error) {
    // With its namespace's connection it has gone already.
    if (!(error instanceof NetloomError) || !['ENOENT', 'EBADF', 'ECANCELED'].includes(error.code)) throw error
  }
}

/** 'ip raw': tables of iptables-legacy with a rule TRACE. Where they may not be read there is nothing to say. */
export async function legacyTraces(scope: Scope): Promise<string[]> {
  const found: string[] = []
  for (const family of [4, 6] as const)
    for (const { name, chains } of (await readLegacy(scope, family)) ?? [])
      if (chains.some(({ rules }) => rules.some(({ target }) => target?.name === 'TRACE')))
        found.push(`${family === 4 ? 'ip' : 'ip6'} ${name}`)
  return found
}
