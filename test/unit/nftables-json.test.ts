// A rule set as libnftables JSON: in nft's order, with the kernel's within each kind.
import { expect, test } from 'vitest'
import { type NftRulesetObject, nftJson } from '../../lib/index.js'

const at = { family: 'ip', table: 't' } as const
const rule: NftRulesetObject = { rule: { ...at, chain: 'c', expr: [{ accept: null }] } }
const chain: NftRulesetObject = { chain: { ...at, name: 'c' } }
const set: NftRulesetObject = { set: { ...at, name: 's', type: 'mark' } }
const map: NftRulesetObject = { map: { ...at, name: 'm', type: 'mark', map: 'verdict' } }
const quota: NftRulesetObject = { quota: { ...at, name: 'q', bytes: 5 } }
const counter: NftRulesetObject = { counter: { ...at, name: 'n' } }
const table: NftRulesetObject = { table: { family: 'ip', name: 't' } }
const other: NftRulesetObject = { table: { family: 'ip6', name: 't' } }

test('tables one after the other, and in each objects, sets, chains and rules', () => {
  const metainfo = { metainfo: { json_schema_version: 1 } }
  expect(nftJson([rule, chain, map, set, other, quota, counter, table])).toEqual({
    nftables: [metainfo, table, quota, counter, map, set, chain, rule, other],
  })
  const own = { metainfo: { version: '1.0.6' } }
  expect(nftJson({ nftables: [table, own] })).toEqual({ nftables: [own, table] })
})
