// Chains as callers see them and as the kernel has them.
import type { Decoded, Encodable } from '../../codec/codec.js'
import { argumentError, shown } from '../../codec/errors.js'
import type { chain as chainTable } from '../../protocol/nftables/chain.js'
import { type Checks, checkOptions, conflict, isInteger, isList, isOneOf, isRead, isText, lacking, present } from '../arguments.js'
import { hookName, hookNumber, priorityNumber, publicFamily, wireFamily } from './family.js'
import type { ChainType, Policy } from './fields.js'
import type { ChainObject } from './objects.js'
import { asList, isComment, isFamily, isName, namedRefChecks, reference } from './references.js'
import { commentData, commentOf } from './userdata.js'

/** A chain to make; one that list() gave is one too. */
export type ChainSpec = Omit<ChainObject, 'prio'> & {
  /** A number, lower is earlier, or as nft has it: 'filter', 'dstnat + 10'. */
  readonly prio?: number | string
}
export interface ChainChange {
  /** What becomes of packets that no rule has decided about; of base chains. */
  readonly policy?: Policy
  /** Another name. */
  readonly name?: string
}
export type RawChain = Decoded<typeof chainTable>

const types = ['filter', 'nat', 'route'] as const satisfies readonly ChainType[]
const isDevice = isText(15)
const isHook = (value: unknown) => {
  if (typeof value !== 'string') throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(value)} is not the name of a hook`)
}
const checks: Checks<ChainSpec> = {
  family: isFamily,
  table: isName,
  name: isName,
  handle: isRead,
  comment: isComment,
  type: isOneOf(types),
  hook: isHook,
  prio: value => {
    if (typeof value !== 'string') isInteger(-0x8000_0000, 0x7fff_ffff)(value)
  },
  dev: value => (Array.isArray(value) ? isList(isDevice)(value) : isDevice(value)),
  policy: isOneOf(['accept', 'drop']),
}

/** The caller's name of a field of the message. */
export function chainField([first, second]: readonly string[]): string | undefined {
  if (first === 'hook') return second === 'priority' ? 'prio' : second?.startsWith('dev') ? 'dev' : 'hook'
  return first === 'userdata' ? 'comment' : first
}

export function chainMessage(chain: ChainSpec): Encodable<typeof chainTable> {
  reference(chain, namedRefChecks)
  checkOptions(chain, checks)
  const { family, table, name, type, hook, prio, dev, policy, comment } = chain
  const common = { family: wireFamily(family), table, name, ...present({ userdata: commentData(comment) }) }
  if (hook === undefined) {
    for (const field of ['type', 'prio', 'dev', 'policy'] as const)
      if (chain[field] !== undefined) throw lacking('hook', `a chain with ${field} is a base chain, which has a hook`)
    return common
  }
  const devices = asList(dev)
  const hooknum = hookNumber(family, hook)
  const byDevice = hook === 'ingress' || hook === 'egress'
  if (byDevice && devices.length === 0) throw lacking('dev', `a chain at ${hook} is one of a device`)
  if (!byDevice && devices.length > 0) throw conflict('dev', 'only chains at ingress and egress are those of a device')
  const priority = priorityNumber(family, hook, prio)
  return {
    ...common,
    type: type ?? 'filter',
    hook: { hooknum, priority, ...(devices.length > 1 ? { devs: devices } : present({ dev: devices[0] })) },
    ...present({ policy }),
  }
}

export function toChain(raw: RawChain): ChainObject {
  const family = publicFamily(raw.family)
  const { hook } = raw
  const devices = hook?.devs ?? asList(hook?.dev)
  return present({
    family,
    table: raw.table ?? '',
    name: raw.name ?? '',
    handle: raw.handle,
    comment: commentOf(raw.userdata),
    type: hook && (raw.type as ChainType | undefined),
    hook: hook && hookName(family, hook.hooknum ?? -1),
    prio: hook?.priority,
    dev: devices.length > 1 ? devices : devices[0],
    policy: raw.policy as Policy | undefined,
  }) as ChainObject
}
