// Whether a step is right because one like it was: thousands of steps of a plan differ in names, MACs, addresses and destinations only.
import type { Action } from './items.js'

type Fields = Record<string, unknown>

/**
 * True for a step that is as right as one that has been verified, because it differs only in links and namespaces of the plan and in values that
 * are looked at here. False says nothing: then it has to be verified itself.
 */
export function likeVerified(action: Action, verified: Action): boolean {
  const one = action as unknown as Fields
  const other = verified as unknown as Fields
  let count = 0
  for (const name in one) {
    const a = one[name]
    const b = other[name]
    if (b === undefined && a !== undefined) return false
    count++
    if (a === b) continue
    if (name === 'cidr') {
      if (!isIpv4Host(a) || !isIpv4Host(b)) return false
    } else if (!like(a, b, name === 'spec' ? 'end' : name === 'route' ? 'route' : undefined)) return false
  }
  // Those of a step that has been written down.
  for (const name in other) if (name !== 'in' && name !== 'path') count--
  return count === 0
}

/** About the end of a link, whose name and MAC stand for themselves, or about a route, whose destination does. */
function like(a: unknown, b: unknown, about: 'end' | 'route' | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const one = a as Fields
  const other = b as Fields
  // Where they lead was looked at before.
  if (one.planned !== undefined) return one.planned === other.planned
  let count = 0
  for (const name in one) {
    const x = one[name]
    const y = other[name]
    count++
    if (x === y && (x !== undefined || name in other)) continue
    const isFree = about && free[about][name]
    if (isFree ? !(isFree(x) && isFree(y)) : !like(x, y, about === 'end' && name === 'peer' ? 'end' : undefined)) return false
  }
  for (const _ in other) count--
  return count === 0
}

/** Of the names that a link may have, those that nobody has to think about. */
const isPlainName = (value: unknown): boolean => typeof value === 'string' && /^[a-z0-9_-][\w.-]{0,14}$/i.test(value)
const isMac = (value: unknown): boolean => typeof value === 'string' && value.length === 17 && /^[\da-f]{2}(?::[\da-f]{2}){5}$/i.test(value)

/** What may differ, and what it must look like on both sides. */
const free: Readonly<Record<'end' | 'route', Readonly<Record<string, (value: unknown) => boolean>>>> = {
  end: { name: isPlainName, mac: isMac },
  route: { to: isIpv4Network },
}

const cidr = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\/([1-9]|[12]\d|30)$/
/** An IPv4 address with the length of its prefix, and not that of the network itself. */
function isIpv4Host(value: unknown): boolean {
  const match = typeof value === 'string' ? cidr.exec(value) : null
  const address = match && numberOf(match)
  return address != null && address % 2 ** (32 - Number(match![5])) !== 0
}

const network = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(?:\/([1-9]|[12]\d|3[012]))?$/
/** An IPv4 prefix without bits beyond it, or a single address. */
function isIpv4Network(value: unknown): boolean {
  const match = typeof value === 'string' ? network.exec(value) : null
  const address = match && numberOf(match)
  return address != null && (match![5] === undefined || address % 2 ** (32 - Number(match![5])) === 0)
}

function numberOf(match: RegExpExecArray): number | undefined {
  let address = 0
  for (let i = 1; i <= 4; i++) {
    const part = Number(match[i])
    if (part > 255) return undefined
    address = address * 256 + part
  }
  return address
}
