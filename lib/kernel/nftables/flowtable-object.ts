// Flowtables as callers see them.
import type { Decoded } from '../../codec/codec.js'
import type { flowtable as flowtableTable } from '../../protocol/nftables/flowtable.js'
import { present } from '../arguments.js'
import { publicFamily } from './family.js'
import type { FlowtableObject } from './objects.js'

export type RawFlowtable = Decoded<typeof flowtableTable>

export function toFlowtable(raw: RawFlowtable): FlowtableObject {
  const { table = '', name = '', handle, hook, flags = [] } = raw
  const devices = hook?.devs ?? []
  const named = flags.flatMap(flag => (flag === 'hwOffload' ? ['offload' as const] : flag === 'counter' ? ['counter' as const] : []))
  return present({
    family: publicFamily(raw.family),
    table,
    name,
    handle,
    hook: hook && ('ingress' as const),
    prio: hook?.priority,
    dev: devices.length === 1 ? devices[0] : devices.length ? devices : undefined,
    flags: named.length === 1 ? named[0] : named.length ? named : undefined,
  }) as FlowtableObject
}
