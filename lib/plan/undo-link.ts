// How a link was before a plan changed or moved it, as plain data, and making it so again.
import { addressVerbs } from '../kernel/addresses.js'
import type { Link } from '../kernel/link-object.js'
import type { Ipv6Policy, LinkChange } from '../kernel/link-request.js'
import { linkVerbs } from '../kernel/links.js'
import { routeVerbs } from '../kernel/routes.js'
import { type Scope, sourceOf } from '../kernel/scope.js'
import { getSysctl } from '../namespace/sysctl.js'
import { NetloomError } from '../socket/error.js'
import { addresses, difference, type Entry, routes } from './undo-before.js'

/** Everything that a change touches, with the addresses and routes that going down would cost. */
export interface LinkBefore {
  readonly old: Link
  readonly change: LinkChange
  readonly addresses: readonly Entry<typeof addressVerbs>[]
  readonly routes: readonly Entry<typeof routeVerbs>[]
  readonly ipv6?: Ipv6Policy | undefined
}

export async function linkBefore(scope: Scope, index: number, change: LinkChange): Promise<LinkBefore> {
  const old = await linkVerbs(scope).get(index)
  const kept = (await addressVerbs(scope).list()).filter(one => one.link === index)
  const ways = (await routeVerbs(scope).list({ table: 'all' })).filter(one => one.link === index && one.protocol !== 'kernel')
  const ipv6 = change.ipv6 === undefined ? undefined : await policyBefore(scope, old.name, index)
  return { old, change, addresses: kept, routes: ways, ipv6 }
}

/** Restores what the change touched; `at`: its index now, `only`: some of the fields. */
export async function restoreLink(
  there: Scope,
  { old, change, addresses: kept, routes: ways, ipv6 }: LinkBefore,
  at: number = old.index,
  only: readonly string[] = Object.keys(change),
): Promise<void> {
  const fields: Record<string, unknown> = {}
  const values: Record<string, unknown> = { ...old, alias: old.alias ?? '', master: old.master ?? null, ipv6 }
  for (const name of only) {
    if (name === 'port' || name === 'options') fields[name] = picked(values[name], (change as Record<string, unknown>)[name])
    else if (values[name] !== undefined) fields[name] = values[name]
  }
  if (fields.port === undefined) delete fields.port
  await linkVerbs(there).update(at, fields as LinkChange)
  const moved = <T extends object>(entry: T): T => ({ ...entry, link: at })
  for (const address of difference(kept.map(moved), await addresses.list(there), addresses)) await addresses.add(there, address)
  for (const route of difference(ways.map(moved), await routes.list(there), routes)) await routes.add(there, route)
}

/** Brings home a link that was moved under that name, if it was; then what the move cost is restored. */
export async function moveBack(target: Scope, home: Scope, name: string, before: LinkBefore): Promise<void> {
  const { old } = before
  const find = async (scope: Scope, as: string) => {
    const found = await linkVerbs(scope).find(as)
    return found && found.mac === old.mac && found.kind === old.kind ? found : undefined
  }
  const away = (await find(target, name)) ?? (await find(target, old.name))
  if (away) await linkVerbs(target).move(away.index, sourceOf(home), { name: old.name })
  const there = await find(home, old.name)
  if (there) await restoreLink(home, before, there.index)
}

export async function policyBefore(scope: Scope, name: string, index: number): Promise<Ipv6Policy | undefined> {
  try {
    if ((await getSysctl(scope, `net/ipv6/conf/${name}/disable_ipv6`)) === '1') return 'none'
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENOENT') return undefined
    throw error
  }
  const { afSpec } = await scope.getLink(index)
  return afSpec?.inet6?.addrGenMode === 'none' ? 'static' : 'kernel'
}

export function picked(from: unknown, names: unknown): Record<string, unknown> | undefined {
  if (typeof from !== 'object' || from === null || typeof names !== 'object' || names === null) return undefined
  const source = from as Record<string, unknown>
  return Object.fromEntries(Object.keys(names).flatMap(name => (source[name] === undefined ? [] : [[name, source[name]]])))
}
