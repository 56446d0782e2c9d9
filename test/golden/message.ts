// Recorded messages: split, normalised, compared.
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { annotate } from '../../lib/codec/dump.js'
import { string } from '../../lib/codec/scalars.js'
import { viewOf } from '../../lib/codec/walk.js'
import { Writer } from '../../lib/codec/writer.js'
import { address } from '../../lib/protocol/address.js'
import { link } from '../../lib/protocol/link.js'
import { neighbour, neighbourTable } from '../../lib/protocol/neighbour.js'
import { nexthop } from '../../lib/protocol/nexthop.js'
import { nsid } from '../../lib/protocol/nsid.js'
import { route } from '../../lib/protocol/route.js'
import { rule } from '../../lib/protocol/rule.js'

/** One entry of test/golden/captured, as scripts/golden/capture.py writes it. */
export interface Captured {
  readonly kernel: string
  readonly iproute2: string
  readonly name: string
  readonly recipe: string
  readonly request: string
  readonly errno?: number
  readonly reply?: string
}
export interface Message {
  readonly type: number
  readonly flags: number
  /** What follows struct nlmsghdr. */
  readonly body: Uint8Array
  readonly whole: Uint8Array
}

export const captured = (area: string): Captured[] =>
  JSON.parse(readFileSync(new URL(`./captured/${area}.json`, import.meta.url), 'utf8')) as Captured[]

export function split(hex: string): Message[] {
  const all = Uint8Array.from(Buffer.from(hex, 'hex'))
  const view = viewOf(all)
  const out: Message[] = []
  for (let at = 0; at + 16 <= all.length; ) {
    const end = at + view.getUint32(at, true)
    out.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      body: all.slice(at + 16, end),
      whole: all.slice(at, end),
    })
    at = (end + 3) & ~3
  }
  return out
}

/** The table of a message type: they come in fours. */
const tables: Readonly<Record<number, AnyCodec>> = {
  16: link,
  20: address,
  24: route,
  28: neighbour,
  32: rule,
  64: neighbourTable,
  88: nsid,
  104: nexthop,
  108: link,
}
export function tableOf(type: number): AnyCodec {
  const table = tables[type & ~3]
  if (!table) throw new Error(`no table for messages of type ${type}`)
  return table
}

export const decode = (codec: AnyCodec, body: Uint8Array) => codec.read(viewOf(body), 0, body.length)
export function encode(codec: AnyCodec, value: unknown): Uint8Array {
  const writer = new Writer()
  ;(codec.write as (writer: Writer, value: unknown) => void)(writer, value)
  return writer.copy()
}

/** A message as text, one attribute a line, so that neither the order of attributes nor NLA_F_NESTED nor a string's last zero byte matters. */
export function normalised(codec: AnyCodec, body: Uint8Array): string {
  const lines: string[] = []
  const hex = (from: number, to: number) => Buffer.from(body.subarray(from, to)).toString('hex')
  const visit = (inner: AnyCodec, from: number, to: number, indent: string) => {
    if (inner.header) lines.push(`${indent}header ${hex(from, from + inner.header.size)}`)
    const ordered = !('entries' in inner)
    const children = [...(inner.children?.(viewOf(body), from, to) ?? [])]
    if (!ordered) children.sort((a, b) => (a.constant < b.constant ? -1 : a.constant > b.constant ? 1 : a.start - b.start))
    for (const child of children) {
      const isContainer = child.codec?.children && (child.codec.nest || 'entry' in child.codec || 'entries' in child.codec)
      let end = child.to
      if (child.codec === string) while (end > child.from && body[end - 1] === 0) end--
      lines.push(`${indent}${child.constant}${isContainer ? '' : ` ${hex(child.from, end)}`}`)
      if (isContainer) visit(child.codec as AnyCodec, child.from, child.to, `${indent}  `)
    }
  }
  visit(codec, 0, body.length, '')
  return lines.join('\n')
}

/** Both messages as annotated dumps, for the message of a failed comparison. */
export const difference = (codec: AnyCodec, theirs: Uint8Array, ours: Uint8Array) =>
  `captured:\n${annotate(codec, theirs)}\n\nours:\n${annotate(codec, ours)}\n`
