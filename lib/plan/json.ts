// A plan as JSON and back: every step is said anew to a fresh plan, so that what comes from elsewhere is checked like what is written in a program.
import { argumentError, expectOnly, inside, shown } from '../codec/errors.js'
import { checkAt, checkOptions, isBoolean, isOneOf, isRead } from '../kernel/arguments.js'
import type { Ipv6Policy } from '../kernel/link-request.js'
import { checkNamespaceName } from '../namespace/names.js'
import type { NamespaceSource } from '../namespace/source.js'
import type { Action, Item, NamespaceItem, PlanData } from './items.js'
import { Recorder } from './record.js'
import { isVerb } from './record-verify.js'

/** Of the form below; raised when older readers would take a plan for something else than it is. */
const version = 1

/** What Plan.toJSON() gives: JSON.stringify takes it, Plan.fromJSON() reads it. */
export interface PlanJson {
  readonly netloom: typeof version
  readonly ipv6: Ipv6Policy
  readonly namespaces: readonly object[]
  readonly items: readonly object[]
}

type Fields = Readonly<Record<string, unknown>>

export function toJson({ ipv6, namespaces, items }: PlanData): PlanJson {
  return { netloom: version, ipv6, namespaces: namespaces.map(namespaceToJson), items: items.map(itemToJson) }
}

function namespaceToJson(item: NamespaceItem, number: number): object {
  if ('make' in item) return { make: item.make }
  if ('held' in item.use)
    throw argumentError(
      'ERR_NETLOOM_INVALID_PLAN',
      'this namespace has no name and no path by which somebody else could find it: a plan on it cannot be written as JSON',
      `namespaces[${number}]`,
    )
  return { use: item.use }
}

function itemToJson({ path: _, in: here, verb, ...args }: Item): object {
  return { in: here, verb, ...(written(args) as object) }
}

/** What JSON has no word for is an object with one field whose name begins with '$'. */
export function written(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (typeof value === 'bigint') return { $bigint: String(value) }
  if (value === Number.POSITIVE_INFINITY) return { $number: 'Infinity' }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(written)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, written(field)]))
}

/** No verb takes anything that lies deeper; what does would use up the stack of those who look through it. */
const deepest = 32

/** What written() wrote. */
export function read(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) throw invalid(`has more than ${deepest} levels`)
  if (Array.isArray(value)) return value.map((element, i) => within(`[${i}]`, () => read(element, depth + 1)))
  const fields = Object.entries(value)
  const [first] = fields
  if (first?.[0].startsWith('$')) return special(first[0], first[1], fields.length)
  // Not by assignment, to which '__proto__' would be a way to something else.
  return Object.fromEntries(fields.map(([name, field]) => [name, within(name, () => read(field, depth + 1))]))
}

function special(name: string, value: unknown, fields: number): unknown {
  if (fields === 1 && typeof value === 'string') {
    if (name === '$bytes' && /^[A-Za-z\d+/]*={0,2}$/.test(value)) return new Uint8Array(Buffer.from(value, 'base64'))
    if (name === '$bigint' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
    if (name === '$number' && value === 'Infinity') return Number.POSITIVE_INFINITY
  }
  throw invalid(`${name} is not a special value of a plan: { $bytes }, { $bigint } or { $number }`)
}

/** Reads a plan that somebody has written; throws for everything that is wrong with it, with the path in the JSON. */
export function fromJson(json: unknown): Recorder {
  const given = objectOf(json, 'a plan')
  if (given.netloom !== version)
    throw invalid(`${shown(given.netloom)} is not a version of plans that this netloom reads: ${version}`, 'netloom')
  checkOptions(given, { netloom: isRead, ipv6: isOneOf(['none', 'static', 'kernel']), namespaces: isRead, items: isRead })
  if (given.ipv6 === undefined) throw invalid('is missing', 'ipv6')
  const recorder = new Recorder(given.ipv6 as Ipv6Policy)
  const namespaces = arrayOf(given.namespaces, 'namespaces')
  for (const [number, one] of namespaces.entries()) checkAt(`namespaces[${number}]`, () => addNamespace(recorder, one))
  const made = new Map<number, boolean>()
  const known: Known = { namespaces: namespaces.length, isVeth: item => made.get(item) }
  for (const [number, one] of arrayOf(given.items, 'items').entries()) {
    const at = `items[${number}]`
    const { here, action } = checkAt(at, () => actionOf(one, known))
    recorder.add(here, action, at)
    if (action.verb === 'links.create') made.set(number, action.spec.kind === 'veth')
  }
  return recorder
}

function addNamespace(recorder: Recorder, json: unknown): void {
  const given = objectOf(json, 'a namespace')
  const [[way, value] = ['', undefined], ...others] = Object.entries(given)
  if (others.length || (way !== 'make' && way !== 'use')) throw invalid('is neither { make } nor { use }')
  within(way, () => {
    const item = objectOf(value, 'what to make or use')
    if (way === 'make') {
      checkOptions(item, { name: name => void checkNamespaceName(name), loopback: isBoolean })
      recorder.addNamespace({ make: item })
      return
    }
    if (Object.keys(item).length === 1 && item.current === true) recorder.addNamespace({ use: { current: true } })
    else {
      checkOptions(item, { name: isRead, path: isRead, pid: isRead })
      recorder.use(item as unknown as NamespaceSource)
    }
  })
}

interface Known {
  readonly namespaces: number
  /** undefined: no link is made by the step of that number. */
  isVeth(item: number): boolean | undefined
}

/** The field of a step that the arguments of the live call are in, if they are in one. */
const fieldOf: { readonly [V in Action['verb']]?: string } = {
  'links.create': 'spec',
  'links.update': 'change',
  'routes.add': 'route',
  'routes.replace': 'route',
  'routes.delete': 'route',
  'neighbours.add': 'entry',
  'neighbours.replace': 'entry',
  'neighbours.delete': 'entry',
  'rules.add': 'rule',
  'rules.delete': 'rule',
}
const address = ['link', 'cidr', 'options']
const fieldsOf: { readonly [V in Action['verb']]?: readonly string[] } = {
  'links.update': ['link', 'change'],
  'links.move': ['link', 'to', 'options'],
  'links.delete': ['link'],
  'addresses.add': address,
  'addresses.replace': address,
  'addresses.delete': address,
  'sysctl.set': ['key', 'value'],
}

function actionOf(json: unknown, known: Known): { here: number; action: Action } {
  const { in: here, verb, ...rest } = objectOf(json, 'a step')
  if (!isVerb(verb)) throw invalid(`${shown(verb)} is not a verb of plans`, 'verb')
  if (typeof here !== 'number' || !Number.isInteger(here) || here < 0 || here >= known.namespaces)
    throw invalid(`${shown(here)} is not the number of a namespace of the plan`, 'in')
  const allowed = fieldsOf[verb] ?? [fieldOf[verb] ?? '']
  expectOnly(rest, allowed, 'field')
  const args = read(rest) as Record<string, unknown>
  checkReferences(args, known)
  const field = fieldOf[verb]
  if (field !== undefined) within(field, () => checkReferences(objectOf(args[field], 'what the verb takes'), known))
  if (verb === 'links.move') {
    if (args.to === undefined) throw invalid('is missing', 'to')
    within('to', () => checkNamespace(args.to, known))
  }
  return { here, action: { verb, ...args } as unknown as Action }
}

/** That references lead somewhere; what else is wrong with the fields is found by the checks of the verbs. */
function checkReferences(given: Fields, known: Known): void {
  for (const name of ['link', 'master']) {
    const ref = given[name]
    if (typeof ref === 'object' && ref !== null) within(name, () => checkLink(ref as Fields, known))
  }
  if (given.namespace !== undefined) within('namespace', () => checkNamespace(given.namespace, known))
  if (typeof given.peer === 'object' && given.peer !== null) within('peer', () => checkReferences(given.peer as Fields, known))
  if (Array.isArray(given.nexthops))
    for (const [i, hop] of given.nexthops.entries()) within(`nexthops[${i}]`, () => checkReferences(objectOf(hop, 'a nexthop'), known))
}

function checkLink(ref: Fields, known: Known): void {
  checkOptions(ref, { planned: isOneOf(['link']), item: isRead, peer: isBoolean })
  const isVeth = ref.planned === 'link' && typeof ref.item === 'number' ? known.isVeth(ref.item) : undefined
  if (isVeth === undefined) throw invalid('no link is made by that step, or not before this one')
  if (ref.peer !== undefined && (ref.peer !== true || !isVeth)) throw invalid('only a veth has a peer', 'peer')
}

function checkNamespace(ref: unknown, known: Known): void {
  const given = objectOf(ref, 'a namespace')
  checkOptions(given, { planned: isOneOf(['namespace']), number: isRead })
  const { planned, number } = given
  if (planned !== 'namespace' || typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number >= known.namespaces)
    throw invalid('is not a namespace of the plan')
}

const invalid = (detail: string, path?: string) => argumentError('ERR_NETLOOM_INVALID_PLAN', detail, path)

function within<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw inside(error, name)
  }
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(`${what} is an object, and not ${shown(value)}`)
}

function arrayOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalid(`must be an array`, path)
}
