// The verbs on the ARP and neighbour tables of one namespace: add, replace, delete, list.
import type { Decoded, Encodable } from '../codec/codec.js'
import { ipFamily } from '../codec/ip.js'
import { neighbourStates, neighbour as neighbourTable } from '../protocol/neighbour.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { Context } from '../socket/request.js'
import {
  type Checks,
  checkOptions,
  conflict,
  isAddress,
  isBoolean,
  isFamily,
  isLink,
  isList,
  isMac,
  isOneOf,
  isRead,
  isSignal,
  lacking,
  present,
} from './arguments.js'
import { blaming } from './blame.js'
import { indexAt } from './link-index.js'
import { iterateAll, type Listing, listAll } from './listing.js'
import { type LinkRef, nameOf, type Scope } from './scope.js'

/** An entry to add, replace or delete; one that list() gave is one too. */
export interface NeighbourSpec {
  readonly address: string
  /** Left out for addresses that are answered for (`proxy`). */
  readonly mac?: string
  readonly link: LinkRef
  /** 'permanent' by default; 'noarp', 'reachable', 'stale', 'delay', 'probe', 'incomplete', 'failed', 'none'. */
  readonly state?: string
  /** Answer for this address on the link, in place of a host elsewhere. */
  readonly proxy?: boolean
  /** IPv6: it is a router. */
  readonly router?: boolean
  /** As read; not sent. */
  readonly flags?: readonly string[]
  /** As read; not sent. */
  readonly family?: 4 | 6
}

/** Who has an address on a link. */
export interface Neighbour {
  readonly address: string
  readonly family: 4 | 6
  readonly mac?: string
  /** ifindex */
  readonly link: number
  /** 'reachable', 'stale', 'delay', 'probe', 'incomplete', 'failed', 'noarp', 'permanent' or 'none'. */
  readonly state: string
  /** This host answers for the address. */
  readonly proxy?: boolean
  readonly router?: boolean
  /** 'extLearned', 'offloaded', 'managed' … */
  readonly flags: readonly string[]
}
export interface NeighbourFilter {
  readonly link?: LinkRef
  readonly family?: 4 | 6
  readonly signal?: AbortSignal
}

export type NeighbourMessage = Encodable<typeof neighbourTable>
type RawNeighbour = Decoded<typeof neighbourTable>

const stateNames = [...Object.keys(neighbourStates), 'none']
const checks: Checks<NeighbourSpec> = {
  address: isAddress,
  mac: isMac(),
  link: isLink,
  state: isOneOf(stateNames),
  proxy: isBoolean,
  router: isBoolean,
  flags: isList(isRead),
  family: isFamily,
}
const reply = { type: rtm.newNeigh, codec: neighbourTable }
export const neighbourHints = {
  EEXIST: 'there is such an entry already: replace() changes it',
  ENOENT: 'there is no such entry',
  ENXIO: 'there is no such entry',
  ENODEV: 'links.list() says which links there are',
  EINVAL: 'an entry of this state needs a mac, of the length that the link has',
  EOPNOTSUPP: 'the link has no table of this family',
} as const

/** The message for an entry, less the link's index; `deleting` sends only what tells it from others. */
export function neighbourMessage(spec: NeighbourSpec, deleting = false): NeighbourMessage {
  checkOptions(spec, checks)
  const { address, mac, state, proxy, router, family } = spec
  if (address === undefined) throw lacking('address', 'say whose entry is meant')
  if (spec.link === undefined) throw lacking('link', 'say on which link')
  const found = ipFamily(address)
  if (family !== undefined && family !== found) throw conflict('family', `${address} is IPv${found}`)
  const header = { family: found === 4 ? ('inet' as const) : ('inet6' as const), dst: address }
  if (deleting) return { ...header, ...(proxy ? { flags: ['proxy'] } : {}) }
  if (router && found === 4) throw conflict('router', 'IPv4 entries do not say whether the neighbour is a router')
  if (proxy) {
    if (mac !== undefined) throw conflict('mac', 'for a proxy entry this host answers, with its own')
    if (state !== undefined && state !== 'none') throw conflict('state', 'a proxy entry has no state')
    return { ...header, flags: ['proxy', ...(router ? (['router'] as const) : [])] }
  }
  return present({
    ...header,
    state: state === 'none' ? [] : [(state ?? 'permanent') as keyof typeof neighbourStates],
    flags: router ? (['router'] as const) : undefined,
    lladdr: mac,
  }) as NeighbourMessage
}

/** The caller's name of a field of the message. */
export function neighbourField([first]: readonly string[]): string | undefined {
  if (first === 'dst') return 'address'
  if (first === 'lladdr') return 'mac'
  return first === 'index' ? 'link' : first
}

/** Said by a field of its own. */
const own: readonly string[] = ['proxy', 'router']

/** IPv4 or IPv6: the same messages carry the MAC tables of bridges. */
export const isNeighbour = (raw: RawNeighbour): boolean => raw.family === 'inet' || raw.family === 'inet6'

/** An entry as callers see it. */
export function toNeighbour(raw: RawNeighbour): Neighbour {
  const flags: readonly string[] = [...raw.flags, ...(raw.flagsExt ?? [])]
  return {
    address: raw.dst ?? '',
    family: raw.family === 'inet' ? 4 : 6,
    ...present({ mac: raw.lladdr || undefined }),
    link: raw.index,
    state: raw.state[0] ?? 'none',
    ...present({ proxy: flags.includes('proxy') || undefined, router: flags.includes('router') || undefined }),
    flags: flags.filter(flag => !own.includes(flag)),
  }
}

export function neighbourVerbs(scope: Scope) {
  async function change(operation: string, type: number, flags: number, spec: NeighbourSpec): Promise<void> {
    const value = neighbourMessage(spec, type === rtm.delNeigh)
    const context: Context = {
      operation,
      subject: `${spec.address} on ${nameOf(spec.link)}`,
      namespace: scope.label,
      field: neighbourField,
      hints: neighbourHints,
    }
    const index = await indexAt(scope, spec.link, context, 'link')
    const connection = await scope.connection()
    const request = connection.request({ type, flags, codec: neighbourTable, value: { ...value, index }, context })
    await blaming(request, [
      [/ENODEV/, 'link'],
      [/link.*address/i, 'mac'],
    ])
  }

  async function listing(filter: NeighbourFilter): Promise<Listing<typeof neighbourTable, typeof neighbourTable, Neighbour>> {
    checkOptions(filter, { link: isLink, family: isFamily, signal: isSignal })
    const { link, family, signal } = filter
    const context: Context = { operation: 'list neighbours', namespace: scope.label, hints: neighbourHints, field: () => 'link' }
    const index = link === undefined ? undefined : await indexAt(scope, link, context, 'link')
    const wanted = family === undefined ? ('unspec' as const) : family === 4 ? ('inet' as const) : ('inet6' as const)
    const request = (flags: readonly 'proxy'[]) => {
      const value = present({ family: wanted, flags, ifindex: index }) as NeighbourMessage
      return { type: rtm.getNeigh, codec: neighbourTable, value, context, signal }
    }
    return {
      requests: [request([]), request(['proxy'])],
      reply,
      choose: raw =>
        isNeighbour(raw) && (index === undefined || raw.index === index) && (family === undefined || raw.family === wanted)
          ? toNeighbour(raw)
          : undefined,
    }
  }

  return {
    /**
     * Adds an entry, by default a permanent one: `add({ address: '10.0.1.9', mac: '02:00:00:00:00:09', link: 'eth0' })`.
     *
     * Errors: EEXIST there is one, ENODEV no such link, EPERM without CAP_NET_ADMIN.
     */
    add(entry: NeighbourSpec): Promise<void> {
      return change('add neighbour', rtm.newNeigh, requestFlags.create | requestFlags.exclusive, entry)
    },

    /** As add, and changes the MAC and the state of an entry that is there already. */
    replace(entry: NeighbourSpec): Promise<void> {
      return change('replace neighbour', rtm.newNeigh, requestFlags.create | requestFlags.replace, entry)
    },

    /** Removes the entry of an address on a link; throws ENOENT if there is none. What packets have taught comes back with the next ones. */
    delete(entry: NeighbourSpec): Promise<void> {
      return change('delete neighbour', rtm.delNeigh, 0, entry)
    },

    /**
     * The entries of a link, or of all, those included that need no resolution ('noarp', which `ip neighbour` shows with `nud all`),
     * then the proxy entries.
     */
    async list(filter: NeighbourFilter = {}): Promise<Neighbour[]> {
      return listAll(scope, await listing(filter))
    },

    /** As list(), one by one and in bounded memory: the kernel waits for the reader. Entries that come and go meanwhile may be missed. */
    iterate(filter: NeighbourFilter = {}): AsyncIterableIterator<Neighbour, void> {
      return iterateAll(scope, () => listing(filter))
    },
  }
}
