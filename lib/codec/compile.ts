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
/** The form of an attribute that a sibling or a header member chooses. A sibling may still follow, between `from` and `end`. */
export type Choose = (siblings: Readonly<Record<string, unknown>>, view?: DataView, from?: number, end?: number) => AnyCodec
/** How one attribute of a table is read. */
export interface Field {
  readonly name: string
  readonly type: number
  readonly codec: AnyCodec
  /** The attribute occurs more than once and gives an array. */
  readonly repeated: boolean
  /** Names that another attribute's form depends on: anything else reads as 'other:…'. */
  readonly kinds: ReadonlySet<string> | undefined
  readonly choose: Choose | undefined
}
export interface Layout {
  readonly prefix: string
  readonly header: { readonly size: number; readonly read: Read } | undefined
  readonly fields: readonly Field[]
  /** Attributes that are none of the fields are passed over; otherwise they are kept as bytes. */
  readonly partial?: boolean | undefined
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
export const short = (prefix: string, name: string, got: number, need: number) =>
  new MalformedError(`${prefix} ${name}: ${got} bytes where ${need} are needed`)
export const tooShort = (prefix: string, got: number, need: number) =>
  new MalformedError(`${prefix}: a header of ${got} bytes where ${need} are needed`)

/** Members that a shorter struct of an older kernel does not have are left out. */
export const compileStruct = (members: readonly Member[], size: number, compiled = mayCompile): Read => {
  if (!compiled)
    return (view, at, end) => {
      const out: Record<string, unknown> = {}
      for (const { name, at: offset, codec } of members) {
        const from = at + offset
        if (from + codec.size! <= end) out[name] = codec.read(view, from, from + codec.size!)
      }
      return out
    }
  const values = members.map(({ name, at, codec }, i) => {
    const value = codec.source?.(`at + ${at}`) ?? `c${i}.read(view, at + ${at}, at + ${at + codec.size!})`
    return `${key(name)}: ${value}`
  })
  const shorter: Read[] = []
  const partial: Read = (view, at, end) => {
    const there = members.filter(member => member.at + member.codec.size! <= end - at)
    shorter[there.length] ??= compileStruct(there, 0)
    return shorter[there.length]!(view, at, end)
  }
  const source = `return (view, at, end) => end - at >= ${size} ? { ${values.join(', ')} } : partial(view, at, end)`
  return new Function(...members.map((_, i) => `c${i}`), 'partial', source)(...members.map(m => m.codec), partial)
}

export const compileArray = (codec: AnyCodec, step: number, compiled = mayCompile): Read => {
  if (!compiled)
    return (view, at, end) => {
      const out: unknown[] = []
      for (let p = at; p + step <= end; p += step) out.push(codec.read(view, p, p + step))
      return out
    }
  const value = codec.source?.('p') ?? `codec.read(view, p, p + ${step})`
  // Arrays that grow by pushing take twice as long.
  const source = `return (view, at, end) => {
    const out = new Array(Math.floor((end - at) / ${step}))
    for (let i = 0, p = at; i < out.length; i++, p += ${step}) out[i] = ${value}
    return out
  }`
  return new Function('codec', source)(codec)
}

export const compileTable = (layout: Layout, compiled = mayCompile): Read => (compiled ? generate(layout) : interpret(layout))

const key = (name: string) => JSON.stringify(name)

function generate({ prefix, header, fields, partial }: Layout): Read {
  const get = (at: string) => `view.getUint16(${at}, ${littleEndian})`
  const cases = fields.map(({ name, type, codec, repeated, kinds, choose }, i) => {
    const to = `out[${key(name)}]`
    const guard = (min: string | number) => `if (length - 4 < ${min}) throw short(prefix, ${key(name)}, length - 4, ${min});`
    if (choose)
      return `case ${type}: { const chosen = choose${i}(out, view, p, end); ${guard('chosen.min')} ${to} = chosen.read(view, p + 4, p + length); break }`
    const check = codec.min > 0 ? guard(codec.min) : ''
    const value = codec.source?.('p + 4') ?? `c${i}.read(view, p + 4, p + length)`
    if (repeated) return `case ${type}: { ${check} const list = ${to}; if (list) list.push(${value}); else ${to} = [${value}]; break }`
    if (kinds) return `case ${type}: { ${check} const kind = ${value}; ${to} = kinds${i}.has(kind) ? kind : 'other:' + kind; break }`
    return `case ${type}: ${check} ${to} = ${value}; break`
  })
  const source = `return (view, at, end) => {
    ${header ? `if (end - at < ${header.size}) throw tooShort(prefix, end - at, ${header.size}); const out = header.read(view, at, at + ${header.size})` : 'const out = {}'}
    for (let p = at + ${header ? (header.size + 3) & ~3 : 0}; p + 4 <= end;) {
      const length = ${get('p')}
      if (length < 4 || p + length > end) throw overrun(prefix, length, p)
      const type = ${get('p + 2')} & ${typeMask}
      switch (type) {
        ${cases.join('\n        ')}
        ${partial ? '' : 'default: keep(out, type, view, p + 4, p + length)'}
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

function interpret({ prefix, header, fields, partial }: Layout): Read {
  const byType = new Map(fields.map(field => [field.type, field]))
  return (view, at, end) => {
    if (header && end - at < header.size) throw tooShort(prefix, end - at, header.size)
    const out = (header ? header.read(view, at, at + header.size) : {}) as Record<string, unknown>
    for (let p = at + (header ? (header.size + 3) & ~3 : 0); p + 4 <= end; ) {
      const length = view.getUint16(p, littleEndian)
      if (length < 4 || p + length > end) throw overrun(prefix, length, p)
      const type = view.getUint16(p + 2, littleEndian) & typeMask
      const field = byType.get(type)
      if (!field) {
        if (!partial) keep(out, type, view, p + 4, p + length)
      } else {
        const { name, repeated, kinds, choose } = field
        const codec = choose ? choose(out, view, p, end) : field.codec
        if (length - attributeHeader < codec.min) throw short(prefix, name, length - attributeHeader, codec.min)
        const value = codec.read(view, p + attributeHeader, p + length)
        if (!repeated) out[name] = kinds && !kinds.has(value as string) ? `other:${value}` : value
        else if (out[name]) (out[name] as unknown[]).push(value)
        else out[name] = [value]
      }
      p += (length + 3) & ~3
    }
    return out
  }
}

/** Keeps what no table knows, so that it survives a way through the library. */
function keep(out: Record<string, unknown>, type: number, view: DataView, from: number, to: number): void {
  const data = copyOf(view, from, to)
  const unknown = out.unknown as { type: number; data: Uint8Array }[] | undefined
  if (unknown) unknown.push({ type, data })
  else out.unknown = [{ type, data }]
}

const nothing = Object.freeze(new Uint8Array())
/** A copy: the message lies in a buffer that is much larger and soon written over. */
export const copyOf = (view: DataView, from: number, to: number): Uint8Array =>
  from === to ? nothing : new Uint8Array(view.buffer, view.byteOffset + from, to - from).slice()
