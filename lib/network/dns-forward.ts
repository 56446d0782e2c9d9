// Questions handed on to the servers that the machine asks itself, from sockets in the host namespace.
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Namespace } from '../kernel/namespace.js'
import type { Forward } from './dns-answer.js'
import { ifThere } from './state-files.js'

/** Milliseconds after which the next server is asked. */
const patience = 2_000
/** Questions under way at a time; more are answered with a failure at once, so that nobody can fill the memory. */
const most = 256

/** The name servers of resolv.conf(5), at most the three that the C library asks. */
export function nameServers(text: string): string[] {
  const lines = text.split('\n').map(line => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '')
  return lines.filter(address => isIP(address) !== 0 && !address.includes('%')).slice(0, 3)
}

/** Asks each server in turn. Without `servers` those that /etc/resolv.conf names at that moment. */
export function forwarder(host: Namespace, servers: readonly string[] | undefined): Forward {
  let running = 0
  return async query => {
    if (running >= most) return undefined
    running++
    try {
      for (const server of servers ?? nameServers((await ifThere(readFile('/etc/resolv.conf', 'utf8'))) ?? '')) {
        const answer = await ask(host, server, query)
        if (answer) return answer
      }
      return undefined
    } finally {
      running--
    }
  }
}

/** A socket for each question: its random port is what keeps others from answering in the server's place (RFC 5452). */
async function ask(host: Namespace, server: string, query: Buffer): Promise<Buffer | undefined> {
  const socket = await host.udp({ type: isIP(server) === 4 ? 'udp4' : 'udp6' })
  try {
    return await new Promise<Buffer | undefined>(resolve => {
      const end = setTimeout(() => resolve(undefined), patience)
      const done = (answer: Buffer | undefined) => {
        clearTimeout(end)
        resolve(answer)
      }
      socket.on('message', (message, { address, port }) => {
        const sameQuestion = message.length >= 12 && message.readUInt16BE(0) === query.readUInt16BE(0)
        if (sameQuestion && port === 53 && same(address, server)) done(message)
      })
      // An unreachable server is one that does not answer: the next one is asked.
      socket.on('error', () => done(undefined))
      socket.send(query, 53, server, error => {
        if (error) done(undefined)
      })
    })
  } finally {
    socket.close()
  }
}

const same = (a: string, b: string): boolean => a === b || normal(a) === normal(b)
const normal = (address: string): string => (isIP(address) === 6 ? new URL(`http://[${address}]`).hostname : address)
