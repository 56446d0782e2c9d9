// Source text of the rule language beside what it evaluates to, so that nothing is written that would mean something else.
import { nft } from './builders.js'
import type { Expression } from './expression.js'

/** A piece of source and its value. */
export interface Term {
  readonly code: string
  readonly value: unknown
}

const word = /^[A-Za-z_$][\w$]*$/
const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}'`

/** A value as a literal of JavaScript. */
export function literal(value: unknown): Term {
  if (typeof value === 'string') return { code: quoted(value), value }
  if (Array.isArray(value)) return { code: `[${value.map(part => literal(part).code).join(', ')}]`, value }
  if (typeof value !== 'object' || value === null) return { code: String(value), value }
  const entries = Object.entries(value).map(([key, one]) => `${word.test(key) ? key : quoted(key)}: ${literal(one).code}`)
  return { code: entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}', value }
}
/** A list, or an object, of terms. */
export const listOf = (terms: readonly Term[]): Term => ({
  code: `[${terms.map(({ code }) => code).join(', ')}]`,
  value: terms.map(({ value }) => value),
})
export function objectOf(fields: Readonly<Record<string, Term | undefined>>): Term {
  const there = Object.entries(fields).filter((entry): entry is [string, Term] => entry[1] !== undefined)
  return {
    code: `{ ${there.map(([key, { code }]) => `${word.test(key) ? key : quoted(key)}: ${code}`).join(', ')} }`,
    value: Object.fromEntries(there.map(([key, { value }]) => [key, value])),
  }
}
/** A word of the language. */
export const say = (name: keyof typeof nft): Term => ({
  code: name === 'return' || name === 'continue' ? `nft.${name}` : name,
  value: nft[name],
})
export const member = (of: Term, name: string): Term => ({ code: `${of.code}.${name}`, value: (of.value as Record<string, unknown>)[name] })
export function call(what: Term, ...args: readonly Term[]): Term {
  const value = (what.value as (...args: unknown[]) => unknown)(...args.map(arg => arg.value))
  return { code: `${what.code}(${args.map(({ code }) => code).join(', ')})`, value }
}

let known: Map<string, Term> | undefined
/** Fields that have a name of their own, by what they ask for. */
function named(): Map<string, Term> {
  if (known) return known
  known = new Map()
  const walk = (term: Term) => {
    const { value } = term
    const { expression } = (value ?? {}) as { expression?: Expression }
    if (expression !== undefined) {
      const key = JSON.stringify(expression)
      if (!known?.has(key)) known?.set(key, term)
    } else if (typeof value === 'object' && value !== null && term.code.split('.').length <= 4)
      for (const name of Object.keys(value)) walk(member(term, name))
  }
  for (const name of Object.keys(nft) as (keyof typeof nft)[]) walk(say(name))
  return known
}
export const namedField = (expression: Expression): Term | undefined => named().get(JSON.stringify(expression))
