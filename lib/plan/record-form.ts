// Steps like one that was verified: thousands of a plan differ only in what stands for itself (names, MACs, addresses, destinations) and in what they refer to.
import type { LinkItemRef } from './items.js'
import { type Meaning, meaningOf, type Place } from './record-meaning.js'
import type { Resolver } from './record-refer.js'

type Fields = Record<string, unknown>

/** What an object must look like to be as right as the one that it was made from. */
export interface Form {
  readonly isArray: boolean
  /** Fields that are there and undefined, which no plan keeps. */
  readonly drops: boolean
  readonly rules: readonly Rule[]
}

interface Rule {
  readonly name: string
  readonly is: 'same' | 'free' | 'link' | 'namespace' | 'object'
  /** What was verified: the value, or what stands for the link; no object of the caller's. */
  readonly value: unknown
  readonly test: ((value: unknown) => boolean) | undefined
  readonly form: Form | undefined
}

/** The form of what the caller gave; `referred` is what the plan has of it, which was found right. */
export function formOf(given: object, referred: object, place: Place = 'step'): Form {
  const names = Object.keys(given)
  const rules = names.map(name => ruleOf(name, (given as Fields)[name], (referred as Fields)[name], meaningOf(place, name)))
  return { isArray: Array.isArray(given), drops: names.some(name => (given as Fields)[name] === undefined), rules }
}

function ruleOf(name: string, given: unknown, referred: unknown, meaning: Meaning): Rule {
  const rule: Rule = { name, is: 'same', value: given, test: undefined, form: undefined }
  if (typeof meaning === 'function' && meaning(given)) return { ...rule, is: 'free', test: meaning }
  if (typeof given !== 'object' || given === null) return rule
  // Copied as they are, not field by field.
  if (ArrayBuffer.isView(given)) return { ...rule, is: 'free', value: undefined, test: () => false }
  if (meaning === 'link' || meaning === 'namespace') return { ...rule, is: meaning, value: referred }
  return {
    ...rule,
    is: 'object',
    value: undefined,
    form: formOf(given, referred as object, typeof meaning === 'function' ? 'plain' : meaning),
  }
}

/**
 * What the plan keeps of a step that has the form, as right as the one that was verified. Undefined, or an error of the resolver's, says nothing
 * of it: then it has to be verified itself.
 */
export function readForm(form: Form, given: unknown, resolver: Resolver): object | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given) !== form.isArray) return undefined
  const { rules } = form
  if (Object.keys(given).length !== rules.length) return undefined
  const out = (form.isArray ? [...(given as unknown[])] : { ...given }) as Fields
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]!
    const { name, is } = rule
    const value = out[name]
    if (is === 'same') {
      if (value !== rule.value || (value === undefined && !(name in out))) return undefined
    } else if (is === 'free') {
      if (!rule.test!(value)) return undefined
    } else if (is === 'object') {
      const inner = readForm(rule.form!, value, resolver)
      if (inner === undefined) return undefined
      out[name] = inner
    } else if (is === 'link') {
      const ref = resolver.link(value, '')
      if (ref !== rule.value && !(isItem(ref) && isItem(rule.value))) return undefined
      out[name] = ref
    } else out[name] = resolver.namespace(value, '')
  }
  return form.drops ? Object.fromEntries(Object.entries(out).filter(([, value]) => value !== undefined)) : out
}

const isItem = (ref: unknown): ref is LinkItemRef => typeof ref === 'object' && ref !== null
