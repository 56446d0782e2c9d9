// Real-life rules in a namespace: as text for nft, each in a table of its own, and what nft prints of them.
import type { RuleRow } from '../oracle/nftables-rules/row.js'
import { isKernel } from './features.js'
import { attempt, nft, run, type Where } from './readers.js'

/** The name of the row's own table, so that all rows can be there at once. */
export const tableOf = (row: RuleRow, number: number): string => `${row.table}-${number}`

/** The row's table, as a script for nft; without the rule itself if that comes by another way. */
export function tableText(row: RuleRow, table: string, text = row.text): string {
  const { base } = row
  const hook = base && `type ${base.type} hook ${base.hook}${base.dev ? ` device ${base.dev}` : ''} priority ${base.prio};`
  const objects = (row.objects ?? []).map(object => object.replace('{ ', '{\n').replace(/ \}$/, '\n}').replaceAll('; ', '\n'))
  const chains = (row.chains ?? []).map(name => `chain ${name} { }`)
  const chain = `chain ${row.chain} {\n${base ? `${hook} policy ${base.policy ?? 'accept'};` : ''}\n${text}\n}`
  return `table ${row.family} ${table} {\n${[...objects, ...chains, chain].join('\n')}\n}\n`
}

/** Loads a script with nft. */
export async function load(where: Where, script: string): Promise<void> {
  const { code, stderr } = await attempt(where, 'nft', ['-f', '-'], script)
  if (code !== 0) throw new Error(`nft -f: ${stderr}`)
}

/** The rules of a chain as nft prints them. */
export async function printed(where: Where, family: string, table: string, chain: string): Promise<string[]> {
  const lines = (await run(where, 'nft', 'list', 'chain', family, table, chain)).split('\n')
  return lines.filter(line => line.startsWith('\t\t') && !line.startsWith('\t\ttype ')).map(line => line.trim())
}

/** The statements of a chain's rules as nft reads them, without what JSON of nft 1.0.6 cannot tell. */
export async function statements(where: Where, family: string, table: string, chain: string): Promise<unknown[]> {
  const objects = await nft<{ rule?: { expr: unknown } }>(where, 'list', 'chain', family, table, chain)
  return objects.flatMap(({ rule }) => (rule ? [rule.expr] : []))
}

/** What an error says of the place of an element; kernels before 5.19 say only which list of elements it was in. */
export const refusedElement = (path: string): { path?: string } => (isKernel('5.19') ? { path } : {})
