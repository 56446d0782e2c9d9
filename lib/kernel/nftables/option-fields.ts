// Fields of IPv6 extension headers, TCP and IPv4 options and SCTP chunks: number of the header, and where the fields lie in it.
import type { DataTypeName } from './datatypes.js'
import type { HeaderField } from './payload-fields.js'

export interface OptionHeader {
  readonly type: number
  readonly fields: Readonly<Record<string, HeaderField>>
}
type Headers = Readonly<Record<string, OptionHeader>>
const word = (offset: number, bits: number, type: DataTypeName = 'integer'): HeaderField => [offset, bits, type]

/** 'addr[2]': the second of several addresses. */
const numbered = (name: string, count: number): Readonly<Record<string, HeaderField>> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}[${i + 1}]`, word(64 + 128 * i, 128, 'ipv6_addr')]))
const lengthed = { nexthdr: word(0, 8, 'inet_proto'), hdrlength: word(8, 8) }

export const extensionHeaders: Headers = {
  hbh: { type: 0, fields: lengthed },
  rt: { type: 43, fields: { ...lengthed, type: word(16, 8), 'seg-left': word(24, 8) } },
  // Before those whose addresses lie at the same place: nft reads them by this name.
  srh: { type: 43, fields: { 'last-entry': word(32, 8), flags: word(40, 8), tag: word(48, 16), ...numbered('sid', 127) } },
  rt0: { type: 43, fields: numbered('addr', 127) },
  rt2: { type: 43, fields: { addr: word(64, 128, 'ipv6_addr') } },
  frag: {
    type: 44,
    fields: {
      nexthdr: word(0, 8, 'inet_proto'),
      reserved: word(8, 8),
      'frag-off': word(16, 13),
      reserved2: word(29, 2),
      'more-fragments': word(31, 1),
      id: word(32, 32),
    },
  },
  dst: { type: 60, fields: lengthed },
  mh: { type: 135, fields: { ...lengthed, type: word(16, 8, 'mh_type'), reserved: word(24, 8), checksum: word(32, 16) } },
}

const kind = { kind: word(0, 8) }
const option = { ...kind, length: word(8, 8) }
const sack = (n: number) => ({ left: word(16 + 64 * n, 32), right: word(48 + 64 * n, 32) })
export const tcpOptions: Headers = {
  eol: { type: 0, fields: kind },
  nop: { type: 1, fields: kind },
  maxseg: { type: 2, fields: { ...option, size: word(16, 16) } },
  window: { type: 3, fields: { ...option, count: word(16, 8) } },
  'sack-perm': { type: 4, fields: option },
  sack: { type: 5, fields: { ...option, ...sack(0) } },
  sack0: { type: 5, fields: { ...option, ...sack(0) } },
  sack1: { type: 5, fields: sack(1) },
  sack2: { type: 5, fields: sack(2) },
  sack3: { type: 5, fields: sack(3) },
  timestamp: { type: 8, fields: { ...option, tsval: word(16, 32), tsecr: word(48, 32) } },
  md5sig: { type: 19, fields: option },
  mptcp: { type: 30, fields: { ...option, subtype: word(16, 4) } },
  fastopen: { type: 34, fields: option },
}

const ipOption = { type: word(0, 8), length: word(8, 8) }
const route = { ...ipOption, ptr: word(16, 8), addr: word(24, 32) }
export const ipOptions: Headers = {
  rr: { type: 7, fields: route },
  lsrr: { type: 131, fields: route },
  ssrr: { type: 137, fields: route },
  ra: { type: 148, fields: { ...ipOption, value: word(16, 16) } },
}

const chunk = { type: word(0, 8), flags: word(8, 8), length: word(16, 16) }
const init = {
  ...chunk,
  'init-tag': word(32, 32),
  'a-rwnd': word(64, 32),
  'num-outbound-streams': word(96, 16),
  'num-inbound-streams': word(112, 16),
  'initial-tsn': word(128, 32),
}
const one = (name: string) => ({ ...chunk, [name]: word(32, 32) })
export const sctpChunks: Headers = {
  data: { type: 0, fields: { ...chunk, tsn: word(32, 32), stream: word(64, 16), ssn: word(80, 16), ppid: word(96, 32) } },
  init: { type: 1, fields: init },
  'init-ack': { type: 2, fields: init },
  sack: {
    type: 3,
    fields: {
      ...chunk,
      'cum-tsn-ack': word(32, 32),
      'a-rwnd': word(64, 32),
      'num-gap-ack-blocks': word(96, 16),
      'num-dup-tsns': word(112, 16),
    },
  },
  heartbeat: { type: 4, fields: chunk },
  'heartbeat-ack': { type: 5, fields: chunk },
  abort: { type: 6, fields: chunk },
  shutdown: { type: 7, fields: one('cum-tsn-ack') },
  'shutdown-ack': { type: 8, fields: chunk },
  error: { type: 9, fields: chunk },
  'cookie-echo': { type: 10, fields: chunk },
  'cookie-ack': { type: 11, fields: chunk },
  ecne: { type: 12, fields: one('lowest-tsn') },
  cwr: { type: 13, fields: one('lowest-tsn') },
  'shutdown-complete': { type: 14, fields: chunk },
  'asconf-ack': { type: 128, fields: one('seqno') },
  'forward-tsn': { type: 192, fields: one('new-cum-tsn') },
  asconf: { type: 193, fields: one('seqno') },
}
