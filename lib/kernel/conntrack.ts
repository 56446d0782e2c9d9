// The verbs on connections that the kernel remembers in one namespace: list, get, create, update, delete, flush, count, watch.
import { argumentError } from '../codec/errors.js'
import {
  conntrackMessages,
  conntrackStats,
  conntrackStatsCpu,
  conntrack as conntrackTable,
  expectation,
  expectMessages,
} from '../protocol/conntrack.js'
import { requestFlags } from '../protocol/netlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import { checkOptions, isSignal, present } from './arguments.js'
import { type ConntrackChanges, type ConntrackCreate, changed, created } from './conntrack-change.js'
import { deleteEach, deleteFiltered, deletionOf, takesFilters } from './conntrack-delete.js'
import { type ConntrackFilter, type ConntrackListFilter, prepare } from './conntrack-filter.js'
import {
  type ConntrackEntry,
  type ConntrackExpectation,
  type ConntrackMessage,
  type ConntrackTuple,
  describeConntrack,
  named,
  toConntrack,
  toExpectation,
} from './conntrack-object.js'
import { type ConntrackEvent, type ConntrackWatchOptions, watchConntrack } from './conntrack-watch.js'
import { iterateAll, type Listing, listAll } from './listing.js'
import type { Scope } from './scope.js'

/** What one processor has counted since the namespace was made. */
export interface ConntrackCpuStatistics {
  readonly cpu: number
  readonly found: number
  readonly invalid: number
  readonly insert: number
  readonly insertFailed: number
  readonly drop: number
  readonly earlyDrop: number
  readonly error: number
  readonly searchRestart: number
  readonly clashResolve: number
  readonly chainTooLong: number
}
export interface ConntrackStatistics {
  /** Connections that are remembered now. */
  readonly entries: number
  /** How many may be (net.netfilter.nf_conntrack_max); new ones are dropped beyond that. */
  readonly maxEntries?: number
  readonly cpus: readonly ConntrackCpuStatistics[]
}

const reply = { type: conntrackMessages.new, codec: conntrackTable }
const hints = {
  ENOENT: 'there is no such connection, or no longer',
  EEXIST: 'there is a connection with these packets already: update() changes it',
  EINVAL: 'if everything is refused, this kernel lacks nf_conntrack_netlink',
  EPERM: 'connections can be read and changed with CAP_NET_ADMIN only: run as root, or in a user namespace of your own',
} as const

/** The caller's name of a field of the message. */
function field([first, second, third]: readonly string[]): string | undefined {
  if (first === 'tupleOrig' || first === 'tupleReply') {
    const names: Readonly<Record<string, string>> = { srcPort: 'sourcePort', dstPort: 'destinationPort', num: 'protocol' }
    if (second === 'ip') return third?.endsWith('Src') ? 'source' : 'destination'
    return third && (names[third] ?? third)
  }
  return first
}

export function conntrackVerbs(scope: Scope) {
  const context = (operation: string, subject?: string): Context => ({ operation, subject, namespace: scope.label, hints, field })

  function listing(filter: ConntrackListFilter): Listing<typeof conntrackTable, typeof conntrackTable, ConntrackEntry> {
    const { requests, matches } = prepare(filter)
    return {
      requests: requests.map(value => ({
        type: conntrackMessages.get,
        codec: conntrackTable,
        value,
        context: context('list connections'),
        signal: filter.signal,
      })),
      reply,
      // Older kernels pass over parts of the filter, and what they find besides is left out here.
      choose: raw => {
        const entry = toConntrack(raw)
        return matches(entry) ? entry : undefined
      },
      netfilter: true,
    }
  }

  async function look(which: ConntrackEntry | ConntrackTuple, operation: string): Promise<ConntrackEntry> {
    const { id, ...value } = named(which)
    const subject = describeConntrack(which)
    const connection = await scope.netfilter()
    const raw = await connection.get(
      { type: conntrackMessages.get, codec: conntrackTable, value, context: context(operation, subject) },
      reply,
    )
    if (id !== undefined && raw.id !== id)
      throw new NetloomError('ENOENT', {
        ...context(operation, subject),
        reason: 'there is another connection with these packets by now',
        hint: '',
      })
    return toConntrack(raw)
  }

  async function change(type: number, flags: number, value: ConntrackMessage, what: Context): Promise<void> {
    const connection = await scope.netfilter()
    await connection.request({ type, flags, codec: conntrackTable, value, context: what })
  }

  return {
    /**
     * The connections that fit, or all: `list({ protocol: 'udp', originalDestinationPort: 8080 })`. The kernel chooses as far as it can
     * (addresses, protocol, ports, mark: kernel ≥ 5.8), the rest is left out here.
     *
     * Errors: EPERM without CAP_NET_ADMIN.
     */
    async list(filter: ConntrackListFilter = {}): Promise<ConntrackEntry[]> {
      return listAll(scope, listing(filter))
    },

    /** As list(), one by one and in bounded memory: the kernel waits for the reader. Connections that come and go meanwhile may be missed. */
    iterate(filter: ConntrackListFilter = {}): AsyncIterableIterator<ConntrackEntry, void> {
      return iterateAll(scope, async () => listing(filter))
    },

    /** The connection that packets like this belong to, in either direction. Throws ENOENT if there is none. */
    get(which: ConntrackTuple | ConntrackEntry): Promise<ConntrackEntry> {
      return look(which, 'get connection')
    },

    /** As get(), but undefined if there is none. */
    async find(which: ConntrackTuple | ConntrackEntry): Promise<ConntrackEntry | undefined> {
      try {
        return await look(which, 'find connection')
      } catch (error) {
        if (error instanceof NetloomError && error.code === 'ENOENT') return undefined
        throw error
      }
    },

    /**
     * Makes the kernel remember a connection of which no packet has come, for `timeout` seconds. Throws EEXIST if there is one.
     */
    async create(connection: ConntrackCreate): Promise<void> {
      const flags = requestFlags.create | requestFlags.exclusive
      return change(conntrackMessages.new, flags, created(connection), context('create connection', describeConntrack(connection)))
    },

    /** Changes the mark, the seconds that are left or the status of a connection. Throws ENOENT if there is none. */
    async update(which: ConntrackTuple | ConntrackEntry, changes: ConntrackChanges): Promise<void> {
      const checked = changed(which, changes)
      // The kernel takes the word of all status bits or none.
      const current = changes.status === undefined ? undefined : await look(which, 'update connection')
      const value = current ? changed(which, changes, current.status) : checked
      return change(conntrackMessages.new, 0, value, context('update connection', describeConntrack(which)))
    },

    /**
     * Makes the kernel forget one connection: the next packet of it is looked at by all rules anew. An entry that list() gave is deleted only if it
     * is still that one. Throws ENOENT if there is none.
     */
    async delete(which: ConntrackTuple | ConntrackEntry): Promise<void> {
      return change(conntrackMessages.delete, 0, deletionOf(which), context('delete connection', describeConntrack(which)))
    },

    /**
     * Makes the kernel forget all connections that fit: after a published port has gone,
     * `deleteMatching({ protocol: 'udp', originalDestinationPort: 8080 })`. That there are none is no error. The filter must say something.
     *
     * In one message where the kernel takes filters (≥ 6.8), else by a list and a deletion of each by all of its tuple and its number.
     */
    async deleteMatching(filter: ConntrackFilter): Promise<void> {
      const prepared = prepare(filter)
      if (prepared.empty)
        throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'an empty filter would mean all connections, which flush() is for', 'filter')
      const connection = await scope.netfilter()
      const what = context('delete connections')
      if (prepared.exact && (await takesFilters(connection, what))) await deleteFiltered(connection, prepared.requests, what)
      else await deleteEach(connection, await listAll(scope, listing(filter)), what)
    },

    /** Makes the kernel forget every connection of this namespace. */
    async flush(): Promise<void> {
      return change(conntrackMessages.delete, 0, { family: 'unspec' }, context('flush connections'))
    },

    /** How many connections there are, and what each processor has counted. */
    async statistics(): Promise<ConntrackStatistics> {
      const connection = await scope.netfilter()
      const about = context('read connection statistics')
      const total = await connection.get(
        { type: conntrackMessages.getStats, codec: conntrackStats, value: { family: 'unspec' }, context: about },
        { type: conntrackMessages.getStats, codec: conntrackStats },
      )
      const cpus = await connection.dump(
        { type: conntrackMessages.getStatsCpu, codec: conntrackStatsCpu, value: { family: 'unspec' }, context: about },
        { type: conntrackMessages.getStatsCpu, codec: conntrackStatsCpu },
        ({ resId, ...raw }): ConntrackCpuStatistics => ({
          cpu: resId,
          found: raw.found ?? 0,
          invalid: raw.invalid ?? 0,
          insert: raw.insert ?? 0,
          insertFailed: raw.insertFailed ?? 0,
          drop: raw.drop ?? 0,
          earlyDrop: raw.earlyDrop ?? 0,
          error: raw.error ?? 0,
          searchRestart: raw.searchRestart ?? 0,
          clashResolve: raw.clashResolve ?? 0,
          chainTooLong: raw.chainToolong ?? 0,
        }),
      )
      return { entries: total.entries ?? 0, ...present({ maxEntries: total.maxEntries }), cpus: [...cpus] }
    },

    /** Connections that are expected because of others: the data connections of FTP and the like. */
    async expectations(options: { readonly signal?: AbortSignal } = {}): Promise<ConntrackExpectation[]> {
      checkOptions(options, { signal: isSignal })
      const connection = await scope.netfilter()
      const request = {
        type: expectMessages.get,
        codec: expectation,
        value: { family: 'unspec' as const },
        context: context('list expectations'),
        signal: options.signal,
      }
      return [...(await connection.dump(request, { type: expectMessages.new, codec: expectation }, toExpectation))]
    },

    /**
     * Connections as they come, change and go. Begins with 'ready'; 'lost' tells that events were dropped because they were not read in time.
     * Leave the loop, or use `signal`, to end it. Where net.netfilter.nf_conntrack_events is 2 (the default since kernel 5.19), nothing is told of
     * connections that were there before somebody watched.
     */
    watch(options: ConntrackWatchOptions = {}): AsyncGenerator<ConntrackEvent, void> {
      return watchConntrack(scope, options)
    },
  }
}
