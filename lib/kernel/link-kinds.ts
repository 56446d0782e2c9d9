// What the public API calls the options of each kind of link, where that differs from the kernel's word, and which of them must or cannot be given.
import type { By, Decoded, Encodable, Fields, Flat } from '../codec/codec.js'
import { argumentError } from '../codec/errors.js'
import type { linkInfo } from '../protocol/link.js'

type Choices = (typeof linkInfo)['entries']['data'][1] extends By<string, infer M extends Fields> ? M : never
/** Every kind of link that has a table in lib/protocol/kinds. */
export type Kind = keyof Choices & string
type PortTable = (typeof linkInfo)['entries']['slaveData'][1] extends By<string, infer M extends Fields> ? M['bridge'] : never

export interface Rule {
  /** Public name → the kernel's, where they differ. All others are the kernel's constant in camelCase. */
  readonly names?: Readonly<Record<string, string>>
  /** Public name → the kernel's attribute for an IPv6 address, which the same option carries. */
  readonly ipv6?: Readonly<Record<string, string>>
  /** The kernel reports these and does not take them (public names). */
  readonly readOnly?: readonly string[]
  readonly required?: readonly string[]
  /** Sits on another device, given as `link`: always, or when it is wanted. */
  readonly lower?: 'required' | 'optional'
}

export const rules = {
  veth: {},
  dummy: {},
  ifb: {},
  tun: {},
  bridge: {
    names: {
      stp: 'stpState',
      multicastSnooping: 'mcastSnooping',
      multicastRouter: 'mcastRouter',
      multicastQuerier: 'mcastQuerier',
      multicastQueryUseIfaddr: 'mcastQueryUseIfaddr',
      multicastHashElasticity: 'mcastHashElasticity',
      multicastHashMax: 'mcastHashMax',
      multicastLastMemberCount: 'mcastLastMemberCnt',
      multicastLastMemberInterval: 'mcastLastMemberIntvl',
      multicastStartupQueryCount: 'mcastStartupQueryCnt',
      multicastStartupQueryInterval: 'mcastStartupQueryIntvl',
      multicastMembershipInterval: 'mcastMembershipIntvl',
      multicastQuerierInterval: 'mcastQuerierIntvl',
      multicastQueryInterval: 'mcastQueryIntvl',
      multicastQueryResponseInterval: 'mcastQueryResponseIntvl',
      multicastIgmpVersion: 'mcastIgmpVersion',
      multicastMldVersion: 'mcastMldVersion',
      multicastStatistics: 'mcastStatsEnabled',
      vlanStatistics: 'vlanStatsEnabled',
      vlanStatisticsPerPort: 'vlanStatsPerPort',
      groupForwardMask: 'groupFwdMask',
      groupAddress: 'groupAddr',
    },
    readOnly: [
      'rootId',
      'bridgeId',
      'rootPort',
      'rootPathCost',
      'topologyChange',
      'topologyChangeDetected',
      'helloTimer',
      'tcnTimer',
      'topologyChangeTimer',
      'gcTimer',
      'mcastQuerierState',
      'fdbNLearned',
    ],
  },
  vxlan: { required: ['id'], ipv6: { group: 'group6', local: 'local6' }, lower: 'optional' },
  macvlan: { lower: 'required' },
  macvtap: { lower: 'required' },
  vlan: { required: ['id'], lower: 'required' },
} as const satisfies Record<Kind, Rule>

/** A port of a bridge: `bridge link` has these words. */
export const portRule = {
  names: {
    hairpin: 'mode',
    rootGuard: 'protect',
    fastLeave: 'fastLeave',
    flood: 'unicastFlood',
    multicastFlood: 'mcastFlood',
    broadcastFlood: 'bcastFlood',
    multicastToUnicast: 'mcastToUcast',
    neighbourSuppression: 'neighSuppress',
    number: 'no',
  },
  readOnly: [
    'number',
    'designatedPort',
    'designatedCost',
    'id',
    'rootId',
    'bridgeId',
    'topologyChangeAck',
    'configPending',
    'messageAgeTimer',
    'forwardDelayTimer',
    'holdTimer',
    'mcastNGroups',
    'mcastEhtHostsCnt',
  ],
} as const satisfies Rule

type Rules = typeof rules
type NamesOf<R> = R extends { names: infer N } ? N : Record<never, never>
type ReadOnlyOf<R> = R extends { readOnly: readonly (infer N)[] } ? N : never
type RequiredOf<R> = R extends { required: readonly (infer N)[] } ? N : never
type Ipv6Of<R> = R extends { ipv6: infer N } ? N[keyof N] : never
type Inverse<N, Wire> = { [P in keyof N]: N[P] extends Wire ? P : never }[keyof N]
type PublicName<N, Wire> = [Inverse<N, Wire>] extends [never] ? Wire : Inverse<N, Wire>
type Renamed<T, R> = { [W in keyof T as W extends 'unknown' | Ipv6Of<R> ? never : PublicName<NamesOf<R>, W>]: T[W] }
type Given<T, R> = Flat<
  Omit<Renamed<T, R>, ReadOnlyOf<R> & string> & { [P in RequiredOf<R> & keyof Renamed<T, R>]-?: NonNullable<Renamed<T, R>[P]> }
>

/** What create() takes as `options` for a kind, and update() in part. */
export type OptionsOf<K extends Kind> = Given<Encodable<Choices[K]>, Rules[K]>
/** What a link of that kind tells as `options`. */
export type OptionsRead<K extends Kind> = Readonly<Renamed<Decoded<Choices[K]>, Rules[K]>>
/** Settings of a bridge port. */
export type PortOptions = Given<Encodable<PortTable>, typeof portRule>
export type Port = Readonly<Renamed<Decoded<PortTable>, typeof portRule>>
export type KindWith<Field extends keyof Rule> = { [K in Kind]: Rules[K] extends Record<Field, unknown> ? K : never }[Kind]

type Values = Readonly<Record<string, unknown>>

/** Public options as the kernel's table wants them. */
export function toWire(rule: Rule, options: Values, path: string): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (rule.readOnly?.includes(name))
      throw argumentError('ERR_NETLOOM_READ_ONLY', 'the kernel reports this and does not take it', `${path}.${name}`)
    out[wireName(rule, name, value)] = value
  }
  return out
}

function wireName(rule: Rule, name: string, value: unknown): string {
  const ipv6 = rule.ipv6?.[name]
  if (ipv6 && typeof value === 'string' && value.includes(':')) return ipv6
  return rule.names?.[name] ?? name
}

/** The kernel's names as the public ones. */
export function fromWire(rule: Rule, values: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name !== 'unknown')
      .map(([name, value]) => [publicName(rule, name), value]),
  )
}

/** For errors: which option an attribute of the kernel belongs to. */
export function publicName(rule: Rule, wire: string): string {
  for (const names of [rule.names, rule.ipv6]) for (const [name, of] of Object.entries(names ?? {})) if (of === wire) return name
  return wire
}

export const ruleOf = (kind: string | undefined): Rule => (kind !== undefined && Object.hasOwn(rules, kind) ? rules[kind as Kind] : {})
export const isKind = (kind: string): kind is Kind => Object.hasOwn(rules, kind)
