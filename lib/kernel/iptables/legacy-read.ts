// Legacy tables in the terms that both backends share.

import { parseCidr } from '../../codec/ip.js'
import { verdictCodes } from '../../protocol/nftables/messages.js'
import type { Scope } from '../scope.js'
import { type Blob, type Data, type Entry, readEntries, type Span, spans, verdictOf } from './blob.js'
import { legacyTableNames, readBlob } from './legacy.js'
import { understandMatch } from './matches.js'
import { type Header, hexOf, makeRule, type Part, type ReadChain, type ReadRule, type ReadTable, type ReadTarget } from './rule.js'
import { understandTarget } from './targets.js'
import { linkPattern } from './words.js'

/** The tables that are there; undefined where that may not be known. */
export async function readLegacy(scope: Scope, family: 4 | 6): Promise<ReadTable[] | undefined> {
  const names = await legacyTableNames(scope, family)
  if (!names) return undefined
  const tables: ReadTable[] = []
  for (const name of names) tables.push(toTable(name, await readBlob(scope, family, name)))
  return tables
}

export function toTable(name: string, blob: Blob): ReadTable {
  const entries = readEntries(blob)
  const chains = spans(blob, entries)
  // A jump leads to the entry behind the one that says the chain's name: its first rule, or its end.
  const byOffset = new Map(chains.filter(({ builtIn }) => !builtIn).map(chain => [(chain.rules[0] ?? chain.end).offset, chain.name]))
  return { backend: 'legacy', family: blob.family, name, chains: chains.map(chain => toChain(chain, blob.family, byOffset)) }
}

function toChain({ name, builtIn, rules, end }: Span, family: 4 | 6, byOffset: ReadonlyMap<number, string>): ReadChain {
  const policy = verdictOf(end.target) === verdict('DROP') ? ('DROP' as const) : ('ACCEPT' as const)
  return {
    name,
    ...(builtIn ? { policy, packets: end.packets, bytes: end.count } : { packets: 0, bytes: 0 }),
    rules: rules.map((entry, i) => toRule(entry, i + 1, family, byOffset)),
  }
}

function toRule(entry: Entry, number: number, family: 4 | 6, byOffset: ReadonlyMap<number, string>): ReadRule {
  const header = toHeader(entry, family)
  const goto = (entry.head.flags as readonly string[]).includes('goto')
  return makeRule({
    number,
    header,
    parts: entry.matches.map(match => toPart(match, family)),
    target: entry.target.name === '' ? standardTarget(entry, goto, byOffset) : toTarget(entry.target, family),
    packets: entry.packets,
    bytes: entry.count,
  })
}

export function toPart({ name, revision, data }: Data, family: 4 | 6): Part {
  const known = understandMatch(name, revision, data, family)
  if (known)
    return {
      said: { name: known.alias ?? name, revision, ...(known.save ? { options: known.save } : {}) },
      show: known.show,
      fits: known.fits,
    }
  return { said: { name, revision, data: hexOf(data) }, show: `${name} [${data.length} bytes]`, fits: () => undefined }
}

export function toTarget({ name, revision, data }: Data, family: 4 | 6): ReadTarget {
  const known = understandTarget(name, revision, data, family)
  if (known) return { said: { name, revision, ...(known.save ? { options: known.save } : {}) }, show: known.show }
  return {
    said: { name, revision, ...(data.length ? { data: hexOf(data) } : {}) },
    show: data.length ? `${name} [${data.length} bytes]` : '',
  }
}

/** The kernel's number of a verdict: −1 less what netfilter calls it; return is −1 less NF_REPEAT. */
export const verdict = (name: 'ACCEPT' | 'DROP' | 'RETURN'): number =>
  -1 - { DROP: verdictCodes.drop, ACCEPT: verdictCodes.accept, RETURN: verdictCodes.repeat }[name]
const queue = -1 - verdictCodes.queue

function standardTarget({ target, next }: Entry, goto: boolean, byOffset: ReadonlyMap<number, string>): ReadTarget {
  const number = verdictOf(target)
  const of = (name: string) => ({ said: { name, ...(goto ? { goto } : {}) }, show: '' })
  // Without a target a rule leads to the next one.
  if (number === next) return of('')
  if (number === queue) return of('QUEUE')
  for (const name of ['ACCEPT', 'DROP', 'RETURN'] as const) if (number === verdict(name)) return of(name)
  return of(byOffset.get(number) ?? `#${number}`)
}

function toHeader({ head }: Entry, family: 4 | 6): Header {
  const bytes = (address: string) => parseCidr(address).bytes
  return {
    family,
    in: linkPattern(head.iniface, head.inifaceMask),
    out: linkPattern(head.outiface, head.outifaceMask),
    source: bytes(head.src),
    sourceMask: bytes(head.smsk),
    destination: bytes(head.dst),
    destinationMask: bytes(head.dmsk),
    protocol: head.proto,
    fragment: family === 4 && (head.flags as readonly string[]).includes('frag'),
    inverted: head.invflags,
  }
}
