// Readers made for one table or struct each: with a case per attribute V8 sees constant property names, which halves the time.
// Where the runtime forbids code from strings, the same readers run interpreted; a test holds the two against each other.
import type { AnyCodec } from './codec.js'
import { MalformedError } from './errors.js'
import { attributeHeader, littleEndian, typeMask } from './writer.js'

export type Read = (view: DataView, at: number, end: number) => unknown
interface Member {
  readonly name: string
  readonly at: number
  readonly codec: AnyCodec
}
/** How one attribute of a table is read. */
export interface Field {
  readonly name: string
  readonly type: number
  readonly codec: AnyCodec
  /** The attribute occurs more than once and gives an array. */
  readonly repeated: boolean
  /** Names that another attribute's form depends on: anything else reads as 'other:…'. */
  readonly kinds: ReadonlySet<string> | undefined
  /** The form, where a sibling or a header member chooses it. */
  readonly choose: ((siblings: Readonly<Record<string, unknown>>) => AnyCodec) | undefined
}
export interface Layout {
  readonly prefix: string
  readonly header: { readonly size: number; readonly read: Read } | undefined
  readonly fields: readonly Field[]
}

const mayCompile = (() => {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
})()

export const overrun = (prefix: string, length: number, at: number) =>
  new MalformedError(`${prefix}: an attribute of ${length} bytes at ${at} overruns its container`)
const short = (prefix: string, name: string, got: number, need: number) =>
  new MalformedError(`${prefix} ${name}: ${got} bytes where ${need} are needed`)
const tooShort = (prefix: string, got: number, need: number) =>
  new MalformedError(`${prefix}: a header of ${got} bytes where ${need} are needed`)

export const compileStruct = (members: readonly Member[], size: number, compiled = mayCompile): Read => {
  const interpreted: Read = (view, at, end) => {
    const out: Record<string, unknown> = {}
    for (const { name, at: offset, codec } of members) {
      const from = at + offset
      if (from + codec.size! <= end) out[name] = codec.read(view, from, from + codec.size!)
    }
    return out
  }
  if (!compiled) return interpreted
  const values = members.map((m, i) => `${key(m.name)}: c${i}.read(view, at + ${m.at}, at + ${m.at + m.codec.size!})`)
  const source = `return (view, at, end) => end - at >= ${size} ? { ${values.join(', ')} } : interpreted(view, at, end)`
  return new Function(...members.map((_, i) => `c${i}`), 'interpreted', source)(...members.map(m => m.codec), interpreted)
}

export const compileTable = (layout: Layout, compiled = mayCompile): Read => (compiled ? generate(layout) : interpret(layout))

const key = (name: string) => JSON.stringify(name)

function generate({ prefix, header, fields }: Layout): Read {
  const get = (at: string) => `view.getUint16(${at}, ${littleEndian})`
  const cases = fields.map(({ name, type, codec, repeated, kinds, choose }, i) => {
    const check =
      codec.min > 0 ? `if (length < ${codec.min + attributeHeader}) throw short(prefix, ${key(name)}, length - 4, ${codec.min});` : ''
    const value = `${choose ? `choose${i}(out)` : `c${i}`}.read(view, p + 4, p + length)`
    if (repeated)
      return `case ${type}: { ${check} const list = out[${key(name)}]; if (list) list.push(${value}); else out[${key(name)}] = [${value}]; break }`
    if (kinds) return `case ${type}: { const kind = ${value}; out[${key(name)}] = kinds${i}.has(kind) ? kind : 'other:' + kind; break }`
    return `case ${type}: ${check} out[${key(name)}] = ${value}; break`
  })
  const source = `return (view, at, end) => {
    ${header ? `if (end - at < ${header.size}) throw tooShort(prefix, end - at, ${header.size}); const out = header.read(view, at, at + ${header.size})` : 'const out = {}'}
    for (let p = at + ${header ? (header.size + 3) & ~3 : 0}; p + 4 <= end;) {
      const length = ${get('p')}
      if (length < 4 || p + length > end) throw overrun(prefix, length, p)
      const type = ${get('p + 2')} & ${typeMask}
      switch (type) {
        ${cases.join('\n        ')}
        default: keep(out, type, view, p + 4, p + length)
      }
      p += (length + 3) & ~3
    }
    return out
  }`
  const named: Record<string, unknown> = { prefix, header, keep, short, overrun, tooShort }
  fields.forEach((field, i) => {
    named[`c${i}`] = field.codec
    if (field.kinds) named[`kinds${i}`] = field.kinds
    if (field.choose) named[`choose${i}`] = field.choose
  })
  return new Function(...Object.keys(named), source)(...Object.values(named))
}

function interpret({ prefix, header, fields }: Layout): Read {
  const byType = new Map(fields.map(field => [field.type, field]))
  return (view, at, end) => {
    if (header && end - at < header.size) throw tooShort(prefix, end - at, header.size)
    const out = (header ? header.read(view, at, at + header.size) : {}) as Record<string, unknown>
    for (let p = at + (header ? (header.size + 3) & ~3 : 0); p + 4 <= end; ) {
      const length = view.getUint16(p, littleEndian)
      if (length < 4 || p + length > end) throw overrun(prefix, length, p)
      const type = view.getUint16(p + 2, littleEndian) & typeMask
      const field = byType.get(type)
      if (!field) keep(out, type, view, p + 4, p + length)
      else {
        const { name, codec, repeated, kinds, choose } = field
        if (length < codec.min + attributeHeader) throw short(prefix, name, length - 4, codec.min)
        const value = (choose ? choose(out) : codec).read(view, p + 4, p + length)
        if (repeated) out[name] = [...((out[name] as unknown[] | undefined) ?? []), value]
        else out[name] = kinds && !kinds.has(value as string) ? `other:${value}` : value
      }
      p += (length + 3) & ~3
    }
    return out
  }
}

/** Keeps what no table knows, so that it survives a way through the library. */
function keep(out: Record<string, unknown>, type: number, view: DataView, from: number, to: number): void {
  const data = new Uint8Array(view.buffer, view.byteOffset + from, to - from).slice()
  const unknown = out.unknown as { type: number; data: Uint8Array }[] | undefined
  if (unknown) unknown.push({ type, data })
  else out.unknown = [{ type, data }]
}
