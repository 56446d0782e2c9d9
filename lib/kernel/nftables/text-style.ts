// How nft writes the values of a field: names in quotes, marks in hexadecimal, times in hours and minutes.
import type { Expression } from './expression.js'
import type { SetKeyType } from './objects.js'

export interface Style {
  /** Text stands in quotation marks. */
  readonly quoted?: boolean
  /** Text of digits is a number, as of a link that is gone. */
  readonly index?: boolean
  /** Numbers are hexadecimal, with that many digits at least. */
  readonly digits?: number
  /** Numbers are seconds, and written as '1h30m'. */
  readonly time?: boolean
  /** Bits: several of them are joined, and '==' is written. */
  readonly flags?: boolean
}

const plain: Style = {}
const quoted: Style = { quoted: true }
const index: Style = { quoted: true, index: true }
const mark: Style = { digits: 8 }

const byType: Readonly<Record<string, Style>> = {
  string: quoted,
  ifname: quoted,
  iface_index: index,
  devgroup: quoted,
  cgroupsv2: quoted,
  ct_label: quoted,
  time_date: quoted,
  time_hour: quoted,
  time_day: quoted,
  hour: quoted,
  day: quoted,
  time: { time: true },
  mark,
  ether_type: { digits: 4 },
  arp_op: { digits: 4 },
  dscp: { digits: 2 },
  tcp_flag: { digits: 2, flags: true },
  ct_state: { digits: 8, flags: true },
  ct_status: { digits: 8, flags: true },
  ct_event: { digits: 8, flags: true },
  // Kinds of objects that a map can give.
  counter: quoted,
  quota: quoted,
  limit: quoted,
  secmark: quoted,
  synproxy: quoted,
  'ct helper': quoted,
  'ct timeout': quoted,
  'ct expectation': quoted,
}
const meta: Readonly<Record<string, Style>> = {
  mark,
  protocol: { digits: 4 },
  iif: index,
  iifname: quoted,
  iifkind: quoted,
  iifgroup: quoted,
  oif: index,
  oifname: quoted,
  oifkind: quoted,
  oifgroup: quoted,
  ibrname: quoted,
  obrname: quoted,
  ibrvproto: { digits: 4 },
  sdif: index,
  sdifname: quoted,
  time: quoted,
  day: quoted,
  hour: quoted,
}
const ct: Readonly<Record<string, Style>> = {
  mark,
  state: byType.ct_state as Style,
  status: byType.ct_status as Style,
  event: byType.ct_event as Style,
  label: { quoted: true, flags: true },
  helper: quoted,
  expiration: { time: true },
}
const payload: Readonly<Record<string, Style>> = {
  'tcp flags': byType.tcp_flag as Style,
  'ether type': { digits: 4 },
  'vlan type': { digits: 4 },
  'arp ptype': { digits: 4 },
  'arp operation': { digits: 4 },
  'ip dscp': { digits: 2 },
  'ip6 dscp': { digits: 2 },
}
const socket: Readonly<Record<string, Style>> = { mark, cgroupv2: quoted }

const has = <K extends string>(value: object, key: K): value is Record<K, never> => Object.hasOwn(value, key)

/** How values that stand beside an expression are written; one style per part of a concatenation. */
export function styleOf(expression: Expression): Style | readonly Style[] {
  if (typeof expression !== 'object' || Array.isArray(expression)) return plain
  const one = expression as Exclude<Expression, string | number | boolean | readonly Expression[]>
  if ('concat' in one) return one.concat.map(part => styleOf(part) as Style)
  if ('meta' in one) return meta[one.meta.key] ?? plain
  if ('ct' in one) return ct[one.ct.key] ?? plain
  if ('payload' in one) {
    const { payload: field } = one
    return 'base' in field ? { digits: 1 } : (payload[`${field.protocol} ${field.field}`] ?? plain)
  }
  if ('socket' in one) return socket[one.socket.key] ?? plain
  if ('fib' in one) return one.fib.result === 'type' ? plain : one.fib.result === 'oif' ? index : quoted
  if ('osf' in one) return quoted
  if ('elem' in one) return styleOf(one.elem.val)
  for (const operator of ['&', '|', '^', '<<', '>>'] as const)
    if (has(one, operator)) return styleOf((one[operator] as Expression[])[0] as Expression)
  return plain
}

/** How elements of a set of that type are written; one style per part of a concatenation. */
export function styleOfType(type: SetKeyType): Style | readonly Style[] {
  if (typeof type === 'object' && 'typeof' in type) return styleOf(type.typeof)
  const names = typeof type === 'string' ? type.split(/\s*\.\s*/) : type
  const styles = names.map(name => byType[name] ?? plain)
  return styles.length === 1 ? (styles[0] as Style) : styles
}

/** The style of one part of a key. */
export const partStyle = (style: Style | readonly Style[], part: number): Style =>
  Array.isArray(style) ? ((style as readonly Style[])[part] ?? plain) : (style as Style)
