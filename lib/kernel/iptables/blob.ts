// A legacy table as one block of entries: where chains begin and end, what each entry says, and a copy with one entry more or less.
import { MalformedError } from '../../codec/errors.js'
import { viewOf } from '../../codec/walk.js'
import { littleEndian as LE } from '../../codec/writer.js'
import { extensionHeader, ip6tEntry, ip6tIp6, iptEntry, iptIp, tableHooks } from '../../protocol/iptables.js'

/** What the kernel says of a table besides its entries. */
export interface TableInfo {
  readonly validHooks: number
  /** Offsets by hook: where built-in chains begin … */
  readonly hookEntry: readonly number[]
  /** … and of the last entry of each, its policy. */
  readonly underflow: readonly number[]
  readonly numEntries: number
  readonly size: number
}
export interface Blob extends TableInfo {
  readonly family: 4 | 6
  readonly entries: Uint8Array
}
export interface Entry {
  readonly offset: number
  readonly next: number
  readonly bytes: Uint8Array
  readonly head: ReturnType<typeof iptIp.read> | ReturnType<typeof ip6tIp6.read>
  readonly packets: number
  readonly count: number
  readonly matches: readonly Data[]
  readonly target: Data
}
export interface Data {
  readonly name: string
  readonly revision: number
  readonly data: Uint8Array
}
/** A chain: from its first rule to the entry that ends it, which is the policy or the return to where packets came from. */
export interface Span {
  readonly name: string
  readonly builtIn: boolean
  readonly rules: readonly Entry[]
  readonly end: Entry
}
const headerSize = extensionHeader.size

/** Every entry, checked: nothing is read beyond what the kernel gave. */
export function readEntries({ family, entries }: Blob): Entry[] {
  const view = viewOf(entries)
  const fixed = family === 4 ? iptEntry : ip6tEntry
  const found: Entry[] = []
  for (let at = 0; at < entries.length; ) {
    if (entries.length - at < fixed.size) throw new MalformedError(`an entry of iptables is cut at ${at}`)
    const { targetOffset, nextOffset, packets, bytes: count } = fixed.read(view, at, at + fixed.size)
    const [target, next] = [at + targetOffset, at + nextOffset]
    if (targetOffset < fixed.size || nextOffset < targetOffset + headerSize || next > entries.length || nextOffset % 8)
      throw new MalformedError(`an entry of iptables at ${at} overruns its table`)
    found.push({
      offset: at,
      next,
      bytes: entries.slice(at, next),
      head: family === 4 ? iptIp.read(view, at, at + iptIp.size) : ip6tIp6.read(view, at, at + ip6tIp6.size),
      packets,
      count,
      matches: [...extensions(entries, at + fixed.size, target)],
      target: extension(entries, target, next),
    })
    at = next
  }
  return found
}

function extension(entries: Uint8Array, at: number, end: number): Data {
  if (end - at < headerSize) throw new MalformedError(`a match of iptables at ${at} is cut`)
  const { size, name, revision } = extensionHeader.read(viewOf(entries), at, at + headerSize)
  if (size < headerSize || at + size > end) throw new MalformedError(`a match of iptables at ${at} overruns its entry`)
  return { name, revision, data: entries.slice(at + headerSize, at + size) }
}
function* extensions(entries: Uint8Array, from: number, to: number): Generator<Data> {
  for (let at = from; at < to; ) {
    const found = extension(entries, at, to)
    yield found
    at += headerSize + found.data.length
  }
}

/** −1 less the verdict, or the offset that it jumps to. */
export function verdictOf({ data }: Data): number {
  if (data.length < 4) throw new MalformedError('a target of iptables without a verdict')
  return viewOf(data).getInt32(0, LE)
}
const isError = ({ name }: Data) => name === 'ERROR'
const errorName = ({ data }: Data) => Buffer.from(data.subarray(0, data.indexOf(0) < 0 ? data.length : data.indexOf(0))).toString('latin1')

/** The chains in the order of the table: built-in ones by their hooks, each other one after the entry that says its name. */
export function spans(blob: Blob, entries: readonly Entry[]): Span[] {
  const found: Span[] = []
  const from = (offset: number) => entries.findIndex(entry => entry.offset === offset)
  tableHooks.forEach((name, hook) => {
    if (!((blob.validHooks >> hook) & 1)) return
    const first = from(blob.hookEntry[hook]!)
    const last = from(blob.underflow[hook]!)
    if (first < 0 || last < first) throw new MalformedError(`the chain ${name} has no beginning or no end`)
    found.push({ name, builtIn: true, rules: entries.slice(first, last), end: entries[last]! })
  })
  const heads = entries.flatMap((entry, i) => (isError(entry.target) ? [i] : []))
  heads.slice(0, -1).forEach((head, i) => {
    const last = heads[i + 1]! - 1
    if (last <= head) throw new MalformedError('a chain has no end')
    const name = errorName(entries[head]!.target)
    found.push({ name, builtIn: false, rules: entries.slice(head + 1, last), end: entries[last]! })
  })
  return found
}

/** The same table with bytes put in at an offset, or taken away there: whatever points behind that place is moved. */
export function splice(blob: Blob, offset: number, removed: number, added: Uint8Array): Blob {
  const shift = added.length - removed
  const entries = new Uint8Array(blob.entries.length + shift)
  entries.set(blob.entries.subarray(0, offset))
  entries.set(added, offset)
  entries.set(blob.entries.subarray(offset + removed), offset + added.length)
  // What begins at the place itself is the chain that the new entry becomes the first of, or whose first one goes.
  const moved = (place: number) => (place > offset ? place + shift : place)
  const ends = (place: number) => (place >= offset && !(removed && place === offset) ? place + shift : place)
  const valid = (places: readonly number[], move: (place: number) => number) =>
    places.map((place, hook) => ((blob.validHooks >> hook) & 1 ? move(place) : place))
  const result: Blob = {
    ...blob,
    entries,
    size: entries.length,
    numEntries: blob.numEntries + (added.length ? 1 : 0) - (removed ? 1 : 0),
    hookEntry: valid(blob.hookEntry, moved),
    underflow: valid(blob.underflow, ends),
  }
  const view = viewOf(entries)
  for (const { offset: at, bytes, target } of readEntries(result)) {
    if (target.name !== '' || target.data.length < 4 || (added.length > 0 && at === offset)) continue
    const place = at + bytes.length - target.data.length
    const verdict = view.getInt32(place, LE)
    if (verdict >= 0) view.setInt32(place, moved(verdict), LE)
  }
  return result
}
