// A rule set as libnftables JSON, as `nft -j list ruleset` orders it.
import type { Ruleset, RulesetObject, RulesetObjects } from './objects.js'

/** Where nft lists what is in a table: named objects, sets and maps, flowtables, chains, rules; the kernel's order within each. */
const places: Readonly<Partial<Record<keyof RulesetObjects, number>>> = {
  table: 0,
  set: 2,
  map: 2,
  element: 2,
  flowtable: 3,
  chain: 4,
  rule: 5,
}
const namedObjects = 1

const entry = (object: RulesetObject) =>
  Object.entries(object)[0] as [keyof RulesetObjects, { family?: string; table?: string; name?: string }]

/**
 * A rule set as libnftables-json(5) has it: metainfo first, then table by table, and within a table as `nft -j list ruleset` lists it.
 * `JSON.stringify` of it can be compared with what nft prints, and given to `nft -j -f`.
 */
export function nftJson(ruleset: Ruleset | readonly RulesetObject[]): Ruleset {
  const objects = 'nftables' in ruleset ? ruleset.nftables : ruleset
  const tables = new Map<string, [place: number, object: RulesetObject][]>()
  let metainfo: RulesetObject = { metainfo: { json_schema_version: 1 } }
  for (const object of objects) {
    const [kind, value] = entry(object)
    if (kind === 'metainfo') metainfo = object
    else {
      const key = `${value.family} ${kind === 'table' ? value.name : value.table}`
      const known = tables.get(key) ?? []
      tables.set(key, known)
      known.push([places[kind] ?? namedObjects, object])
    }
  }
  const sorted = [...tables.values()].flatMap(table => table.sort(([a], [b]) => a - b).map(([, object]) => object))
  return { nftables: [metainfo, ...sorted] }
}
