// Expressions that do something with a packet or its connection: log, reject, queue, dynset, objref and others (linux/netfilter/nf_tables.h).
import { bits, countBe, oneOf, string, u8, u16be, u32be } from '../../../codec/scalars.js'
import { attributes, by, list } from '../../../codec/table.js'
import { connlimit, counter, last, limit, quota } from './stateful.js'

/** NFT_LOGLEVEL_ */
export const logLevels = { emerg: 0, alert: 1, crit: 2, err: 3, warning: 4, notice: 5, info: 6, debug: 7, audit: 8 } as const
/** NF_LOG_, as numbers of bits (linux/netfilter/nf_log.h). */
export const logFlags = { tcpseq: 0, tcpopt: 1, ipopt: 2, uid: 3, nflog: 4, macdecode: 5 } as const
export const log = attributes('NFTA_LOG', {
  /** Of nfnetlink_log; without one the kernel's own log. */
  group: [1, u16be],
  prefix: [2, string],
  /** Most bytes of the packet to be copied. */
  snaplen: [3, u32be],
  /** Packets that the kernel collects before it sends them. */
  qthreshold: [4, u16be],
  level: [5, oneOf(u32be, logLevels)],
  flags: [6, bits(u32be, logFlags)],
})

/** NFT_REJECT_ */
export const rejectTypes = { icmpUnreach: 0, tcpRst: 1, icmpxUnreach: 2 } as const
export const reject = attributes('NFTA_REJECT', { type: [1, oneOf(u32be, rejectTypes)], icmpCode: [2, u8] })

/** NFT_QUEUE_FLAG_, as numbers of bits. */
export const queueFlags = { bypass: 0, cpuFanout: 1 } as const
export const queue = attributes('NFTA_QUEUE', {
  num: [1, u16be],
  /** Queues from `num` on that share the packets. */
  total: [2, u16be],
  flags: [3, bits(u16be, queueFlags)],
  sregQnum: [4, u32be],
})

/** NFT_SYNPROXY: NF_SYNPROXY_OPT_, as numbers of bits (linux/netfilter/nf_synproxy.h). */
export const synproxyOptions = { mss: 0, wscale: 1, sackPerm: 2, timestamp: 3, ecn: 4 } as const
export const synproxy = attributes('NFTA_SYNPROXY', { mss: [1, u16be], wscale: [2, u8], flags: [3, bits(u32be, synproxyOptions)] })

/** No connection tracking for the packet. */
export const notrack = attributes('NFTA_NOTRACK', {})

export const flowOffload = attributes('NFTA_FLOW', { tableName: [1, string] })

/** The object by its name, or by a map from a register. The numbers of types are `objectTypes`. */
export const objref = attributes('NFTA_OBJREF', {
  immType: [1, u32be],
  immName: [2, string],
  setSreg: [3, u32be],
  setName: [4, string],
  /** The map, if it is of the same batch. */
  setId: [5, u32be],
})

/** NFT_DYNSET_OP_ */
export const dynsetOps = { add: 0, update: 1, delete: 2 } as const
/** NFT_DYNSET_F_, as numbers of bits. */
export const dynsetFlags = { inv: 0, expr: 1 } as const
/** What an element can have: expressions that keep something. */
export const statefulExpression = attributes('NFTA_EXPR', {
  name: [1, string],
  data: [2, by('name', { counter, quota, limit, connlimit, last })],
})
export const dynset = attributes('NFTA_DYNSET', {
  setName: [1, string],
  /** The set, if it is of the same batch. */
  setId: [2, u32be],
  op: [3, oneOf(u32be, dynsetOps)],
  sregKey: [4, u32be],
  sregData: [5, u32be],
  /** Milliseconds. */
  timeout: [6, countBe],
  expr: [7, statefulExpression],
  flags: [9, bits(u32be, dynsetFlags)],
  /** Several: kernel ≥ 5.11. */
  expressions: [10, list(1, statefulExpression, 'NFTA_LIST_ELEM')],
})
