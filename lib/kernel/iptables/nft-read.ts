// What iptables-nft put into nftables, in the terms that both backends share.
import type { Decoded } from '../../codec/codec.js'
import { chain as chainTable } from '../../protocol/nftables/chain.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { dumpAll } from '../nftables/read.js'
import type { Scope } from '../scope.js'
import { readExpressions } from './nft-expressions.js'
import { makeRule, type ReadChain, type ReadRule, type ReadTable } from './rule.js'

type RawChain = Decoded<typeof chainTable>
type RawRule = Decoded<typeof ruleTable>

/** The tables that iptables-nft makes; of another name they are somebody else's. */
const tableNames = ['raw', 'mangle', 'nat', 'filter', 'security'] as const
const builtIn = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']

export async function readNft(scope: Scope, family: 4 | 6): Promise<ReadTable[]> {
  const value = { family: family === 4 ? ('ipv4' as const) : ('ipv6' as const) }
  const context = { operation: 'read iptables', namespace: scope.label }
  const chains = await dumpAll(
    scope,
    { type: nftablesMessages.getChain, codec: chainTable, value, context },
    { type: nftablesMessages.newChain, codec: chainTable },
    (raw): RawChain => raw,
  )
  const rules = await dumpAll(
    scope,
    { type: nftablesMessages.getRule, codec: ruleTable, value, context },
    { type: nftablesMessages.newRule, codec: ruleTable },
    (raw): RawRule => raw,
  )
  return tableNames.flatMap(name => {
    const own = chains.filter(({ table }) => table === name)
    // Names in lower case are a person's; a table of theirs may be called filter too.
    if (own.length === 0 || !own.some(chain => chain.hook === undefined || builtIn.includes(chain.name ?? ''))) return []
    const ordered = [...own.filter(isBase).sort(byHook), ...own.filter(chain => !isBase(chain))]
    return [{ backend: 'nft' as const, family, name, chains: ordered.map(chain => toChain(chain, rules, family)) }]
  })
}

const isBase = ({ hook }: RawChain) => hook !== undefined
const byHook = (a: RawChain, b: RawChain) => (a.hook?.hooknum ?? 0) - (b.hook?.hooknum ?? 0)

function toChain({ table, name = '', policy, counters }: RawChain, rules: readonly RawRule[], family: 4 | 6): ReadChain {
  return {
    name,
    ...(policy === undefined ? {} : { policy: policy === 'drop' ? ('DROP' as const) : ('ACCEPT' as const) }),
    packets: counters?.packets ?? 0,
    bytes: counters?.bytes ?? 0,
    rules: rules.filter(rule => rule.table === table && rule.chain === name).map((rule, i) => toRule(rule, i + 1, family)),
  }
}

function toRule({ handle, expressions }: RawRule, number: number, family: 4 | 6): ReadRule {
  return makeRule({ number, ...readExpressions(expressions ?? [], family), ...(handle === undefined ? {} : { handle }) })
}
