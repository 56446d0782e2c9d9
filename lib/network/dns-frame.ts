// DNS messages on the wire, as far as passing them on needs to know them (RFC 1035): lengths over TCP, the question, and what does not fit into a datagram.
import type { Packet } from 'dns-packet'
import { dnsWire } from './dns-wire.js'

/** Without EDNS an answer over UDP has at most so many bytes. */
const least = 512
/** What goes through everywhere without being fragmented; clients that say more get no more. */
const most = 1_232

/** The message with its length in front, as it goes over TCP. */
export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** Takes messages out of what comes over TCP, in whatever pieces. */
export class Unframer {
  #waiting = Buffer.alloc(0)

  add(data: Buffer): Buffer[] {
    this.#waiting = Buffer.concat([this.#waiting, data])
    const messages: Buffer[] = []
    while (this.#waiting.length >= 2) {
      const end = 2 + this.#waiting.readUInt16BE(0)
      if (this.#waiting.length < end) break
      messages.push(this.#waiting.subarray(2, end))
      this.#waiting = this.#waiting.subarray(end)
    }
    return messages
  }
}

/** The bytes that an answer to this question may have over UDP (RFC 6891). */
export function roomFor({ additionals = [] }: Packet): number {
  const size = additionals.map(one => (one.type === 'OPT' ? one.udpPayloadSize : 0)).find(Boolean) ?? least
  return Math.min(Math.max(size, least), most)
}

export const isTruncated = (message: Buffer): boolean =>
  message.length >= 12 && (message.readUInt16BE(2) & dnsWire().TRUNCATED_RESPONSE) !== 0

/** What is too long is cut off behind the question, with the flag that says so: it is asked for again over TCP. */
export function fitting(answer: Buffer, room: number): Buffer {
  if (answer.length <= room) return answer
  const short = Buffer.from(answer.subarray(0, questionEnd(answer)))
  short.writeUInt16BE(answer.readUInt16BE(2) | dnsWire().TRUNCATED_RESPONSE, 2)
  for (const count of [6, 8, 10]) short.writeUInt16BE(0, count)
  return short
}

/** Where the one question of a message ends. */
export function questionEnd(message: Buffer): number {
  let at = 12
  while (at < message.length && message[at] !== 0) at += (message[at] ?? 0) + 1
  return Math.min(at + 5, message.length)
}
