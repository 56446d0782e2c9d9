// Expressions of a rule as nft writes them.
import type { ElemExpression, Expression, MapExpression, PayloadExpression, SetExpression, SetMember } from './expression.js'
import type { LimitValue } from './statement.js'
import { partStyle, type Style, styleOf } from './text-style.js'
import { bytesText, quote, timeText } from './text-value.js'

type Compound = Exclude<Expression, string | number | boolean | readonly Expression[]>
type Styles = Style | readonly Style[]

/** A constant as it is written beside what it is compared with or becomes; an expression that is computed is written as itself. */
export function valueText(value: Expression, style: Styles): string {
  const own = partStyle(style, 0)
  if (typeof value === 'boolean') return value ? 'exists' : 'missing'
  if (typeof value === 'number') return numberText(value, own)
  if (typeof value === 'string') return stringText(value, own)
  if (Array.isArray(value)) return (value as readonly Expression[]).map(part => valueText(part, own)).join(',')
  const one = value as Compound
  if ('set' in one) return setText(one, style)
  if ('concat' in one) return one.concat.map((part, index) => valueText(part, partStyle(style, index))).join(' . ')
  if ('range' in one) return one.range.map(end => rangeEnd(end, own)).join('-')
  if ('prefix' in one) return `${valueText(one.prefix.addr, own)}/${one.prefix.len}`
  if ('elem' in one) return elementText(one, style)
  if ('map' in one) return mapText(one, own)
  return expressionText(value, own)
}

/** Ends of ranges are numbers without names, and times are in seconds. */
const rangeEnd = (end: Expression, style: Style) => (style.time && typeof end === 'number' ? `${end}s` : valueText(end, style))

function numberText(value: number, { digits, time }: Style): string {
  if (time) return timeText(value)
  return digits === undefined ? String(value) : `0x${value.toString(16).padStart(digits, '0')}`
}

/** A set's name, a wildcard and numbers that are too long for a number stand as they are. */
const stringText = (value: string, { quoted, index }: Style) =>
  quoted && !value.startsWith('@') && !(index && /^\d+$/.test(value)) ? quote(value) : value

/** `{ 22, 80-90 }`, or the mappings of a map. `style` is the keys', `dataStyle` that of what they lead to. */
export const setText = ({ set }: SetExpression, style: Styles, dataStyle: Styles = {}): string =>
  `{ ${set.map(member => memberText(member, style, dataStyle)).join(', ')} }`

/** One element, or the key and value of a mapping. */
export function memberText(member: SetMember, style: Styles, dataStyle: Styles): string {
  if (!isMapping(member)) return valueText(member, style)
  const [key, data] = member
  return `${valueText(key, style)} : ${verdictText(data) ?? valueText(data, dataStyle)}`
}
export const isMapping = (member: SetMember): member is readonly [Expression, Expression] => Array.isArray(member) && member.length === 2

function elementText({ elem }: ElemExpression, style: Styles): string {
  const parts = [valueText(elem.val, style)]
  if (elem.counter) parts.push(`counter packets ${elem.counter.packets} bytes ${elem.counter.bytes}`)
  else if (elem.counter === null) parts.push('counter')
  if (elem.limit) parts.push(limitText(elem.limit))
  if (elem.quota) parts.push(quotaText(elem.quota))
  if (elem['ct count']) parts.push(`ct count ${elem['ct count'].inv ? 'over ' : ''}${elem['ct count'].val}`)
  if (elem.last !== undefined) parts.push(lastText(elem.last))
  if (elem.timeout !== undefined) parts.push(`timeout ${timeText(elem.timeout)}`)
  if (elem.expires !== undefined) parts.push(`expires ${timeText(elem.expires)}`)
  if (elem.comment !== undefined) parts.push(`comment ${quote(elem.comment)}`)
  return parts.join(' ')
}

/** `limit rate over 10/second burst 5 packets`, without the word before 'rate' for objects. */
export function limitText(limit: LimitValue, word = 'limit '): string {
  const { rate, rate_unit: unit = 'packets', per = 'second', burst, burst_unit: burstUnit = 'bytes', inv } = limit
  const start = `${word}rate ${inv ? 'over ' : ''}${rate}`
  if (unit === 'packets') return `${start}/${per}${burst === undefined || burst === 0 || burst === 5 ? '' : ` burst ${burst} packets`}`
  return `${start} ${unit}/${per}${burst ? ` burst ${burst} ${burstUnit}` : ''}`
}
export function quotaText(quota: { val: number; val_unit?: string; used?: number; used_unit?: string; inv?: boolean }): string {
  const used = quota.used ? ` used ${quota.used} ${quota.used_unit ?? 'bytes'}` : ''
  return `quota ${quota.inv ? 'over ' : ''}${quota.val} ${quota.val_unit ?? 'bytes'}${used}`
}
export const quotaBytesText = (bytes: number, used: number | undefined, inv: boolean | undefined): string =>
  `${inv ? 'over ' : ''}${bytesText(bytes)}${used ? ` used ${bytesText(used)}` : ''}`
export const lastText = (last: { used?: number } | null): string =>
  `last used ${last?.used === undefined ? 'never' : timeText(last.used / 1000)}`

/** `tcp dport map { 80 : 8080 }` */
export function mapText({ map }: MapExpression, style: Styles, word = 'map'): string {
  const data = typeof map.data === 'string' ? map.data : setText(map.data, styleOf(map.key), style)
  return `${expressionText(map.key)} ${word} ${data}`
}

/** 'accept', 'jump chain' …; undefined for what is no verdict. */
export function verdictText(value: Expression): string | undefined {
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const one = value as Compound
  if ('jump' in one) return `jump ${one.jump.target}`
  if ('goto' in one) return `goto ${one.goto.target}`
  for (const word of ['accept', 'drop', 'continue', 'return'] as const) if (word in one) return word
  return undefined
}

const binding = { '<<': 1, '>>': 1, '&': 2, '^': 3, '|': 4 } as const

function binaryText(operator: keyof typeof binding, operands: readonly Expression[], style: Style): string {
  const side = (operand: Expression): string => {
    // A list of flags is one operand.
    if (Array.isArray(operand)) return `(${(operand as readonly Expression[]).map(part => valueText(part, style)).join(' | ')})`
    const inner = typeof operand === 'object' ? (Object.keys(operand)[0] as keyof typeof binding) : undefined
    const text = valueText(operand, operator === '<<' || operator === '>>' ? {} : style)
    return inner !== undefined && binding[inner] > binding[operator] ? `(${text})` : text
  }
  return operands.map(side).join(` ${operator} `)
}

/** Keys that stand without the word 'meta'. */
const bare: readonly string[] = ['iif', 'iifname', 'iifgroup', 'oif', 'oifname', 'oifgroup']

/** What a packet is asked for: 'ip saddr', 'meta mark & 0x000000ff'. */
export function expressionText(expression: Expression, style?: Style): string {
  if (typeof expression !== 'object' || Array.isArray(expression)) return valueText(expression, style ?? {})
  const one = expression as Compound
  if ('payload' in one) return payloadText(one)
  if ('meta' in one) return bare.includes(one.meta.key) ? one.meta.key : `meta ${one.meta.key}`
  if ('ct' in one) return ['ct', one.ct.dir, one.ct.family, one.ct.key].filter(Boolean).join(' ')
  if ('concat' in one) return one.concat.map(part => expressionText(part)).join(' . ')
  if ('exthdr' in one) return one.exthdr.field === undefined ? `exthdr ${one.exthdr.name}` : `${one.exthdr.name} ${one.exthdr.field}`
  if ('tcp option' in one) {
    const { 'tcp option': option } = one
    if ('base' in option) return `tcp option @${option.base},${option.offset},${option.len}`
    return ['tcp option', option.name, option.field].filter(Boolean).join(' ')
  }
  if ('ip option' in one) return ['ip option', one['ip option'].name, one['ip option'].field].filter(Boolean).join(' ')
  if ('sctp chunk' in one) return ['sctp chunk', one['sctp chunk'].name, one['sctp chunk'].field].filter(Boolean).join(' ')
  if ('dccp option' in one) return `dccp option ${one['dccp option'].type}`
  if ('rt' in one) return ['rt', one.rt.family, one.rt.key].filter(Boolean).join(' ')
  if ('fib' in one) return `fib ${[one.fib.flags].flat().join(' . ')} ${one.fib.result}`
  if ('socket' in one) return `socket ${one.socket.key}${one.socket.level === undefined ? '' : ` level ${one.socket.level}`}`
  if ('osf' in one) return ['osf', one.osf.ttl && `ttl ${one.osf.ttl}`, one.osf.key].filter(Boolean).join(' ')
  if ('ipsec' in one) {
    const { dir, spnum, family, key } = one.ipsec
    return ['ipsec', dir, spnum ? `spnum ${spnum}` : undefined, family, key].filter(Boolean).join(' ')
  }
  if ('numgen' in one) return `numgen ${one.numgen.mode} mod ${one.numgen.mod}${offsetText(one.numgen.offset)}`
  if ('symhash' in one) return `symhash mod ${one.symhash.mod}${offsetText(one.symhash.offset)}`
  if ('jhash' in one) {
    const { expr, mod, seed, offset } = one.jhash
    return `jhash ${expressionText(expr)} mod ${mod}${seed === undefined ? '' : ` seed 0x${seed.toString(16)}`}${offsetText(offset)}`
  }
  for (const operator of ['&', '|', '^', '<<', '>>'] as const)
    if (operator in one) {
      const operands = (one as unknown as Record<string, readonly Expression[]>)[operator] as readonly Expression[]
      return binaryText(operator, operands, style ?? partStyle(styleOf(expression), 0))
    }
  return verdictText(expression) ?? valueText(expression, style ?? {})
}

const offsetText = (offset: number | undefined) => (offset ? ` offset ${offset}` : '')

function payloadText({ payload }: PayloadExpression): string {
  return 'base' in payload ? `@${payload.base},${payload.offset},${payload.len}` : `${payload.protocol} ${payload.field}`
}
