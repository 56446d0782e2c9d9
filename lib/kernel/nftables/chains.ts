// The verbs on the chains of nftables: lists of rules, and where packets enter them.
import { argumentError } from '../../codec/errors.js'
import { requestFlags } from '../../protocol/netlink.js'
import { chain as chainTable } from '../../protocol/nftables/chain.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import type { Context } from '../../socket/request.js'
import { type Checks, checkOptions, lacking, present } from '../arguments.js'
import type { Scope } from '../scope.js'
import { type ChainChange, type ChainSpec, chainField, chainMessage, type RawChain, toChain } from './chain-object.js'
import { change, type Entry, type Submit, silently } from './entry.js'
import { wireFamily } from './family.js'
import { changingHints, makingHints } from './hints.js'
import type { ChainObject } from './objects.js'
import { absent, dumpAll, getOne } from './read.js'
import { checkObjectFilter, isName, type NamedRef, namedRefChecks, namedText, type ObjectFilter, reference } from './references.js'

const reply = { type: nftablesMessages.newChain, codec: chainTable }
const field = chainField

export function chainChanges<Live extends boolean>(submit: Submit<Live>) {
  return {
    /**
     * Makes a chain: one that is jumped to, or with type, hook and priority one that packets enter:
     * `create({ family: 'inet', table: 'web', name: 'input', type: 'filter', hook: 'input', prio: 'filter', policy: 'drop' })`.
     *
     * Errors: EEXIST there is one, ENOENT no such table, EOPNOTSUPP the family has no such type at this hook.
     */
    create: (chain: ChainSpec) => submit(createChain(chain)),
    /** Changes the policy or the name: `update(chain, { policy: 'accept' })`. */
    update: (chain: NamedRef, changes: ChainChange) => submit(updateChain(chain, changes)),
    /** Removes a chain with its rules. Errors: ENOENT there is none, EBUSY rules jump to it. */
    delete: (chain: NamedRef) => submit(deleteChain(chain)),
    /** Removes the rules of a chain. */
    flush: (chain: NamedRef) => submit(flushChain(chain)),
  }
}

export function chainReads(scope: Scope) {
  const find = async (chain: NamedRef): Promise<ChainObject | undefined> => {
    const raw = await findRaw(scope, chain)
    return raw && toChain(raw)
  }
  return {
    /** A chain; throws ENOENT if there is none. */
    async get(chain: NamedRef): Promise<ChainObject> {
      const found = await find(chain)
      if (!found) throw absent(scope, 'get chain', namedText(chain), 'chain')
      return found
    },
    /** A chain, or undefined. */
    find,
    /** The chains, of one family or table or of all. */
    async list(filter: ObjectFilter = {}): Promise<ChainObject[]> {
      checkObjectFilter(filter)
      const { family, table, signal } = filter
      const context: Context = { operation: 'list chains', namespace: scope.label, field }
      const request = { type: nftablesMessages.getChain, codec: chainTable, value: { family: wireFamily(family) }, context, signal }
      return dumpAll(scope, request, reply, raw => (table === undefined || raw.table === table ? toChain(raw) : undefined))
    },
  }
}

function findRaw(scope: Scope, chain: NamedRef): Promise<RawChain | undefined> {
  const { family, table, name } = reference(chain, namedRefChecks)
  const context: Context = { operation: 'get chain', subject: namedText(chain), namespace: scope.label, field }
  const value = { family: wireFamily(family), table, name }
  return getOne(scope, { type: nftablesMessages.getChain, codec: chainTable, value, context }, reply)
}

const createChain = (chain: ChainSpec): Entry<ChainObject> => ({
  group: 'chains',
  operation: 'create chain',
  prepare(world, about) {
    const value = chainMessage(chain)
    const context = { ...about, subject: namedText(chain), field, hints: makingHints('chain') }
    const flags = requestFlags.create | requestFlags.exclusive
    return [change(nftablesMessages.newChain, chainTable, flags, value, context, world.echo ? reply : undefined)]
  },
  result: ([raw]) => toChain(raw as RawChain),
})

const changeChecks: Checks<ChainChange> = {
  policy: value => {
    if (value !== 'accept' && value !== 'drop') throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', 'is neither accept nor drop')
  },
  name: isName,
}
const updateChain = (chain: NamedRef, changes: ChainChange) =>
  silently('chains', 'update chain', async (world, about) => {
    const { family, table, name } = reference(chain, namedRefChecks)
    checkOptions(changes, changeChecks)
    const context = { ...about, subject: namedText(chain), field, hints: changingHints('chain') }
    const key = { family: wireFamily(family), table }
    const { policy } = changes
    if (policy === undefined && changes.name === undefined) throw lacking('policy', 'say what to change')
    const sent = policy === undefined ? [] : [change(nftablesMessages.newChain, chainTable, 0, { ...key, name, policy }, context)]
    if (changes.name === undefined) return sent
    // The kernel renames by handle only.
    const raw = await findRaw(world.scope, chain)
    if (!raw) throw absent(world.scope, 'update chain', namedText(chain), 'chain')
    return [
      ...sent,
      change(nftablesMessages.newChain, chainTable, 0, { ...key, ...present({ handle: raw.handle }), name: changes.name }, context),
    ]
  })

const deleteChain = (chain: NamedRef) =>
  silently('chains', 'delete chain', (_, about) => {
    const { family, table, name } = reference(chain, namedRefChecks)
    const context = { ...about, subject: namedText(chain), field, hints: changingHints('chain') }
    return [change(nftablesMessages.delChain, chainTable, 0, { family: wireFamily(family), table, name }, context)]
  })

const flushChain = (chain: NamedRef) =>
  silently('chains', 'flush chain', (_, about) => {
    const { family, table, name } = reference(chain, namedRefChecks)
    const context = { ...about, subject: namedText(chain), field: ruleInChain, hints: changingHints('chain') }
    return [change(nftablesMessages.delRule, ruleTable, 0, { family: wireFamily(family), table, chain: name }, context)]
  })

/** The caller's name for a field of the message about a chain's rules. */
const ruleInChain = ([first]: readonly string[]) => (first === 'chain' ? 'name' : first)
