// A rule as the messages that make it: the sets that it brings with it, and the rule itself.
import type { Encodable } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import { packedElementList } from '../../protocol/nftables/element.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { set as setTable } from '../../protocol/nftables/set.js'
import type { Context, Reply } from '../../socket/request.js'
import { type Checks, checkOptions, isInteger, isList, isRead, lacking, present } from '../arguments.js'
import type { Change } from './commit.js'
import { inMessages, packEncoded } from './element-pack.js'
import { change } from './entry.js'
import { wireFamily } from './family.js'
import type { Family } from './fields.js'
import { namesLinks } from './interfaces.js'
import { linearize } from './linearize.js'
import type { SetTypes } from './linearize-context.js'
import type { RuleObject } from './objects.js'
import { type ChainRef, chainRefChecks, chainText, isComment, isFamily, isName, reference } from './references.js'
import type { SetForm } from './set-form.js'
import type { Statement } from './statement.js'
import { commentBytes, comment as commentType, encodeUserdata, type Userdata } from './userdata.js'
import type { World } from './world.js'

const isCount = isInteger(0, Number.MAX_SAFE_INTEGER)
export const ruleChecks: Checks<RuleObject> = {
  family: isFamily,
  table: isName,
  chain: isName,
  handle: isCount,
  comment: isComment,
  // Looked into where it is translated.
  expr: isList(isRead),
}

/** Where a rule goes, and what the answer to it is. */
export interface Placing {
  readonly flags: number
  readonly fields?: Pick<Encodable<typeof ruleTable>, 'handle' | 'position'>
  readonly reply?: Reply<typeof ruleTable> | undefined
  /** The caller's name for the place. */
  readonly position?: 'after' | 'before'
  /** What else is kept beside the rule. */
  readonly userdata?: Userdata
}

export async function ruleChanges(world: World, rule: RuleObject, placing: Placing, context: Context): Promise<Change[]> {
  reference<ChainRef>(rule, chainRefChecks)
  checkOptions(rule, ruleChecks)
  const { family, table, chain, expr, comment } = rule
  if (expr === undefined) throw lacking('expr', 'a rule consists of statements')
  const sets = await namedSets(world, family, table, expr)
  const interfaces = namesLinks(expr) ? await world.interfaces() : undefined
  const { expressions, anonymousSets, starts } = linearize(expr, {
    family,
    sets: name => sets.get(name),
    nextSetId: () => world.nextId(),
    ...present({ interfaces }),
  })
  const key = { family: wireFamily(family), table }
  const making = requestFlags.create
  const inRule = { ...context, at: 'expr' }
  const brought = anonymousSets.flatMap(({ id, set, elements }): Change[] => {
    const named = { ...key, set: set.name ?? '', setId: id }
    const parts = inMessages(packEncoded(elements.map(element => ({ element, index: 0 }))))
    return [
      change(nftablesMessages.newSet, setTable, making, { ...set, ...key, id }, inRule),
      ...parts.map(part => change(nftablesMessages.newSetElem, packedElementList, making, { ...named, elements: part.bytes }, inRule)),
    ]
  })
  const notes: Userdata = [...(comment === undefined ? [] : [[commentType, commentBytes(comment)] as const]), ...(placing.userdata ?? [])]
  const value = { ...key, chain, expressions, ...present({ userdata: encodeUserdata(notes) }), ...placing.fields }
  const field = ruleField(expr, expressions, starts, placing.position)
  return [
    ...brought,
    change(nftablesMessages.newRule, ruleTable, placing.flags, value, { ...context, subject: chainText(rule), field }, placing.reply),
  ]
}

/** The sets that statements name, '@ports', as far as they are there. */
async function namedSets(world: World, family: Family, table: string, statements: readonly Statement[]): Promise<Map<string, SetTypes>> {
  const names = new Set<string>()
  const walk = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.startsWith('@')) names.add(value.slice(1))
    } else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) walk(inner)
  }
  walk(statements)
  const found = new Map<string, SetTypes>()
  for (const name of names) {
    const form = await world.form(family, table, name)
    if (form) found.set(name, setTypes(form))
  }
  return found
}

export const setTypes = ({ key, data, interval }: SetForm): SetTypes => ({
  key: key.map(({ type }) => type),
  interval,
  ...(data
    ? { data: 'slots' in data ? data.slots.map(({ type }) => type) : 'verdict' in data ? ('verdict' as const) : ('object' as const) }
    : {}),
})

const rightSides = ['cmp', 'lookup', 'range']

/** The caller's name for a field of the message: that of the statement which an expression is of. */
function ruleField(
  statements: readonly Statement[],
  expressions: readonly { readonly name?: string | undefined }[],
  starts: readonly number[],
  position: string | undefined,
) {
  return ([first, index]: readonly string[]): string | undefined => {
    if (first === 'userdata') return 'comment'
    if (first === 'position') return position
    if (first !== 'expressions' || index === undefined) return first === 'expressions' ? 'expr' : first
    const number = Number(index)
    const which = starts.findLastIndex(start => start <= number)
    const statement = statements[which]
    if (!statement) return 'expr'
    const [kind = ''] = Object.keys(statement)
    const part = kind === 'match' ? `.${rightSides.includes(expressions[number]?.name ?? '') ? 'right' : 'left'}` : ''
    return `expr[${which}].${kind}${part}`
  }
}

/** Fields of a rule that is read or deleted. */
export const plainRuleField = ([first]: readonly string[]): string | undefined => first
