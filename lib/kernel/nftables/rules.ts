// The verbs on the rules of nftables.
import type { Decoded } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { type Checks, checkOptions, conflict, isInteger, present } from '../arguments.js'
import type { Scope } from '../scope.js'
import { change, type Entry, type Submit, silently } from './entry.js'
import { wireFamily } from './family.js'
import { changingHints, makingHints } from './hints.js'
import type { RuleObject } from './objects.js'
import {
  type ChainRef,
  chainRefChecks,
  chainText,
  isName,
  type ObjectFilter,
  objectFilterChecks,
  type RuleRef,
  reference,
} from './references.js'
import { plainRuleField, ruleChanges } from './rule-message.js'
import { interfacesFor, type Rule, toRule } from './rule-object.js'
import { readSnapshot } from './snapshot.js'
import type { Userdata } from './userdata.js'

export interface RuleFilter extends ObjectFilter {
  readonly chain?: string
}
export interface RulePlace {
  /** Handle of the rule that it goes behind. */
  readonly after?: number
  /** Handle of the rule that it goes before. */
  readonly before?: number
}
export type RuleSpec = Omit<RuleObject, 'handle'>
/** What adding a rule gives. */
export interface AddedRule extends ChainRef {
  /** By which the rule can be replaced and deleted. */
  readonly handle: number
}

const ruleFilterChecks: Checks<RuleFilter> = { ...objectFilterChecks, chain: isName }
const isHandle = isInteger(1, Number.MAX_SAFE_INTEGER)
const placeChecks: Checks<RulePlace> = { after: isHandle, before: isHandle }
const anywhere: RulePlace = {}
const reply = { type: nftablesMessages.newRule, codec: ruleTable }
const hints = {
  ...makingHints('rule'),
  ENOENT: 'the table, the chain, or something that the rule names is not there, or this kernel lacks the expression',
  ELOOP: 'the chains jump to one another in a circle',
  EMLINK: 'the chains jump to one another in a circle, or more than 16 deep',
}

export function ruleEntries<Live extends boolean>(submit: Submit<Live>) {
  return {
    /**
     * Adds a rule at the end of a chain, or before or behind another:
     * `add({ family: 'inet', table: 'web', chain: 'input', expr: [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 80 } }, { accept: null }] })`.
     *
     * Errors: ENOENT no such chain, or the kernel lacks an expression; EOPNOTSUPP not in this family or hook; EMLINK (older kernels: ELOOP)
     * chains that jump in a circle.
     */
    add: (rule: RuleSpec, place: RulePlace = anywhere) => submit(addRule(rule, place, true)),
    /** Adds a rule at the beginning of a chain. */
    insert: (rule: RuleSpec) => submit(addRule(rule, anywhere, false)),
    /** Puts a rule in the place of the one whose handle it has; what that has counted is gone. */
    replace: (rule: RuleObject & { readonly handle: number }) => submit(replaceRule(rule)),
    /** Removes a rule by its handle. Errors: ENOENT there is none. */
    delete: (rule: RuleRef) => submit(deleteRule(rule)),
  }
}

function addedRule(raw: Decoded<typeof ruleTable>, { family, table, chain }: ChainRef): AddedRule {
  return { family, table, chain, handle: raw.handle ?? 0 }
}

export const addRule = (rule: RuleSpec, place: RulePlace, atEnd: boolean, userdata: Userdata = []): Entry<AddedRule> => ({
  group: 'rules',
  operation: 'add rule',
  prepare(world, about) {
    if (place !== anywhere) checkOptions(place, placeChecks)
    const { after, before } = place
    if (after !== undefined && before !== undefined) throw conflict('before', 'a rule goes behind one or before one, not both')
    const append = before === undefined && (atEnd || after !== undefined)
    const placing = {
      flags: requestFlags.create | (append ? requestFlags.append : 0),
      fields: after === undefined && before === undefined ? undefined : present({ position: after ?? before }),
      userdata,
      position: after === undefined ? ('before' as const) : ('after' as const),
      reply: world.echo ? reply : undefined,
      hints,
    }
    // What was read has a handle, which means nothing for another rule.
    return ruleChanges(world, rule, placing, about)
  },
  result: ([raw]) => addedRule(raw as Decoded<typeof ruleTable>, rule),
})

const replaceRule = (rule: RuleObject & { readonly handle: number }): Entry<AddedRule> => ({
  group: 'rules',
  operation: 'replace rule',
  prepare(world, about) {
    const { handle } = reference<RuleRef>(rule, { ...chainRefChecks, handle: isHandle })
    const fields = { handle }
    return ruleChanges(world, rule, { flags: requestFlags.replace, fields, reply: world.echo ? reply : undefined, hints }, about)
  },
  result: ([raw]) => addedRule(raw as Decoded<typeof ruleTable>, rule),
})

const deleteRule = (rule: RuleRef) =>
  silently('rules', 'delete rule', (_, about) => {
    const { family, table, chain, handle } = reference(rule, { ...chainRefChecks, handle: isHandle })
    const subject = `${chainText(rule)} handle ${handle}`
    const context = { ...about, subject, field: plainRuleField, hints: changingHints('rule') }
    return [change(nftablesMessages.delRule, ruleTable, 0, { family: wireFamily(family), table, chain, handle }, context)]
  })

export function ruleReads(scope: Scope) {
  return {
    /** The rules of a chain, of a table or of all, in their order. */
    async list(filter: RuleFilter = {}): Promise<Rule[]> {
      checkOptions(filter, ruleFilterChecks)
      const { chain, ...rest } = filter
      const { sets, rules } = await readSnapshot(scope, rest, 'list rules')
      const interfaces = await interfacesFor(scope, rules)
      return rules
        .filter(raw => chain === undefined || raw.chain === chain)
        .map(raw =>
          toRule(
            raw,
            sets.filter(({ raw: set }) => set.family === raw.family && set.table === raw.table),
            interfaces,
          ),
        )
    },
  }
}
