// A buffer that grows, is written front to back, and is used again for the next message.

import type { Codec } from './codec.js'
import { rangeError } from './errors.js'

export const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
/** NLA_HDRLEN, linux/netlink.h. */
export const attributeHeader = 4
/** NLA_F_NESTED, linux/netlink.h. */
export const nestedFlag = 0x8000
/** NLA_TYPE_MASK, linux/netlink.h. */
export const typeMask = 0x3fff
/** NLA_ALIGN, linux/netlink.h. */
export const align = (length: number) => (length + 3) & ~3

export class Writer {
  bytes: Uint8Array<ArrayBuffer>
  view: DataView<ArrayBuffer>
  at = 0

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Room for `length` bytes; returns where they start. What lies there is undefined. */
  reserve(length: number): number {
    const at = this.at
    if (at + length > this.bytes.length) this.#grow(length)
    this.at = at + length
    return at
  }

  zero(length: number): void {
    const at = this.reserve(length)
    for (let i = at; i < at + length; i++) this.bytes[i] = 0
  }

  pad(): void {
    const rest = -this.at & 3
    if (rest) this.zero(rest)
  }

  attribute<In>(type: number, codec: Codec<unknown, In>, value: In): void {
    const start = this.reserve(attributeHeader)
    codec.write(this, value)
    const length = this.at - start
    if (length > 0xffff)
      throw rangeError('ERR_NETLOOM_TOO_LARGE', `${length} bytes do not fit into one attribute, whose length is at most 65535`)
    this.view.setUint16(start, length, littleEndian)
    this.view.setUint16(start + 2, codec.nest ? type | nestedFlag : type, littleEndian)
    this.pad()
  }

  /** A copy of what has been written since `from`. */
  copy(from = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(from, this.at)
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + length))
    larger.set(this.bytes)
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}
