// Expressions of nf_tables in the forms in which iptables-nft writes rules; whatever else a rule has is told by name.
import type { Decoded, Encodable } from '../../codec/codec.js'
import type { expression as expressionTable } from '../../protocol/nftables/expression.js'
import { xtLimit, xtMark1, xtTcp, xtUdp } from '../../protocol/xtables.js'
import { written } from './legacy.js'
import { toPart, toTarget } from './legacy-read.js'
import type { Header, Part, ReadTarget } from './rule.js'
import { quoted } from './words.js'

export type RawExpression = Decoded<typeof expressionTable>
export type SentExpression = Encodable<typeof expressionTable>
export interface ReadExpressions {
  readonly header: Header
  readonly parts: readonly Part[]
  readonly target: ReadTarget
  readonly packets: number
  readonly bytes: number
  readonly foreign: readonly string[]
}

/** What a register holds: something of the packet, perhaps under a mask. */
interface Load {
  readonly what: string
  readonly length: number
  readonly mask?: Uint8Array
}
interface Ports {
  spts: number[]
  dpts: number[]
  invflags: string[]
  flgMask?: number
  flgCmp?: number
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] }
const tcp = 6
const udp = 17
const sourceOffset = { 4: 12, 6: 8 }
const destinationOffset = { 4: 16, 6: 24 }
const protocolOffset = { 4: 9, 6: 6 }
const fragmentOffset = 6
const tcpFlagsOffset = 13

/** Reads the expressions of one rule. */
export function readExpressions(list: readonly RawExpression[], family: 4 | 6): ReadExpressions {
  const reader = new RuleReader(family)
  for (const expression of list) if (!reader.take(expression)) reader.foreign.push(expression.name ?? 'an expression without a name')
  return reader.result()
}

class RuleReader {
  readonly foreign: string[] = []
  readonly #family: 4 | 6
  readonly #header: Mutable<Header> & { inverted: string[] }
  readonly #parts: (Part | 'ports')[] = []
  readonly #said = new Set<string>()
  #loaded: Load | undefined
  #ports: Ports | undefined
  #target: ReadTarget = { said: { name: '' }, show: '' }
  #packets = 0
  #bytes = 0

  constructor(family: 4 | 6) {
    const length = family === 4 ? 4 : 16
    const none = new Uint8Array(length)
    this.#family = family
    this.#header = {
      family,
      in: '',
      out: '',
      source: none,
      sourceMask: none,
      destination: none,
      destinationMask: none,
      protocol: 0,
      fragment: false,
      inverted: [],
    }
  }

  /** False for what iptables-nft would not have written. */
  take(expression: RawExpression): boolean {
    const { name, data } = expression
    if (name === undefined || data === undefined || data instanceof Uint8Array) return false
    switch (name) {
      case 'meta':
        return this.#trace(data as MetaData) || this.#load(data as MetaData, metaLoad)
      case 'payload':
        return this.#load(data as PayloadData, payloadLoad)
      case 'bitwise':
        return this.#mask(data as Decoded<typeof expressionTable>['data'] & object)
      case 'cmp':
        return this.#compare(data as Comparison)
      case 'range':
        return this.#range(data as RangeData)
      case 'counter': {
        const { packets = 0, bytes = 0 } = data as { packets?: number; bytes?: number }
        this.#packets = packets
        this.#bytes = bytes
        return true
      }
      case 'limit':
        return this.#limit(data as LimitData)
      case 'match': {
        const { name: match = '', rev = 0, info = new Uint8Array() } = data as Compat
        this.#parts.push(toPart({ name: match, revision: rev, data: info }, this.#family))
        return true
      }
      case 'target': {
        const { name: target = '', rev = 0, info = new Uint8Array() } = data as Compat
        this.#target = toTarget({ name: target, revision: rev, data: info }, this.#family)
        return true
      }
      case 'log':
        return this.#log(data as { group?: number; prefix?: string })
      case 'immediate':
        return this.#verdict(data as { dreg?: number; data?: { verdict?: { code?: string | number; chain?: string } } })
      default:
        return false
    }
  }

  result(): ReadExpressions {
    return {
      header: this.#header,
      parts: this.#parts.map(part => (part === 'ports' ? this.#portPart() : part)),
      target: this.#target,
      packets: this.#packets,
      bytes: this.#bytes,
      foreign: this.foreign,
    }
  }

  #load<T extends { dreg?: number }>(data: T, name: (data: T, family: 4 | 6) => Load | undefined): boolean {
    this.#loaded = data.dreg === undefined ? undefined : name(data, this.#family)
    return this.#loaded !== undefined
  }

  #mask(data: object): boolean {
    const { mask, xor, op } = data as { mask?: Value; xor?: Value; op?: string | number }
    const plain = (op === undefined || op === 'maskXor') && (xor?.value ?? new Uint8Array()).every(byte => byte === 0)
    if (!this.#loaded || !plain || !mask?.value) return false
    this.#loaded = { ...this.#loaded, mask: mask.value }
    return true
  }

  #compare({ op, data }: Comparison): boolean {
    const value = data?.value
    const loaded = this.#loaded
    this.#loaded = undefined
    if (!loaded || !value || (op !== 'eq' && op !== 'neq')) return false
    const not = op === 'neq'
    const { what, mask } = loaded
    // iptables has each of these once in a rule.
    if (this.#said.has(what)) return false
    this.#said.add(what)
    if (mask && ['in', 'out', 'protocol', 'spts', 'dpts'].includes(what)) return false
    switch (what) {
      case 'in':
      case 'out':
        this.#header[what] = pattern(value)
        return this.#invert(not, what === 'in' ? 'viaIn' : 'viaOut')
      case 'protocol':
        this.#header.protocol = value[0] ?? 0
        return this.#invert(not, 'proto')
      case 'source':
      case 'destination': {
        const length = this.#family === 4 ? 4 : 16
        const wide = (bytes: Uint8Array) => Uint8Array.from({ length }, (_, i) => bytes[i] ?? 0)
        this.#header[what] = wide(value)
        this.#header[`${what}Mask`] = wide(mask ?? new Uint8Array(loaded.length).fill(0xff))
        return this.#invert(not, what === 'source' ? 'srcip' : 'dstip')
      }
      case 'fragment':
        if (mask?.[0] !== 0x1f || mask[1] !== 0xff || value.some(byte => byte !== 0)) return false
        this.#header.fragment = true
        return this.#invert(!not, 'frag')
      case 'mark': {
        const word = (bytes: Uint8Array | undefined) => (bytes ? new Uint32Array(bytes.slice().buffer)[0]! : 0xffff_ffff)
        const info = written(xtMark1, { mark: word(value), mask: word(mask), invert: not ? 1 : 0 })
        this.#parts.push(toPart({ name: 'mark', revision: 1, data: info }, this.#family))
        return true
      }
      case 'spts':
      case 'dpts': {
        const port = (value[0]! << 8) | value[1]!
        return this.#port(what, port, port, not)
      }
      case 'flags': {
        if (this.#header.protocol !== tcp) return false
        const ports = this.#openPorts()
        ports.flgMask = mask?.[0] ?? 0xff
        ports.flgCmp = value[0] ?? 0
        if (not) ports.invflags.push('flags')
        return true
      }
      default:
        return false
    }
  }

  #range({ op, fromData, toData }: RangeData): boolean {
    const loaded = this.#loaded
    this.#loaded = undefined
    const [low, high] = [fromData?.value, toData?.value]
    if (!loaded || loaded.mask || !low || !high || (loaded.what !== 'spts' && loaded.what !== 'dpts')) return false
    return this.#port(loaded.what, (low[0]! << 8) | low[1]!, (high[0]! << 8) | high[1]!, op === 'neq')
  }

  #limit({ rate = 0, unit = 0, burst = 0, type, flags = [] }: LimitData): boolean {
    if (rate === 0 || type !== 'pkts' || flags.length > 0) return false
    const info = written(xtLimit, { avg: Math.floor((unit * 10_000) / rate), burst })
    this.#parts.push(toPart({ name: 'limit', revision: 0, data: info }, this.#family))
    return true
  }

  /** How iptables-nft writes TRACE: a number, and the packet's mark of being traced set to it. */
  #trace({ key, sreg }: MetaData): boolean {
    if (key !== 'nftrace' || sreg === undefined) return false
    this.#target = { said: { name: 'TRACE' }, show: '' }
    return true
  }

  /** … and NFLOG. */
  #log({ group, prefix = '' }: { group?: number; prefix?: string }): boolean {
    if (group === undefined) return false
    const number = group ? [`--nflog-group ${group}`] : []
    const options = [...(prefix ? [`--nflog-prefix ${quoted(prefix)}`] : []), ...number].join(' ')
    this.#target = { said: { name: 'NFLOG', ...(options ? { options } : {}) }, show: options.replaceAll('--', '') }
    return true
  }

  #verdict({
    dreg,
    data,
  }: {
    dreg?: number
    data?: { value?: Uint8Array; verdict?: { code?: string | number; chain?: string } }
  }): boolean {
    const { code, chain = '' } = data?.verdict ?? {}
    // The one of TRACE.
    if (dreg !== 0 && data?.value?.[0] === 1) return true
    if (dreg !== 0 || code === undefined) return false
    if (code === 'jump' || code === 'goto') {
      const goto = code === 'goto'
      this.#target = { said: { name: chain, ...(goto ? { goto } : {}) }, show: '' }
      return true
    }
    if (code !== 'accept' && code !== 'drop' && code !== 'return') return false
    this.#target = { said: { name: code.toUpperCase() }, show: '' }
    return true
  }

  #invert(not: boolean, flag: string): true {
    if (not) this.#header.inverted.push(flag)
    return true
  }

  #openPorts(): Ports {
    if (!this.#ports) {
      this.#ports = { spts: [0, 0xffff], dpts: [0, 0xffff], invflags: [] }
      this.#parts.push('ports')
    }
    return this.#ports
  }

  #port(what: 'spts' | 'dpts', low: number, high: number, not: boolean): boolean {
    const { protocol } = this.#header
    if (protocol !== tcp && protocol !== udp) return false
    const ports = this.#openPorts()
    ports[what] = [low, high]
    if (not) ports.invflags.push(what === 'spts' ? 'srcpt' : 'dstpt')
    return true
  }

  #portPart(): Part {
    const info = this.#ports as never
    const isTcp = this.#header.protocol === tcp
    return toPart({ name: isTcp ? 'tcp' : 'udp', revision: 0, data: isTcp ? written(xtTcp, info) : written(xtUdp, info) }, this.#family)
  }
}

interface Value {
  readonly value?: Uint8Array
}
interface Comparison {
  readonly op?: string | number
  readonly data?: Value
}
interface RangeData {
  readonly op?: string | number
  readonly fromData?: Value
  readonly toData?: Value
}
interface MetaData {
  readonly key?: string | number
  readonly dreg?: number
  readonly sreg?: number
}
interface PayloadData {
  readonly base?: string | number
  readonly offset?: number
  readonly len?: number
  readonly dreg?: number
}
interface LimitData {
  readonly rate?: number
  readonly unit?: number
  readonly burst?: number
  readonly type?: string | number
  readonly flags?: readonly string[]
}
interface Compat {
  readonly name?: string
  readonly rev?: number
  readonly info?: Uint8Array
}

function metaLoad({ key }: MetaData): Load | undefined {
  const known: Readonly<Record<string, Load>> = {
    iifname: { what: 'in', length: 16 },
    oifname: { what: 'out', length: 16 },
    l4proto: { what: 'protocol', length: 1 },
    mark: { what: 'mark', length: 4 },
  }
  return known[String(key)]
}

function payloadLoad(
  { base, offset, len = 0 }: { base?: string | number; offset?: number; len?: number },
  family: 4 | 6,
): Load | undefined {
  const address = family === 4 ? 4 : 16
  if (base === 'networkHeader') {
    if (offset === sourceOffset[family] && len <= address) return { what: 'source', length: len }
    if (offset === destinationOffset[family] && len <= address) return { what: 'destination', length: len }
    if (offset === protocolOffset[family] && len === 1) return { what: 'protocol', length: 1 }
    if (family === 4 && offset === fragmentOffset && len === 2) return { what: 'fragment', length: 2 }
  }
  if (base === 'transportHeader') {
    if (offset === 0 && len === 2) return { what: 'spts', length: 2 }
    if (offset === 2 && len === 2) return { what: 'dpts', length: 2 }
    if (offset === tcpFlagsOffset && len === 1) return { what: 'flags', length: 1 }
  }
  return undefined
}

/** With its final zero it is the whole name, without it the beginning. */
function pattern(value: Uint8Array): string {
  const end = value.indexOf(0)
  const text = Buffer.from(end < 0 ? value : value.subarray(0, end)).toString('latin1')
  return end < 0 ? `${text}+` : text
}
