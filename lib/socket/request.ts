// What is asked of the kernel, what it is about, and the forms that answers take.
import type { AnyCodec, Encodable } from '../codec/codec.js'
import type { NetloomError } from './error.js'

/** What a request is about, for its errors. */
export interface Context {
  /** 'create link' */
  readonly operation: string
  /** 'veth0' */
  readonly subject?: string | undefined
  /** Name of the namespace. */
  readonly namespace?: string | undefined
  /** The caller's name of a field of the message: ['linkinfo', 'data', 'id'] → 'options.id'. */
  readonly field?: ((path: readonly string[]) => string | undefined) | undefined
  /** Where the request stands in the caller's object: 'rules[3]'. */
  readonly within?: string | undefined
  /** The caller's field that the whole request is about: 'master'. */
  readonly at?: string | undefined
  /** What to do about an error, by its name. */
  readonly hints?: Readonly<Record<string, string>> | undefined
}
/** The path of a field in the caller's whole object. */
export const pathWithin = (within: string | undefined, path: string | undefined): string | undefined =>
  within && path ? (path.startsWith('[') ? within + path : `${within}.${path}`) : path || within

/** What an error says of it in any case. */
export const naming = ({ operation, subject, namespace }: Context) => ({ operation, subject, namespace })
export interface Request<C extends AnyCodec> {
  readonly type: number
  /** Besides NLM_F_REQUEST and NLM_F_ACK. */
  readonly flags?: number
  readonly codec: C
  readonly value: Encodable<C>
  readonly context: Context
  /** Cancels the waiting. What the kernel has been given already is carried out all the same. */
  readonly signal?: AbortSignal | undefined
}
/** A request of any kind: its value has been checked against its own table where it was made. */
export type AnyRequest = Omit<Request<AnyCodec>, 'value'> & { readonly value: unknown }
/** The objects that an answer consists of. */
export interface Reply<R extends AnyCodec> {
  readonly type: number
  readonly codec: R
}
/** The result of one request of a batch. */
export interface Outcome<T = never> {
  readonly error?: NetloomError
  /** The objects of its answer. */
  readonly objects: readonly T[]
}
/** One request of many that the kernel has refused. */
export interface Refusal {
  readonly index: number
  readonly error: NetloomError
}
/** The objects of a dump; `consistent` is false when the kernel's list kept changing while it was read, however often it was asked again. */
export interface Dump<T> extends Array<T> {
  consistent: boolean
}
