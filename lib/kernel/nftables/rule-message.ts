// A rule as the messages that make it: the sets that it brings with it, and the rule itself.
import type { Encodable } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import { packedElementList } from '../../protocol/nftables/element.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { type CastRule, castRule, type ruleBeside, rule as ruleTable } from '../../protocol/nftables/rule.js'
import { set as setTable } from '../../protocol/nftables/set.js'
import type { Context, Reply } from '../../socket/request.js'
import { type Checks, checkOptions, isInteger, isList, isRead, lacking, present } from '../arguments.js'
import type { Change } from './commit.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { inMessages, packEncoded } from './element-pack.js'
import { type About, change } from './entry.js'
import { wireFamily } from './family.js'
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
  readonly fields?: Pick<Encodable<typeof ruleTable>, 'handle' | 'position'> | undefined
  readonly reply?: Reply<typeof ruleTable> | undefined
  /** The caller's name for the place. */
  readonly position?: 'after' | 'before'
  /** What else is kept beside the rule. */
  readonly userdata?: Userdata
  readonly hints: Readonly<Record<string, string>>
}

/** The messages of a rule; a promise only where something has to be looked up. */
export function ruleChanges(world: World, rule: RuleObject, placing: Placing, about: About): Change[] | Promise<Change[]> {
  const cast = world.moulds.cast(rule, world.declared)
  if (cast && onlyKnown(rule)) {
    const { mould, values, like } = cast
    const { operation, namespace, within } = about
    const { subject, field, hints } = like.context
    const value: CastRule = { mould, values, beside: beside(rule, placing) }
    const context = { operation, subject, namespace, field, within, hints }
    return [change(nftablesMessages.newRule, castRule, placing.flags, value, context, placing.reply)]
  }
  reference<ChainRef>(rule, chainRefChecks)
  checkOptions(rule, ruleChecks)
  const { family, table, expr } = rule
  if (expr === undefined) throw lacking('expr', 'a rule consists of statements')
  const { sets, links } = namedIn(expr)
  const forms = sets.map(name => world.known(family, table, name))
  if (!links && !forms.includes(undefined)) return translated(world, rule, placing, about, { sets, forms, interfaces: undefined })
  return lookedUp(world, rule, sets, links).then(named => translated(world, rule, placing, about, named))
}
/** A misspelt option is refused by the long way. */
function onlyKnown(rule: RuleObject): boolean {
  for (const name in rule) if (!Object.hasOwn(ruleChecks, name)) return false
  return true
}

interface Named {
  readonly sets: readonly string[]
  /** In the order of the sets; null for one that is not there. */
  readonly forms: readonly (SetForm | null | undefined)[]
  readonly interfaces: InterfaceNames | undefined
}
async function lookedUp(world: World, { family, table }: RuleObject, sets: readonly string[], links: boolean): Promise<Named> {
  const forms: (SetForm | undefined)[] = []
  for (const name of sets) forms.push(await world.form(family, table, name))
  return { sets, forms, interfaces: links ? await world.interfaces() : undefined }
}

function translated(world: World, rule: RuleObject, placing: Placing, about: About, { sets, forms, interfaces }: Named): Change[] {
  const { family, table, chain } = rule
  const expr = rule.expr!
  const { expressions, anonymousSets, starts, holes } = linearize(expr, {
    family,
    sets: name => {
      const form = forms[sets.indexOf(name)]
      return form ? setTypes(form) : undefined
    },
    nextSetId: () => world.nextId(),
    ...present({ interfaces }),
  })
  const key = { family: wireFamily(family), table }
  const making = requestFlags.create
  const inRule: Context = { ...about, subject: chainText(rule), hints: placing.hints, at: 'expr' }
  const brought = anonymousSets.flatMap(({ id, set, elements }): Change[] => {
    const named = { ...key, set: set.name ?? '', setId: id }
    const parts = inMessages(packEncoded(elements.map(element => ({ element, index: 0 }))))
    return [
      change(nftablesMessages.newSet, setTable, making, { ...set, ...key, id }, inRule),
      ...parts.map(part => change(nftablesMessages.newSetElem, packedElementList, making, { ...named, elements: part.bytes }, inRule)),
    ]
  })
  const value = { ...key, chain, expressions }
  const context: Context = {
    ...about,
    subject: chainText(rule),
    hints: placing.hints,
    field: ruleField(expr, expressions, starts, placing.position),
  }
  if (brought.length === 0) world.moulds.keep({ rule, value, holes, context, state: world.declared })
  const whole = { ...value, ...beside(rule, placing) }
  return [...brought, change(nftablesMessages.newRule, ruleTable, placing.flags, whole, context, placing.reply)]
}

const nothing = {}
/** What is not the rule itself: a comment and other notes, and its place. */
function beside({ comment }: RuleObject, placing: Placing): Encodable<typeof ruleBeside> {
  if (comment === undefined && !placing.userdata?.length) return placing.fields ?? nothing
  const notes: Userdata = [...(comment === undefined ? [] : [[commentType, commentBytes(comment)] as const]), ...(placing.userdata ?? [])]
  return { ...present({ userdata: encodeUserdata(notes) }), ...placing.fields }
}

const numbered = new Set(['iif', 'oif', 'iifgroup', 'dup', 'fwd', 'fib', 'iface_index'])
/** The sets that statements name, '@ports', and whether they may name a link by its number. */
function namedIn(statements: readonly Statement[]): { sets: string[]; links: boolean } {
  const sets: string[] = []
  let links = false
  const walk = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.startsWith('@')) {
        if (!sets.includes(value.slice(1))) sets.push(value.slice(1))
      } else links ||= numbered.has(value)
    } else if (Array.isArray(value)) for (const inner of value) walk(inner)
    else if (typeof value === 'object' && value !== null)
      for (const name in value) {
        links ||= numbered.has(name)
        walk((value as Readonly<Record<string, unknown>>)[name])
      }
  }
  walk(statements)
  return { sets, links }
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
