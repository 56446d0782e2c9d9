// How callers name things of a rule set: by family, table and name, as the objects that they read have them; and the checks of these names.
import { argumentError, shown } from '../../codec/errors.js'
import { type Check, type Checks, checkOptions, isOneOf, isSignal } from '../arguments.js'
import { familyNames } from './family.js'
import type { Family } from './fields.js'

export interface TableRef {
  readonly family: Family
  readonly name: string
}
/** A chain, set, map, counter … by its table and name. */
export interface NamedRef {
  readonly family: Family
  readonly table: string
  readonly name: string
}
export interface ChainRef {
  readonly family: Family
  readonly table: string
  readonly chain: string
}
export interface RuleRef extends ChainRef {
  readonly handle: number
}
/** Which objects; all of them by default. */
export interface TableFilter {
  readonly family?: Family
  readonly signal?: AbortSignal
}
export interface ObjectFilter extends TableFilter {
  readonly table?: string
}

/** NFT_NAME_MAXLEN less the final NUL, linux/netfilter/nf_tables.h. */
const longestName = 255
export const isName: Check = value => {
  if (typeof value !== 'string' || value === '' || value.includes('\0') || Buffer.byteLength(value) > longestName)
    throw argumentError('ERR_NETLOOM_INVALID_NAME', `${shown(value)} is not a name of 1 to ${longestName} bytes`)
}
export const isFamily = isOneOf(familyNames)
export const isComment: Check = value => {
  if (typeof value !== 'string') throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(value)} is not a text`)
}

export const tableRefChecks: Checks<TableRef> = { family: isFamily, name: isName }
export const namedRefChecks: Checks<NamedRef> = { family: isFamily, table: isName, name: isName }
export const chainRefChecks: Checks<ChainRef> = { family: isFamily, table: isName, chain: isName }
const tableFilterChecks: Checks<TableFilter> = { family: isFamily, signal: isSignal }
export const objectFilterChecks: Checks<ObjectFilter> = { ...tableFilterChecks, table: isName }

export const checkTableFilter = (filter: TableFilter) => checkOptions(filter, tableFilterChecks)
export const checkObjectFilter = (filter: ObjectFilter) => checkOptions(filter, objectFilterChecks)

/** The fields of a reference, of an object that may have more: what list() gave names a thing as well. */
export function reference<T extends object>(ref: T, checks: Checks<T>): T {
  if (typeof ref !== 'object' || ref === null) throw argumentError('ERR_NETLOOM_INVALID_OBJECT', `${shown(ref)} is not an object`)
  const picked = Object.fromEntries(Object.keys(checks).map(name => [name, ref[name as keyof T]]))
  for (const [name, value] of Object.entries(picked))
    if (value === undefined) throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'must be given', name)
  checkOptions(picked as T, checks)
  return picked as T
}

export const tableText = ({ family, name }: TableRef) => `${family} ${name}`
export const namedText = ({ family, table, name }: NamedRef) => `${family} ${table} ${name}`
export const chainText = ({ family, table, chain }: ChainRef) => `${family} ${table} ${chain}`
export const asList = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]
