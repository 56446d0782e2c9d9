// Real-life rules that nft has loaded, as the library reads them: they print as nft's text, and their source evaluates to the same.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Namespace, type NftRule, nftText, toBuilders } from '../../lib/index.js'
import { evaluate } from '../helpers/evaluate.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { load, tableOf, tableText } from '../helpers/nftables-rows.js'
import { realRules } from '../oracle/nftables-rules/all.js'

const host = useHost()
let here: Namespace
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(async () => {
  await here.nftables.flush()
})
afterAll(async () => {
  await here?.close()
})

/** Elements of sets in one order: the kernel keeps none where keys are hashed. */
const sorted = (text: string) => text.replace(/\{ (.*?) \}/g, (_, elements: string) => `{ ${elements.split(', ').sort().join(', ')} }`)

for (const [number, row] of realRules.entries())
  test(`${row.origin}: ${row.text}`, async context => {
    await needs(context, 'nftables', ...(row.needs ? [row.needs] : []))
    const { family, chain } = row
    const table = tableOf(row, number)
    await load(host.name, tableText(row, table))
    const [read] = (await here.nftables.rules.list({ family, table, chain })) as NftRule[]
    expect(read && sorted(nftText(read))).toBe(sorted(row.text))
    const { expr = [], comment } = read ?? {}
    const own = comment === undefined ? { expr } : { expr, comment }
    expect(evaluate(toBuilders(own))).toEqual(own)
  })
