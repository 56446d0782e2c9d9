// What a plan keeps of a step: a copy of what the caller gave, with numbers in the place of links and namespaces.
import { argumentError } from '../codec/errors.js'
import type { NamespaceRef, PlanLinkRef } from './items.js'
import { meaningOf, type Place } from './record-meaning.js'

/** What stands for the links and namespaces of callers; throws for what is neither. */
export interface Resolver {
  link(given: unknown, path: string): PlanLinkRef | null
  namespace(given: unknown, path: string): NamespaceRef
}

/** The step with what stands for the caller's objects. The arguments of a call are not called by the names that they have in the step. */
export function refer<A extends object>(said: A, resolver: Resolver, path: string): { [P in keyof A]: unknown } {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(said)) {
    const meaning = meaningOf('step', name)
    if (meaning === 'link' || meaning === 'namespace') out[name] = resolver[meaning](value, `${path}.${name}`)
    else if (meaning === 'plain' || typeof meaning === 'function') {
      if (value !== undefined) out[name] = plain(value)
    } else out[name] = referred(value, meaning, resolver, path)
  }
  return out as { [P in keyof A]: unknown }
}

function referred(given: unknown, place: Place, resolver: Resolver, path: string): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'must be an object', path)
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const meaning = meaningOf(place, name)
    const at = `${path}.${name}`
    if (meaning === 'link' || meaning === 'namespace') out[name] = resolver[meaning](value, at)
    else if (meaning === 'list')
      out[name] = Array.isArray(value) ? value.map((one, i) => referred(one, 'refs', resolver, `${at}[${i}]`)) : value
    else out[name] = meaning === 'plain' || typeof meaning === 'function' ? plain(value) : referred(value, meaning, resolver, at)
  }
  return out
}

/** A deep copy of plain data, so that what the caller does with the object later changes nothing in the plan. */
export function plain<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain) as T
  if (value instanceof Uint8Array) return value.slice() as T
  const out: Record<string, unknown> = {}
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue
    const field: unknown = value[name]
    if (field !== undefined) out[name] = typeof field === 'object' ? plain(field) : field
  }
  return out as T
}
