// An annotated hex dump of an encoded message, for people.
import { Buffer } from 'node:buffer'
import type { AnyCodec } from './codec.js'
import { MalformedError } from './errors.js'
import { viewOf } from './walk.js'
import { align } from './writer.js'

const width = 16

/** Bytes on the left, what they are on the right; containers indent what they hold. Never throws: odd bytes are shown as such. */
export function annotate(codec: AnyCodec, bytes: Uint8Array, at = 0, end = bytes.length): string {
  const lines: string[] = []
  const view = viewOf(bytes)
  const line = (from: number, to: number, depth: number, text: string) => {
    for (let p = from, first = true; first || p < to; p += width, first = false) {
      const hex = Buffer.from(bytes.subarray(p, Math.min(p + width, to)))
        .toString('hex')
        .replace(/..(?!$)/g, '$& ')
      lines.push(`${p.toString(16).padStart(4, '0')}  ${hex.padEnd(width * 3)} ${first ? '  '.repeat(depth) + text : ''}`.trimEnd())
    }
  }
  const visit = (inner: AnyCodec, from: number, to: number, depth: number) => {
    let done = from
    if (inner.header && to - from >= inner.header.size) {
      done = from + inner.header.size
      line(from, done, depth, `header ${shown(inner.header, view, from, done)}`)
    }
    try {
      for (const child of inner.children?.(view, from, to) ?? []) {
        if (child.codec && isContainer(child.codec)) {
          line(child.start, child.from, depth, child.constant)
          visit(child.codec, child.from, child.to, depth + 1)
        } else
          line(
            child.start,
            child.to,
            depth,
            `${child.constant} ${child.codec ? shown(child.codec, view, child.from, child.to) : '(unknown)'}`,
          )
        done = align(child.to - from) + from
      }
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      line(done, to, depth, `(malformed: ${error.message})`)
      done = to
    }
    if (done < to) line(done, to, depth, '(trailing bytes)')
  }
  visit(codec, at, end, 0)
  return lines.join('\n')
}

const isContainer = (codec: AnyCodec) => codec.children !== undefined && (codec.nest === true || 'entry' in codec)
const text = (_: string, value: unknown) =>
  typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value

function shown(codec: AnyCodec, view: DataView, from: number, to: number): string {
  if (to - from < codec.min) return `(${to - from} bytes where ${codec.min} are needed)`
  try {
    return JSON.stringify(codec.read(view, from, to), text)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return `(malformed: ${error.message})`
  }
}
