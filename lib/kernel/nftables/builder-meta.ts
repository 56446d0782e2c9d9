// What is known of a packet besides its bytes, in the rule language: `meta.mark(1)`, `ct.state('new')`, `fib('daddr').type('local')`.
import { type AnyField, address, type Computed, type Field, field, flagsField, ports } from './builder-field.js'
import type { EtherType, Port, ProtocolName } from './builder-headers.js'
import type { ctEventNames, dayNames, fibTypeNames, hardwareNames, nfprotoNames, packetTypeNames } from './datatype-names.js'
import type { Expression } from './expression.js'
import type { AddressFamily, CtDirection, CtKey, CtState, CtStatus, FibFlag, MetaKey } from './fields.js'
import type { CtCountStatement, CtExpectationStatement, CtHelperStatement, CtTimeoutStatement, SecmarkStatement } from './statement.js'

type Names<T> = keyof T | number
const of = <V>(key: MetaKey) => field<V>({ meta: { key } })

export const iif = of<string | number>('iif')
export const iifname = of<string>('iifname')
export const iifgroup = of<string | number>('iifgroup')
export const oif = of<string | number>('oif')
export const oifname = of<string>('oifname')
export const oifgroup = of<string | number>('oifgroup')

/** A secmark object is given by its name. */
type Secmark = Omit<Field<string>, 'set'> & { set(value: string | Computed): SecmarkStatement }

export const meta = {
  iif,
  iifname,
  iifgroup,
  oif,
  oifname,
  oifgroup,
  length: of<number>('length'),
  protocol: of<EtherType>('protocol'),
  priority: of<string | number>('priority'),
  random: of<number>('random'),
  mark: of<number>('mark'),
  iiftype: of<Names<typeof hardwareNames>>('iiftype'),
  iifkind: of<string>('iifkind'),
  oiftype: of<Names<typeof hardwareNames>>('oiftype'),
  oifkind: of<string>('oifkind'),
  skuid: of<number>('skuid'),
  skgid: of<number>('skgid'),
  nftrace: of<number>('nftrace'),
  rtclassid: of<string | number>('rtclassid'),
  ibrname: of<string>('ibrname'),
  obrname: of<string>('obrname'),
  ibrpvid: of<number>('ibrpvid'),
  ibrvproto: of<EtherType>('ibrvproto'),
  pkttype: of<Names<typeof packetTypeNames>>('pkttype'),
  cpu: of<number>('cpu'),
  cgroup: of<number>('cgroup'),
  nfproto: of<Names<typeof nfprotoNames>>('nfproto'),
  l4proto: of<ProtocolName>('l4proto'),
  ipsec: of<boolean>('ipsec'),
  secmark: field(
    { meta: { key: 'secmark' } },
    {
      assign: value => (typeof value === 'string' ? { secmark: value } : { mangle: { key: { meta: { key: 'secmark' } }, value } }),
    },
  ) as unknown as Secmark,
  sdif: of<string | number>('sdif'),
  sdifname: of<string>('sdifname'),
  /** '2026-01-31 12:00:00', in the machine's time zone. */
  time: of<string>('time'),
  day: of<Names<typeof dayNames>>('day'),
  /** '17:30' or '17:30:05'. */
  hour: of<string>('hour'),
  broute: of<number>('broute'),
}

const conn = <V>(key: CtKey, dir?: CtDirection, parse?: typeof address) =>
  field<V>({ ct: dir === undefined ? { key } : { key, dir } }, parse === undefined ? {} : { parse })
const counted = (dir?: CtDirection) => ({
  bytes: conn<number>('bytes', dir),
  packets: conn<number>('packets', dir),
  avgpkt: conn<number>('avgpkt', dir),
  zone: conn<number>('zone', dir),
})
/** What differs between the two directions of a connection. */
const direction = (dir: CtDirection) => ({
  ...counted(dir),
  l3proto: conn<Names<typeof nfprotoNames>>('l3proto', dir),
  protocol: conn<ProtocolName>('protocol', dir),
  /** In a table of one family. */
  saddr: conn<string>('saddr', dir, address),
  daddr: conn<string>('daddr', dir, address),
  ip: { saddr: conn<string>('ip saddr', dir, address), daddr: conn<string>('ip daddr', dir, address) },
  ip6: { saddr: conn<string>('ip6 saddr', dir, address), daddr: conn<string>('ip6 daddr', dir, address) },
  protoSrc: conn<Port>('proto-src', dir, ports),
  protoDst: conn<Port>('proto-dst', dir, ports),
})
type Assigned<F, S> = Omit<F, 'set'> & { set(value: string | Computed): S }

export const ct = {
  ...counted(),
  state: flagsField<CtState>({ ct: { key: 'state' } }),
  status: flagsField<CtStatus>({ ct: { key: 'status' } }),
  event: flagsField<keyof typeof ctEventNames & string>({ ct: { key: 'event' } }),
  direction: conn<CtDirection>('direction'),
  mark: conn<number>('mark'),
  /** Seconds. */
  expiration: conn<number>('expiration'),
  label: flagsField<number | string>({ ct: { key: 'label' } }),
  id: conn<number>('id'),
  l3proto: conn<Names<typeof nfprotoNames>>('l3proto'),
  protocol: conn<ProtocolName>('protocol'),
  secmark: conn<number | string>('secmark'),
  original: direction('original'),
  reply: direction('reply'),
  /** Matches the name of the helper; `set` assigns a `ct helper` object. */
  helper: field({ ct: { key: 'helper' } }, { assign: value => ({ 'ct helper': value }) }) as unknown as Assigned<
    Field<string>,
    CtHelperStatement
  >,
  timeout: { set: (name: string): CtTimeoutStatement => ({ 'ct timeout': name }) },
  expectation: { set: (name: string): CtExpectationStatement => ({ 'ct expectation': name }) },
  /** Holds while there are no more connections than that, or with `over` when there are more. */
  count: (connections: number, { over = false }: { over?: boolean } = {}): CtCountStatement => ({
    'ct count': { val: connections, ...(over ? { inv: true } : {}) },
  }),
}

/** What routing says about an address of the packet: `fib('daddr').type('local')`, `fib('saddr', 'iif').oif(missing)`. */
export const fib = (...flags: readonly [FibFlag, ...FibFlag[]]) => ({
  type: field<Names<typeof fibTypeNames>>({ fib: { result: 'type', flags } }),
  oif: field<string | number | boolean>({ fib: { result: 'oif', flags } }),
  oifname: field<string | boolean>({ fib: { result: 'oifname', flags } }),
})
/** With `exists` and `missing` options, extension headers and routes are asked for. */
export const exists = true
export const missing = false

export const rt = {
  mtu: field<number>({ rt: { key: 'mtu' } }),
  classid: field<string | number>({ rt: { key: 'classid' } }),
  ipsec: field<boolean>({ rt: { key: 'ipsec' } }),
  nexthop: field<string>({ rt: { key: 'nexthop' } }, { parse: address }),
  ip: { nexthop: field<string>({ rt: { key: 'nexthop', family: 'ip' } }, { parse: address }) },
  ip6: { nexthop: field<string>({ rt: { key: 'nexthop', family: 'ip6' } }, { parse: address }) },
}
export const socket = {
  transparent: field<number>({ socket: { key: 'transparent' } }),
  mark: field<number>({ socket: { key: 'mark' } }),
  wildcard: field<number>({ socket: { key: 'wildcard' } }),
  cgroupv2: (level: number): Field<string> => field({ socket: { key: 'cgroupv2', level } }),
}
/** The operating system that a SYN looks like. */
export const osf = (ttl?: 'loose' | 'skip') => {
  const more = ttl === undefined ? {} : { ttl }
  return { name: field<string>({ osf: { key: 'name', ...more } }), version: field<string>({ osf: { key: 'version', ...more } }) }
}
/** The IPsec state that a packet came, or goes, through. */
export const ipsec = (dir: 'in' | 'out', { family, spnum = 0 }: { family?: AddressFamily; spnum?: number } = {}) => {
  const of = <V>(key: 'saddr' | 'daddr' | 'spi' | 'reqid', parse?: typeof address) =>
    field<V>({ ipsec: { key, ...(family === undefined || !parse ? {} : { family }), dir, spnum } }, parse ? { parse } : {})
  return { saddr: of<string>('saddr', address), daddr: of<string>('daddr', address), spi: of<number>('spi'), reqid: of<number>('reqid') }
}

export interface HashOptions {
  readonly mod: number
  readonly seed?: number
  readonly offset?: number
}
/** Numbers in turn, or at random: `numgen('inc', { mod: 2 }).map([[0, '10.0.0.1'], [1, '10.0.0.2']])`. */
export const numgen = (mode: 'inc' | 'random', { mod, offset = 0 }: Omit<HashOptions, 'seed'>): Field<number> =>
  field({ numgen: { mode, mod, offset } })
/** A number by hash of fields. */
export const jhash = (of: AnyField, { mod, seed, offset }: HashOptions): Field<number> =>
  field({
    jhash: { mod, ...(seed === undefined ? {} : { seed }), ...(offset === undefined ? {} : { offset }), expr: of.expression },
  } as Expression)
/** A number by the packet's symmetric flow hash. */
export const symhash = ({ mod, offset }: Omit<HashOptions, 'seed'>): Field<number> =>
  field({ symhash: offset === undefined ? { mod } : { mod, offset } })
