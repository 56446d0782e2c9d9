// A verb of nftables as data: what it sends is known when the batch is put together, so that the same verbs work at once and in a transaction.
import type { AnyCodec, Encodable } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import type { Context, Reply } from '../../socket/request.js'
import type { Change } from './commit.js'
import type { World } from './world.js'

export interface Entry<T> {
  /** 'rules', by which the changes of a transaction are counted: an error is 'rules[3].expr'. */
  readonly group: string
  /** What an object of it is called in a rule set, where that is not the group's name less its 's'. */
  readonly sort?: string
  /** 'add rule', of what and where, for errors. */
  readonly operation: string
  prepare(world: World, about: About): readonly Change[] | Promise<readonly Change[]>
  /** What the caller gets, of what the kernel says that it has made. */
  result(made: readonly unknown[]): T
}
/** What every context of an entry has in common. */
export interface About {
  readonly operation: string
  readonly namespace?: string | undefined
  readonly within?: string | undefined
}
export type Given<Live extends boolean, T> = Live extends true ? Promise<T> : undefined
export type Submit<Live extends boolean> = <T>(entry: Entry<T>) => Given<Live, T>

/** One change whose value has been checked against its table. */
export const change = <C extends AnyCodec>(
  type: number,
  codec: C,
  flags: number,
  value: Encodable<C>,
  context: Context,
  reply?: Reply<AnyCodec>,
): Change => ({ type, codec, flags: reply ? flags | requestFlags.echo : flags, value, context, reply })

/** An entry that gives nothing back. */
export const silently = (group: string, operation: string, prepare: Entry<void>['prepare']): Entry<void> => ({
  group,
  operation,
  prepare,
  result: () => undefined,
})
