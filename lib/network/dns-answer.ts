// Answers to questions about names: those of the network from the network, all others from the servers that the machine asks itself.
import type { Answer, Packet, Question } from 'dns-packet'
import { formatIp, parseIpv4 } from '../codec/ip.js'
import { fitting, roomFor } from './dns-frame.js'
import type { Names } from './dns-names.js'
import { dnsWire } from './dns-wire.js'

/** Seconds for which an answer about an endpoint may be kept; Docker says 600, which outlives what it is about. */
const ttl = 5
/** How the low bits of a header's flags say that something went wrong (RFC 1035). */
const codes = { FORMERR: 1, SERVFAIL: 2, NOTIMP: 4, REFUSED: 5 } as const

export type Transport = 'udp' | 'tcp'
/** Asks other servers; undefined if none answers. Takes and gives whole messages; over UDP the answer may be one that is cut off. */
export type Forward = (query: Buffer, over: Transport) => Promise<Buffer | undefined>
/** What an answer is made with, and how the question came. */
export interface Asked {
  readonly names: Names
  readonly forward: Forward
  readonly over: Transport
}

/** The answer to a message; undefined to what deserves none. Over UDP it fits into what the client takes. */
export async function answerTo(message: Buffer, asked: Asked): Promise<Buffer | undefined> {
  const query = parse(message)
  const answer = query && (await answerQuery(message, query, asked))
  return answer && asked.over === 'udp' ? fitting(answer, roomFor(query)) : answer
}

async function answerQuery(message: Buffer, query: Packet, { names, forward, over }: Asked): Promise<Buffer | undefined> {
  if (query.type !== 'query') return undefined
  const [question, ...more] = query.questions ?? []
  if (!question || more.length > 0) return failed(query, 'FORMERR')
  if (((query.flags ?? 0) & 0x7800) !== 0) return failed(query, 'NOTIMP')
  const answers = await own(question, names)
  const { encode, AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE } = dnsWire()
  if (answers) return encode({ ...head(query), flags: (query.flags ?? 0) | AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE, answers })
  return (await forward(message, over)) ?? failed(query, 'SERVFAIL')
}

/** What the network knows: an empty list for a name that has nothing of that type, undefined for names that are not its own. */
async function own({ name, type }: Question, names: Names): Promise<Answer[] | undefined> {
  if (type === 'PTR') {
    const address = reversed(name)
    const found = address === undefined ? undefined : await names.nameOf(address)
    return found === undefined ? undefined : [{ name, type: 'PTR', ttl, data: found }]
  }
  const ipv4 = await names.addresses(name, 4)
  if (!ipv4) return undefined
  if (type === 'A') return shuffled(ipv4).map(data => ({ name, type: 'A', ttl, data }))
  if (type === 'AAAA') return shuffled((await names.addresses(name, 6)) ?? []).map(data => ({ name, type: 'AAAA', ttl, data }))
  return []
}

const head = ({ id = 0, questions = [] }: Packet): Packet => ({ type: 'response', id, questions })
function failed(query: Packet, code: keyof typeof codes): Buffer {
  const { encode, RECURSION_DESIRED, RECURSION_AVAILABLE } = dnsWire()
  return encode({ ...head(query), flags: ((query.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE | codes[code] })
}

/** Whatever comes over the network: what is no message is not answered. */
function parse(message: Buffer): Packet | undefined {
  const { decode } = dnsWire()
  try {
    return decode(message)
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/** Of several with one alias each gets its share. */
function shuffled<T>(values: readonly T[]): T[] {
  const from = Math.floor(Math.random() * values.length)
  return [...values.slice(from), ...values.slice(0, from)]
}

/** The address that a name under in-addr.arpa or ip6.arpa stands for. */
export function reversed(name: string): string | undefined {
  const lower = name.toLowerCase().replace(/\.$/, '')
  const ipv4 = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(lower)?.[1]
  if (ipv4 !== undefined) {
    const bytes = parseIpv4(ipv4.slice(0, -1).split('.').reverse().join('.'))
    return bytes && formatIp(bytes)
  }
  const ipv6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(lower)?.[1]
  return ipv6 === undefined ? undefined : formatIp(Buffer.from(ipv6.replaceAll('.', '').split('').reverse().join(''), 'hex'))
}
