// The verbs on the tables of iptables in one namespace, in both halves of the kernel: read them, judge traffic by them, let traffic through.
import { NetloomError } from '../../socket/error.js'
import { readAddressTypes } from '../address-types.js'
import { checkOptions, isFamily, isOneOf } from '../arguments.js'
import type { Scope } from '../scope.js'
import { type AcceptRule, type CheckedAccept, checkAccept, describeAccept, inserted, locateAccept, removed } from './accept.js'
import { changeTable, legacyTableNames, readBlob } from './legacy.js'
import { readLegacy } from './legacy-read.js'
import { checkInNft, insertInNft, removeFromNft } from './nft-accept.js'
import { readNft } from './nft-read.js'
import { type IptablesPacket, judged } from './packet.js'
import { type IptablesBackend, type IptablesMatch, type IptablesTable, plainTable, type ReadTable } from './rule.js'
import { type IptablesVerdict, verdictOf } from './verdict.js'

export interface IptablesFilter {
  readonly backend?: IptablesBackend
  readonly family?: 4 | 6
  /** 'filter', 'nat', 'mangle', 'raw', 'security' */
  readonly table?: string
}
export interface AcceptOptions {
  /** Only there; by default wherever the table is. */
  readonly backend?: IptablesBackend
}
const backends = ['legacy', 'nft'] as const
const isBackend = isOneOf(backends)

/** What can be done to a rule in one backend; undefined: the table or the chain is not there. */
interface Half {
  check(scope: Scope, rule: CheckedAccept): Promise<boolean | undefined>
  insert(scope: Scope, rule: CheckedAccept): Promise<boolean>
  remove(scope: Scope, rule: CheckedAccept): Promise<boolean>
}
const legacy: Half = {
  async check(scope, rule) {
    const names = await legacyTableNames(scope, rule.family)
    if (!names) throw unreadable(scope, rule)
    if (!names.includes(rule.table)) return undefined
    const { chain, found } = locateAccept(await readBlob(scope, rule.family, rule.table), rule)
    return chain ? found !== undefined : undefined
  },
  insert: (scope, rule) => changeTable(scope, rule.family, rule.table, blob => inserted(blob, rule)),
  remove: (scope, rule) => changeTable(scope, rule.family, rule.table, blob => removed(blob, rule)),
}
const halves: Readonly<Record<IptablesBackend, Half>> = {
  legacy,
  nft: { check: checkInNft, insert: insertInNft, remove: removeFromNft },
}

const isAddressType = ({ name }: IptablesMatch) => name === 'addrtype'

const unreadable = (scope: Scope, { table }: { table: string }) =>
  new NetloomError('EACCES', {
    operation: 'read iptables',
    subject: table,
    namespace: scope.label,
    reason: 'whether there are legacy tables here may not be known',
    hint: "the file that lists them is root's in the user namespace that owns the network namespace; { backend: 'nft' } leaves them out",
  })

export function iptablesVerbs(scope: Scope) {
  /** Does the same in every backend that has the chain, and gives those in which something was done. */
  async function each(
    operation: string,
    rule: AcceptRule,
    options: AcceptOptions,
    act: (half: Half, rule: CheckedAccept) => Promise<boolean>,
  ): Promise<IptablesBackend[]> {
    checkOptions(options, { backend: isBackend })
    const checked = checkAccept(rule)
    const done: IptablesBackend[] = []
    let found = false
    for (const backend of backends) {
      const half = halves[backend]
      if ((options.backend ?? backend) !== backend || (await half.check(scope, checked)) === undefined) continue
      found = true
      if (await act(half, checked)) done.push(backend)
    }
    if (found) return done
    throw new NetloomError('ENOENT', {
      operation,
      subject: describeAccept(rule),
      namespace: scope.label,
      reason: `there is no chain ${checked.chain} in a table ${checked.table} of iptables here`,
      hint: 'nothing of iptables can be in the way then; tables are never made by asking for them',
    })
  }

  return {
    /**
     * The tables that are there, with their chains and rules, of legacy iptables and of iptables-nft. Matches and targets that are not understood
     * keep their bytes. Legacy tables that may not be known of are left out: unreadable() says so.
     *
     * Errors: EPERM without CAP_NET_ADMIN.
     */
    async list(filter: IptablesFilter = {}): Promise<IptablesTable[]> {
      checkOptions(filter, { backend: isBackend, family: isFamily, table: isOneOf(['filter', 'nat', 'mangle', 'raw', 'security']) })
      const found: ReadTable[] = []
      for (const family of [4, 6] as const) {
        if ((filter.family ?? family) !== family) continue
        if (filter.backend !== 'nft') found.push(...((await readLegacy(scope, family)) ?? []))
        if (filter.backend !== 'legacy') found.push(...(await readNft(scope, family)))
      }
      return found.filter(({ name }) => filter.table === undefined || name === filter.table).map(plainTable)
    },

    /** The backends of which may not be known whether there are tables: 'legacy', where /proc/net/ip_tables_names cannot be read. */
    async unreadable(): Promise<IptablesBackend[]> {
      return (await legacyTableNames(scope, 4)) ? [] : ['legacy']
    },

    /**
     * What becomes of traffic in the tables of iptables at one hook: 'accept'; 'drop', with the rule or policy that does it; 'unknown', with the
     * rules that decide and could not be judged by what was said of the packet. What other tables of nftables do is not looked at.
     *
     * `verdict({ iif: 'br0', oif: 'br0', physicalIn: 'veth1', physicalOut: 'veth2', from: '10.0.1.2', to: '10.0.1.3', protocol: 'icmp' })`
     */
    async verdict(packet: IptablesPacket): Promise<IptablesVerdict> {
      const { family, source, target } = judged(packet)
      const legacyTables = await readLegacy(scope, family)
      const tables = [...(legacyTables ?? []), ...(await readNft(scope, family))]
      const asksTypes = tables.some(({ chains }) => chains.some(({ rules }) => rules.some(({ matches }) => matches.some(isAddressType))))
      const types = asksTypes ? await readAddressTypes(scope) : undefined
      return verdictOf(tables, packet, legacyTables ? [] : ['legacy'], {
        kindsOf: (side, link) => (link ? undefined : types?.(side === 'source' ? source : target, family)),
      })
    },

    /** Is there such a rule in every backend that has the chain? False if there is no such chain at all. */
    async check(rule: AcceptRule, options: AcceptOptions = {}): Promise<boolean> {
      checkOptions(options, { backend: isBackend })
      const checked = checkAccept(rule)
      const answers: boolean[] = []
      for (const backend of backends) {
        if ((options.backend ?? backend) !== backend) continue
        const answer = await halves[backend].check(scope, checked)
        if (answer !== undefined) answers.push(answer)
      }
      return answers.length > 0 && answers.every(Boolean)
    },

    /**
     * Puts a rule in front of a chain that lets packets through: `insertAccept({ in: 'br0' })` is `iptables -I FORWARD -i br0 -j ACCEPT`, in
     * each backend that has the chain, since an ACCEPT in one cannot override a DROP in the other. Gives where it was done. All other rules and
     * what they have counted stay as they are.
     *
     * Errors: ENOENT no such chain here, so nothing to let through; EPERM without CAP_NET_ADMIN.
     */
    insertAccept(rule: AcceptRule, options: AcceptOptions = {}): Promise<IptablesBackend[]> {
      return each('insert iptables rule', rule, options, (half, checked) => half.insert(scope, checked))
    },

    /** Takes such a rule away again, one in each backend that has it. Gives where there was one. */
    removeAccept(rule: AcceptRule, options: AcceptOptions = {}): Promise<IptablesBackend[]> {
      return each('remove iptables rule', rule, options, (half, checked) => half.remove(scope, checked))
    },
  }
}
