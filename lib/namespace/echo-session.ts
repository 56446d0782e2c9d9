// One run of ping: sends the requests, matches what comes back to them, and counts.
import { errnoName, errnoWords } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import type { Packet, PacketSocket } from '../socket/native.js'
import {
  decodeEchoReply,
  decodeQuotedRequest,
  describeIcmpError,
  type Echo,
  encodeEchoRequest,
  type Family,
  stripIpv4Header,
} from './icmp.js'
import { socketAddressText } from './sockaddr.js'

export interface PingReply {
  /** Counts from 1. */
  readonly sequence: number
  /** Round trip in milliseconds. */
  readonly time: number
  /** Time to live (hop limit) that was left when the answer arrived. */
  readonly ttl?: number
}
/** A request that was refused: by a router or host on the way, or by this machine's own kernel. */
export interface PingFault {
  readonly sequence: number
  /** 'EHOSTUNREACH' */
  readonly code: string
  /** 'host unreachable' */
  readonly reason: string
  /** Who said so; missing when the kernel here refused to send. */
  readonly from?: string
}
export interface PingResult {
  readonly sent: number
  readonly received: number
  /** Requests that were refused instead of answered. */
  readonly unreachable: number
  /** Part of the requests that were not answered, 0 to 1. */
  readonly loss: number
  /** Further answers to requests that had been answered; not in `received`. */
  readonly duplicates: number
  /** Round trips in milliseconds; missing when there was none. */
  readonly rtt?: { readonly min: number; readonly avg: number; readonly max: number }
  readonly replies: readonly PingReply[]
  readonly errors: readonly PingFault[]
}

export interface EchoSettings {
  readonly family: Family
  /** A raw socket, which sees everybody's answers, and for IPv4 the IP header; else a ping socket, which puts in its own identifier. */
  readonly raw: boolean
  /** sockaddr of the target. */
  readonly address: Uint8Array
  readonly identifier: number
  readonly payload: Uint8Array
  readonly count: number
  /** Seconds. */
  readonly interval: number
  readonly timeout: number
}

interface Request {
  /** When it was sent and answered, by the kernel's clock, in nanoseconds. */
  sent?: bigint
  answered?: bigint
  ttl?: number | undefined
  fault?: PingFault
}

/** SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6 (`linux/errqueue.h`). */
const FROM_NETWORK = [2, 3]
/** As many bytes of the payload are random. */
const COOKIE = 16
/** Milliseconds in which answers that the kernel has received in time find their way through a busy event loop. */
const GRACE = 25
/** An error of an earlier request can make a send fail in its place, so a later one is tried again this often. */
const ATTEMPTS = 3

export class EchoSession {
  readonly #socket: PacketSocket
  readonly #settings: EchoSettings
  readonly #requests = new Map<number, Request>()
  /** Never resolves; rejects when the run shall end early. */
  readonly #stopped: Promise<never>
  #stop!: (reason: unknown) => void
  #open = 0
  #duplicates = 0
  #wake: () => void = () => {}

  constructor(socket: PacketSocket, settings: EchoSettings) {
    this.#socket = socket
    this.#settings = settings
    this.#stopped = new Promise((_, reject) => {
      this.#stop = reject
    })
    // run() may not be waiting at that moment; it looks again when it does.
    this.#stopped.catch(() => {})
  }

  /** Ends run(), which then rejects with the reason. */
  stop(reason: unknown): void {
    this.#stop(reason)
  }

  /** Sends all requests and waits for their answers. The socket stays open: closing it ends the reading. */
  async run(): Promise<PingResult> {
    const { count, interval } = this.#settings
    const reading = this.#read()
    // Its failure matters only while this function waits; afterwards the socket is closed and the reading ends in ECANCELED.
    reading.catch(error => this.stop(error))
    for (let sequence = 1; sequence <= count; sequence++) {
      if (sequence > 1) await this.#pause(interval * 1000)
      await this.#send(sequence)
    }
    await this.#answers()
    return this.#result()
  }

  async #send(sequence: number): Promise<void> {
    const { family, identifier, payload, address } = this.#settings
    const request: Request = {}
    this.#requests.set(sequence, request)
    this.#open++
    const bytes = encodeEchoRequest(family, { identifier, sequence, payload })
    for (let attempt = 1; ; attempt++) {
      try {
        request.sent = await Promise.race([this.#socket.send(bytes, address), this.#stopped])
        return
      } catch (error) {
        if (sequence === 1 || !isSystemCallError(error)) throw error
        if (attempt < ATTEMPTS) continue
        this.#refuse(sequence, request, error.errno, errnoWords(error.errno), undefined)
        return
      }
    }
  }

  async #read(): Promise<void> {
    for (;;) {
      for (const packet of await this.#socket.receive()) {
        if (packet.error) this.#takeError(packet, packet.error)
        else this.#takeReply(packet)
      }
    }
  }

  #takeReply({ data, time, ttl }: Packet): void {
    const { family, raw } = this.#settings
    const stripped = raw && family === 4 ? stripIpv4Header(data) : { ttl, payload: data }
    const echo = stripped && decodeEchoReply(family, stripped.payload)
    const request = echo && this.#matching(echo)
    if (!request || !hasPrefix(echo.payload, this.#settings.payload.subarray(0, COOKIE))) return
    if (request.answered !== undefined) {
      this.#duplicates++
      return
    }
    request.answered = time
    request.ttl = stripped.ttl
    if (!request.fault) this.#settle()
  }

  #takeError({ data }: Packet, error: NonNullable<Packet['error']>): void {
    const { family } = this.#settings
    const echo = decodeQuotedRequest(family, data)
    const request = echo && this.#matching(echo)
    if (!request) return
    const network = FROM_NETWORK.includes(error.origin)
    const reason = network ? describeIcmpError(family, error.type, error.code) : errnoWords(error.errno)
    this.#refuse(echo.sequence, request, error.errno, reason, network ? socketAddressText(error.offender) : undefined)
  }

  #matching(echo: Echo): Request | undefined {
    if (this.#settings.raw && echo.identifier !== this.#settings.identifier) return undefined
    return this.#requests.get(echo.sequence)
  }

  #refuse(sequence: number, request: Request, errno: number, reason: string, from: string | undefined): void {
    if (request.fault || request.answered !== undefined) return
    request.fault = { sequence, code: errnoName(errno), reason, ...(from !== undefined && { from }) }
    this.#settle()
  }

  #settle(): void {
    this.#open--
    if (this.#open === 0) this.#wake()
  }

  /** Until every request is answered, refused, or out of time; the last has been sent by now. */
  async #answers(): Promise<void> {
    if (this.#open === 0) return
    const settled = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    await this.#pause(this.#settings.timeout * 1000, settled)
    // A loop that was busy runs its timers before it looks at what arrived meanwhile.
    if (this.#open > 0) await this.#pause(GRACE, settled)
  }

  async #pause(milliseconds: number, until?: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>(resolve => {
      timer = setTimeout(resolve, milliseconds)
    })
    try {
      await Promise.race([over, this.#stopped, ...(until ? [until] : [])])
    } finally {
      clearTimeout(timer)
    }
  }

  #result(): PingResult {
    const replies: PingReply[] = []
    const errors: PingFault[] = []
    for (const [sequence, { sent, answered, ttl, fault }] of this.#requests) {
      const time = sent === undefined || answered === undefined ? undefined : milliseconds(sent, answered)
      if (fault) errors.push(fault)
      else if (time !== undefined && time <= this.#settings.timeout * 1000)
        replies.push({ sequence, time, ...(ttl !== undefined && { ttl }) })
    }
    const sent = this.#requests.size
    const received = replies.length
    const times = replies.map(({ time }) => time)
    const rtt = { min: Math.min(...times), avg: times.reduce((sum, time) => sum + time, 0) / received, max: Math.max(...times) }
    const counts = { sent, received, unreachable: errors.length, loss: 1 - received / sent, duplicates: this.#duplicates }
    return { ...counts, ...(received > 0 && { rtt }), replies, errors }
  }
}

/** The clock is the machine's: if it is set back in between, no trip takes less than nothing. */
const milliseconds = (from: bigint, to: bigint) => Math.max(0, Number(to - from) / 1e6)

const hasPrefix = (bytes: Uint8Array, prefix: Uint8Array) => prefix.every((byte, i) => bytes[i] === byte)
