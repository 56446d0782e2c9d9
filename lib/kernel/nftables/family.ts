// Names of families, hooks and priorities as nft has them, and the kernel's numbers for them.
import { argumentError, shown } from '../../codec/errors.js'
import type { netfilterFamilies } from '../../protocol/netfilter.js'
import { arpHooks, inetHooks, netdevHooks } from '../../protocol/nftables/chain.js'
import { conflict, lacking } from '../arguments.js'
import type { Family, Hook } from './fields.js'

type WireFamily = keyof typeof netfilterFamilies

const wireNames = { ip: 'ipv4', ip6: 'ipv6', inet: 'inet', arp: 'arp', bridge: 'bridge', netdev: 'netdev' } as const satisfies Record<
  Family,
  WireFamily
>
const publicNames = new Map<string | number, Family>(Object.entries(wireNames).map(([name, wire]) => [wire, name as Family]))

export const familyNames = Object.keys(wireNames) as Family[]

/** 'ip' → 'ipv4'; undefined is every family. */
export function wireFamily(family: Family | undefined): WireFamily {
  if (family === undefined) return 'unspec'
  if (typeof family !== 'string' || !Object.hasOwn(wireNames, family))
    throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(family)} is none of ${familyNames.join(', ')}`, 'family')
  return wireNames[family]
}
export const publicFamily = (wire: string | number): Family => publicNames.get(wire) ?? (String(wire) as Family)

const inet: Partial<Record<Hook, number>> = {
  prerouting: inetHooks.preRouting,
  input: inetHooks.localIn,
  forward: inetHooks.forward,
  output: inetHooks.localOut,
  postrouting: inetHooks.postRouting,
}
const hooks: Record<Family, Partial<Record<Hook, number>>> = {
  ip: inet,
  ip6: inet,
  bridge: inet,
  inet: { ...inet, ingress: inetHooks.ingress },
  arp: { input: arpHooks.in, output: arpHooks.out, forward: arpHooks.forward },
  netdev: { ingress: netdevHooks.ingress, egress: netdevHooks.egress },
}

export function hookNumber(family: Family, hook: Hook): number {
  const number = hooks[family][hook]
  if (number !== undefined) return number
  throw conflict('hook', `family ${family} has no hook ${shown(hook)}; it has ${Object.keys(hooks[family]).join(', ')}`)
}
export const hookName = (family: Family, number: number): Hook =>
  (Object.entries(hooks[family] ?? {}).find(([, value]) => value === number)?.[0] ?? String(number)) as Hook

/** The names that nft has for priorities, and the hooks that they are for. */
const priorities: Readonly<Record<string, { readonly value: number; readonly hooks?: readonly Hook[] }>> = {
  raw: { value: -300 },
  mangle: { value: -150 },
  dstnat: { value: -100, hooks: ['prerouting', 'output'] },
  filter: { value: 0 },
  security: { value: 50 },
  srcnat: { value: 100, hooks: ['postrouting', 'input'] },
}
const bridgePriorities: typeof priorities = {
  dstnat: { value: -300, hooks: ['prerouting'] },
  filter: { value: -200 },
  out: { value: 100, hooks: ['output'] },
  srcnat: { value: 300, hooks: ['postrouting'] },
}
const onlyFilter: typeof priorities = { filter: { value: 0 } }

/** -300, 'filter', 'dstnat + 10' as a number. */
export function priorityNumber(family: Family, hook: Hook, priority: number | string | undefined): number {
  if (priority === undefined) throw lacking('prio', "a base chain has a priority: a number, or a name such as 'filter'")
  if (typeof priority === 'number') return priority
  if (typeof priority !== 'string')
    throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(priority)} is neither a number nor the name of a priority`, 'prio')
  const names = family === 'bridge' ? bridgePriorities : family === 'arp' || family === 'netdev' ? onlyFilter : priorities
  const [, name = '', sign, distance = '0'] = /^([a-z]+)\s*(?:([+-])\s*(\d+))?$/.exec(priority.trim()) ?? []
  if (/^-?\d+$/.test(priority)) return Number(priority)
  const known = Object.hasOwn(names, name) ? names[name] : undefined
  if (!known)
    throw argumentError(
      'ERR_NETLOOM_UNKNOWN_NAME',
      `${shown(priority)} is no priority of family ${family}: a number, or one of ${Object.keys(names).join(', ')} with + or - a number`,
      'prio',
    )
  if (known.hooks && !known.hooks.includes(hook))
    throw conflict('prio', `${name} is a priority for ${known.hooks.join(' and ')}, not for ${hook}`)
  return known.value + (sign === '-' ? -1 : 1) * Number(distance)
}
