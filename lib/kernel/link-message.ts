// A link in the kernel's terms, out of the caller's; and the way back from a field of the message to the caller's name for it.
import type { Encodable } from '../codec/codec.js'
import { argumentError } from '../codec/errors.js'
import type { link as linkTable } from '../protocol/link.js'
import { isKind, portRule, portTable, ruleOf, tables } from './link-kinds.js'
import { publicName, toWire } from './link-options.js'
import type { LinkFields } from './link-request.js'

export type LinkMessage = Encodable<typeof linkTable>
type LinkInfo = NonNullable<LinkMessage['linkinfo']>

/** Public name → attribute, for the fields that are the same thing under another word. */
const attributes = {
  name: 'ifname',
  mac: 'address',
  mtu: 'mtu',
  group: 'group',
  txQueueLength: 'txqlen',
  txQueues: 'numTxQueues',
  rxQueues: 'numRxQueues',
  index: 'index',
  alias: 'ifalias',
} as const

/** The attributes that are the field itself under the kernel's name. */
export function plainAttributes(fields: LinkFields): LinkMessage {
  const out: Record<string, unknown> = {}
  for (const [name, wire] of Object.entries(attributes)) {
    const value = fields[name as keyof typeof attributes]
    if (value !== undefined) out[wire] = value
  }
  return out as LinkMessage
}

/** The kind and its options. */
export function kindAttributes(
  { kind, options }: { readonly kind: string; readonly options?: unknown },
  extra: Readonly<Record<string, unknown>> = {},
): LinkInfo {
  if (!isKind(kind)) {
    if (options !== undefined && !(options instanceof Uint8Array))
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'the options of a kind without a table are bytes', 'options')
    return { kind, ...(options === undefined ? {} : { data: options }) } as LinkInfo
  }
  const data = { ...(options === undefined ? {} : toWire(ruleOf(kind), tables[kind]!, options, 'options')), ...extra }
  return { kind, ...(Object.keys(data).length ? { data } : {}) } as LinkInfo
}

export const portAttributes = (port: unknown, path: string): LinkInfo =>
  ({ slaveKind: 'bridge', slaveData: toWire(portRule, portTable, port, path) }) as LinkInfo

/** The caller's name of a field of the message: ['linkinfo', 'data', 'id'] → 'options.id'; `prefix` is 'peer' for the other end of a veth. */
export function fieldOf(kind: string | undefined, prefix = ''): (path: readonly string[]) => string | undefined {
  return path => {
    const [first, second, third, ...rest] = path
    if (first !== 'linkinfo') return first === undefined ? undefined : join(prefix, commonName(path))
    const rule = ruleOf(kind)
    if (second === 'slaveData') return join(prefix, 'port', ...named(portRule, third, rest))
    if (second !== 'data') return 'kind'
    if (kind === 'veth' && third === 'peer') return rest.length ? join('peer', commonName(rest)) : 'peer'
    if (third !== undefined && third === rule.lowerAttribute) return 'link'
    return join('options', ...named(rule, third, rest))
  }
}

function named(rule: Parameters<typeof publicName>[0], wire: string | undefined, rest: readonly string[]): readonly (string | undefined)[] {
  if (wire === undefined) return []
  return wire === rule.switches?.word ? [publicName(rule, wire, rest[0])] : [publicName(rule, wire), ...rest]
}

function commonName([first, ...rest]: readonly string[]): string {
  if (first === 'netNsFd' || first === 'netNsPid') return 'namespace'
  if (first === 'afSpec') return 'ipv6'
  if (first === 'flags') return 'up'
  if (first === 'propList') return join('altNames', ...rest)
  const name = Object.entries(attributes).find(([, wire]) => wire === first)?.[0]
  return name ?? join(first, ...rest)
}

/** 'options.portRange.low', 'altNames[1]'. */
const join = (...parts: (string | undefined)[]): string =>
  parts.reduce<string>((path, part) => (!part ? path : /^\d+$/.test(part) ? `${path}[${part}]` : path ? `${path}.${part}` : part), '')
