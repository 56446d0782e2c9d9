// What a codec is: the wire form of one value, and how its static types follow from the table it stands in.
import type { Writer } from './writer.js'

/** The wire form of one value: what `read` gives (`Out`) and what `write` takes (`In`). */
export interface Codec<out Out, in In = Out> {
  /** Bytes that a payload must at least have. Containers and structs say 0: kernels append to them. */
  readonly min: number
  /** Bytes that a value always takes as a member of a struct or an array. */
  readonly size?: number
  /** `read` as an expression over `view` and the place `at`, for the readers that are generated. Codecs of a fixed size only. */
  readonly source?: (at: string) => string
  /** Set on containers: their attribute carries NLA_F_NESTED. */
  readonly nest?: boolean
  read(view: DataView, at: number, end: number): Out
  write(writer: Writer, value: In): void
  /** What a container holds, for dumps and for finding the field that an offset belongs to. */
  children?(view: DataView, at: number, end: number): Iterable<Child>
  /** Bytes before the first child, described by a struct. */
  readonly header?: StructCodec
}
export interface StructCodec extends Codec<unknown, never> {
  readonly size: number
  readonly members: readonly { readonly name: string; readonly at: number; readonly codec: AnyCodec }[]
}
// `never` as the input makes every codec assignable here, whatever it takes.
export type AnyCodec = Codec<unknown, never>

/** One element of a container. `name` is undefined for an attribute that no table knows. */
export interface Child {
  readonly name: string | undefined
  /** The kernel's constant: 'IFLA_MTU'; for elements of arrays their index. */
  readonly constant: string
  readonly codec: AnyCodec | undefined
  /** Where the element starts, its own header included. */
  readonly start: number
  /** Where its payload starts and ends. */
  readonly from: number
  readonly to: number
}

/** An attribute without a place in the table: kept, so that nothing a newer kernel says is lost. */
export interface UnknownAttribute {
  readonly type: number
  readonly data: Uint8Array
}

export type Entry = readonly [type: number, codec: AnyCodec]
export type Entries = Readonly<Record<string, Entry>>
export type Fields = Readonly<Record<string, AnyCodec>>

/** A table of attributes, optionally after a fixed header whose members lie flat beside them. */
export interface Attributes<E extends Entries, H extends Fields = Record<never, never>> extends Codec<unknown, never> {
  readonly nest: true
  readonly prefix: string
  readonly entries: E
  readonly headerFields: H
  children(view: DataView, at: number, end: number): Iterable<Child>
}
/** An attribute whose form is chosen by a sibling attribute (`IFLA_INFO_DATA` by `IFLA_INFO_KIND`). */
export interface By<Key extends string, Choices extends Fields> extends Codec<unknown, never> {
  readonly key: Key
  readonly choices: Choices
}
/** An attribute whose form is chosen by a member of the header (`IFLA_AF_SPEC` by the family). */
export interface ByHeader<Choices extends Fields, Otherwise extends AnyCodec> extends Codec<unknown, never> {
  readonly headerKey: string
  readonly choices: Choices
  readonly otherwise: Otherwise
}

/** What reading gives, and what writing takes. Resolved on use, so that a .d.ts holds each table once. */
export type Decoded<C> =
  C extends Attributes<infer E, infer H>
    ? Flat<Members<H, 'out'> & Values<E, 'out'>>
    : C extends ByHeader<infer M, infer D>
      ? Flat<Decoded<D> & Partial<Intersect<Decoded<M[keyof M]>>>>
      : C extends Codec<infer Out, never>
        ? Out
        : never
export type Encodable<C> =
  C extends Attributes<infer E, infer H>
    ? Flat<Partial<Members<H, 'in'>> & Values<E, 'in'>>
    : C extends ByHeader<infer M, infer D>
      ? Flat<Encodable<D> & Partial<Intersect<Encodable<M[keyof M]>>>>
      : C extends { write(writer: Writer, value: infer In): void }
        ? In
        : never

type Direction = 'out' | 'in'
export type Valued<C, D extends Direction> = D extends 'out' ? Decoded<C> : Encodable<C>
/** Members of a struct; those that begin with `_` are padding. */
export type Members<F, D extends Direction> = { [K in keyof F as K extends `_${string}` ? never : K]: Valued<F[K], D> }

/** A kind that the table has no entry for: 'other:openvswitch'. Its data stays bytes. */
export type Other = `other:${string}`
export type Flat<T> = { [K in keyof T]: T[K] } & {}
type Intersect<U> = (U extends unknown ? (x: U) => void : never) extends (x: infer I) => void ? I : never
type ByKeys<E> = { [K in keyof E]: E[K] extends readonly [number, By<string, Fields>] ? K : never }[keyof E]
type KindKeys<E> = { [K in ByKeys<E>]: E[K] extends readonly [number, By<infer Key, Fields>] ? Key : never }[ByKeys<E>]
type Plain<E, D extends Direction> = {
  [K in keyof E as K extends ByKeys<E> | KindKeys<E> ? never : K]?: E[K] extends readonly [number, infer C] ? Valued<C, D> : never
} & { unknown?: readonly UnknownAttribute[] }
type Choice<Key extends string, M, DataKey extends string, D extends Direction> =
  | { [N in keyof M & string]: { [P in Key]: N } & { [P in DataKey]?: Valued<M[N], D> } }[keyof M & string]
  | ({ [P in Key]: Other } & { [P in DataKey]?: Uint8Array })
  | ({ [P in Key]?: undefined } & { [P in DataKey]?: Uint8Array })
// The box keeps each choice's union from distributing before the choices are intersected.
type Boxed<E, D extends Direction> = {
  [K in ByKeys<E> & string]: E[K] extends readonly [number, By<infer Key, infer M>] ? { box: Choice<Key, M, K, D> } : never
}[ByKeys<E> & string]
type Values<E, D extends Direction> = [ByKeys<E>] extends [never]
  ? Flat<Plain<E, D>>
  : Intersect<Boxed<E, D>> extends { box: infer B }
    ? B extends unknown
      ? Flat<B & Plain<E, D>>
      : never
    : never
