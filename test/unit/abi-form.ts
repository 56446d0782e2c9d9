// The forms in which the tables' claims about the kernel's headers are written down.
import type { Struct } from '../../lib/codec/struct.js'
import type { Claim } from '../helpers/c-compiler.js'

export type Numbers = Readonly<Record<string, number>>
export interface NumberSet {
  readonly prefix: string
  readonly numbers: Numbers
  /** The table has the number of the bit, the header its value. */
  readonly bits?: boolean
  /** The constant's words run together: notPresent → NOTPRESENT. */
  readonly joined?: boolean
  /** What the header's value is put together with: the subsystem of a message's type. */
  readonly above?: string
  /** Names that are not the constant's. */
  readonly renamed?: Readonly<Record<string, string>>
}

type AnyStruct = Pick<Struct<never>, 'size' | 'members'>
export interface StructLayout {
  readonly c: string
  readonly struct: AnyStruct
  readonly prefix?: string
  /** Members whose name is not the prefix and the table's name; several where one value fills several members. */
  readonly renamed?: Readonly<Record<string, string | readonly string[]>>
}
export const layout = (c: string, struct: unknown, prefix = '', renamed: StructLayout['renamed'] = {}): StructLayout => ({
  c,
  struct: struct as AnyStruct,
  prefix,
  renamed,
})

export const claim = (name: string, value: number): Claim => ({ name, expression: name, value })
