// A rule, or a whole rule set, in nft's own syntax: as `nft list ruleset` of nft 1.0.6 prints it.
import type { SetMember } from './expression.js'
import type { ChainObject, RuleObject, Ruleset, RulesetObject, RulesetObjects, TableObject } from './objects.js'
import type { Statement } from './statement.js'
import { chainLines, type NamedKind, objectLines, tableLines } from './text-object.js'
import { statementText } from './text-statement.js'
import { quote } from './text-value.js'

export interface NftTextOptions {
  /** Writes handles behind what has one, as `nft -a` does. */
  readonly handles?: boolean
}
/** What a rule needs to be written: its statements, and the family of its table ('inet' by default), which decides a few words. */
export type RuleText = Pick<RuleObject, 'expr'> & Partial<RuleObject>

/**
 * A rule, its statements or a whole rule set in nft's own syntax, as `nft list ruleset` of nft 1.0.6 prints it; no process is started.
 * A rule set can be given to `nft -f`, but for statements of iptables-nft and expressions that the library has no words for.
 */
export function nftText(what: Ruleset | readonly RulesetObject[] | readonly Statement[] | RuleText, options: NftTextOptions = {}): string {
  if (isList(what))
    return what.some(isStatement) ? statementsText(what as readonly Statement[]) : rulesetText(what as readonly RulesetObject[], options)
  return 'nftables' in what ? rulesetText(what.nftables, options) : ruleText(what, options)
}

const isList = (what: object): what is readonly object[] => Array.isArray(what)
const kinds = [
  'metainfo',
  'table',
  'chain',
  'rule',
  'set',
  'map',
  'element',
  'counter',
  'quota',
  'limit',
  'flowtable',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'synproxy',
]
/** Some kinds of statements are called like objects, but none of them says which table it is in. */
const isStatement = (one: object) => {
  const [[name = '', value] = []] = Object.entries(one) as [string, unknown][]
  return !kinds.includes(name) || typeof value !== 'object' || value === null || !(name === 'metainfo' || 'family' in value)
}

const statementsText = (statements: readonly Statement[], family?: RuleObject['family']) =>
  statements.map(statement => statementText(statement, family)).join(' ')

function ruleText(rule: RuleText, { handles }: NftTextOptions): string {
  const comment = rule.comment === undefined ? '' : ` comment ${quote(rule.comment)}`
  return `${statementsText(rule.expr, rule.family)}${comment}${handleText(rule, handles)}`
}

const handleText = ({ handle }: { handle?: number | undefined }, wanted: boolean | undefined) =>
  wanted && handle !== undefined ? ` # handle ${handle}` : ''

type Block = [head: string, lines: readonly string[]]
interface Table {
  readonly table: TableObject
  /** Named objects, sets, flowtables and chains, in the order in which they are written. */
  readonly blocks: [Block[], Block[], Block[], Block[]]
}

function rulesetText(objects: readonly RulesetObject[], options: NftTextOptions): string {
  const tables = new Map<string, Table>()
  const of = (family: string, name: string) => {
    const key = `${family} ${name}`
    const known = tables.get(key) ?? { table: { family, name } as TableObject, blocks: [[], [], [], []] as Table['blocks'] }
    tables.set(key, known)
    return known
  }
  const rules = grouped(objects)
  for (const object of objects) {
    if ('table' in object) tables.set(`${object.table.family} ${object.table.name}`, { table: object.table, blocks: [[], [], [], []] })
    else if ('chain' in object) {
      const { chain } = object
      const own = rules.get(`${chain.family} ${chain.table} ${chain.name}`) ?? []
      of(chain.family, chain.table).blocks[3].push(chainBlock(chain, own, options))
    } else if (!('rule' in object || 'element' in object || 'metainfo' in object)) {
      const [[kind, value]] = Object.entries(object) as [[NamedKind, RulesetObjects['set']]]
      const place = kind === 'set' || kind === 'map' ? 1 : kind === 'flowtable' ? 2 : 0
      of(value.family, value.table).blocks[place].push(namedBlock(kind, withElements(value, objects), options))
    }
  }
  return [...tables.values()].map(table => tableText(table, options)).join('')
}

function grouped(objects: readonly RulesetObject[]): Map<string, RuleObject[]> {
  const rules = new Map<string, RuleObject[]>()
  for (const object of objects)
    if ('rule' in object) {
      const key = `${object.rule.family} ${object.rule.table} ${object.rule.chain}`
      rules.set(key, [...(rules.get(key) ?? []), object.rule])
    }
  return rules
}

/** Elements that are listed by themselves belong to their set. */
function withElements<T extends RulesetObjects['set']>(set: T, objects: readonly RulesetObject[]): T {
  const own = objects.flatMap(object => {
    if (!('element' in object)) return []
    const { family, table, name, elem } = object.element
    return family === set.family && table === set.table && name === set.name ? ((Array.isArray(elem) ? elem : [elem]) as SetMember[]) : []
  })
  return own.length > 0 ? { ...set, elem: [...(set.elem ?? []), ...own] } : set
}

const namedBlock = (kind: NamedKind, object: RulesetObjects['set'], { handles }: NftTextOptions): Block => [
  `${kind} ${object.name} {${handleText(object, handles)}`,
  (objectLines[kind] as (object: unknown) => string[])(object),
]
const chainBlock = (chain: ChainObject, rules: readonly RuleObject[], options: NftTextOptions): Block => [
  `chain ${chain.name} {${handleText(chain, options.handles)}`,
  [...chainLines(chain), ...rules.map(rule => ruleText(rule, options))],
]

function tableText({ table, blocks }: Table, { handles }: NftTextOptions): string {
  const head = tableLines(table).map(line => `\t${line}\n`)
  const bodies = blocks.flat().map(([title, lines]) => `\t${title}\n${lines.map(line => `\t\t${line}\n`).join('')}\t}\n`)
  const parts = [...(head.length > 0 ? [head.join('')] : []), ...bodies]
  return `table ${table.family} ${table.name} {${handleText(table, handles)}\n${parts.join('\n')}}\n`
}
