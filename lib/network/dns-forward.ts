// Questions handed on to the servers that the machine asks itself, from sockets in the host namespace: over UDP, and over TCP what does not fit.
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Namespace } from '../kernel/namespace.js'
import type { Forward, Transport } from './dns-answer.js'
import { framed, isTruncated, questionEnd, Unframer } from './dns-frame.js'
import { ifThere } from './state-files.js'

/** Milliseconds after which the next server is asked. */
const patience = 2_000
/** Questions under way at a time; more are answered with a failure at once, so that nobody can fill the memory. */
const most = 256
const port = 53

/** The name servers of resolv.conf(5), at most the three that the C library asks. */
export function nameServers(text: string): string[] {
  const lines = text.split('\n').map(line => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
  return lines.filter(address => isIP(address) !== 0 && !address.includes('%')).slice(0, 3)
}

/** Asks each server in turn. Without `servers` those that /etc/resolv.conf names at that moment. */
export function forwarder(host: Namespace, servers: readonly string[] | undefined): Forward {
  let running = 0
  return async (query, over) => {
    if (running >= most) return undefined
    running++
    try {
      for (const server of servers ?? nameServers((await ifThere(readFile('/etc/resolv.conf', 'utf8'))) ?? '')) {
        const answer = await askServer(host, server, query, over)
        if (answer) return answer
      }
      return undefined
    } finally {
      running--
    }
  }
}

/** With a number of our own, so that who asked us, and knows the one that he chose, cannot answer in the server's place. */
async function askServer(host: Namespace, server: string, query: Buffer, over: Transport): Promise<Buffer | undefined> {
  const own = Buffer.from(query)
  own.writeUInt16BE(randomInt(0x1_0000), 0)
  const short = await overUdp(host, server, own)
  // Who asked over UDP gets the cut one, and asks again; a server without TCP has said what it can.
  const answer = short && over === 'tcp' && isTruncated(short) ? ((await overTcp(host, server, own)) ?? short) : short
  answer?.writeUInt16BE(query.readUInt16BE(0), 0)
  return answer
}

/** A socket for each question: its random port is what keeps others from answering in the server's place (RFC 5452). */
async function overUdp(host: Namespace, server: string, query: Buffer): Promise<Buffer | undefined> {
  const socket = await host.udp({ type: isIP(server) === 4 ? 'udp4' : 'udp6' })
  try {
    return await new Promise<Buffer | undefined>(resolve => {
      const end = setTimeout(() => resolve(undefined), patience)
      const done = (answer: Buffer | undefined) => {
        clearTimeout(end)
        resolve(answer)
      }
      socket.on('message', (message, from) => {
        if (from.port === port && same(from.address, server) && answers(message, query)) done(message)
      })
      // An unreachable server is one that does not answer: the next one is asked.
      socket.on('error', () => done(undefined))
      socket.send(query, port, server, error => {
        if (error) done(undefined)
      })
    })
  } finally {
    socket.close()
  }
}

async function overTcp(host: Namespace, server: string, query: Buffer): Promise<Buffer | undefined> {
  const signal = AbortSignal.timeout(patience)
  try {
    const socket = await host.connect({ host: server, port, signal })
    const stop = () => socket.destroy()
    signal.addEventListener('abort', stop)
    try {
      const messages = new Unframer()
      socket.write(framed(query))
      for await (const data of socket) for (const message of messages.add(data as Buffer)) if (answers(message, query)) return message
      return undefined
    } finally {
      signal.removeEventListener('abort', stop)
      socket.destroy()
    }
  } catch (error) {
    // Refused, broken off, too slow: there is no more to be had.
    if (signal.aborted || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

/** The number and the question are those that were sent: RFC 5452 wants both compared. */
function answers(message: Buffer, query: Buffer): boolean {
  if (message.length < 12 || message.readUInt16BE(0) !== query.readUInt16BE(0) || !(message.readUInt16BE(2) & 0x8000)) return false
  const end = questionEnd(query)
  // Some errors come without the question.
  if (message.readUInt16BE(4) === 0) return true
  return message.subarray(12, end).toString('latin1').toLowerCase() === query.subarray(12, end).toString('latin1').toLowerCase()
}

const same = (a: string, b: string): boolean => a === b || normal(a) === normal(b)
const normal = (address: string): string => (isIP(address) === 6 ? new URL(`http://[${address}]`).hostname : address)
