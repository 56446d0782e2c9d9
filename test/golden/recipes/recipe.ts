// What a recipe is: the message that we write for one `ip` or `bridge` command.
import type { AnyCodec, Encodable } from '../../../lib/codec/codec.js'
import { requestFlags as f } from '../../../lib/protocol/netlink.js'

export interface Recipe {
  readonly type: number
  readonly flags: number
  readonly codec: AnyCodec
  readonly value: unknown
}
/** By the name that the command has in scripts/golden/recipes.py. */
export type Recipes = Readonly<Record<string, Recipe>>

export const send = <C extends AnyCodec>(type: number, flags: number, codec: C, value: Encodable<C>): Recipe => ({
  type,
  flags,
  codec,
  value,
})

export const get = f.request
export const dump = f.request | f.dump
export const change = f.request | f.ack
export const create = change | f.create | f.exclusive
export const replace = change | f.create | f.replace
export const append = change | f.create | f.append
export const update = change | f.replace
