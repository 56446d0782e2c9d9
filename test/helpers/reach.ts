// Who reaches whom: servers that say what address asks them, and one question to a server, over TCP or UDP with real sockets.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Namespace } from '../../lib/index.js'
import { patience } from './patience.js'

export interface Answering extends AsyncDisposable {
  readonly port: number
}
/** Milliseconds after which nobody answers any more: what is dropped gives no sign. Less than the kernel takes to give up on a neighbour, which is one. */
const silence = Math.min(patience(400), 2_500)

/** Answers each connection, or datagram, with the address that it came from. */
export async function answer(where: Namespace, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Promise<Answering> {
  if (protocol === 'tcp') {
    const server = createServer(socket => socket.on('error', () => socket.destroy()).end(socket.remoteAddress ?? 'gone'))
    await where.listen(server, { port })
    return { port, [Symbol.asyncDispose]: async () => void server.close() }
  }
  const socket = await where.udp({ type: 'udp6', port })
  socket.on('message', (_, from) => socket.send(from.address, from.port, from.address))
  return { port, [Symbol.asyncDispose]: async () => void socket.close() }
}

/** The address that the server sees, 'refused', or 'nothing'. */
export async function reach(
  from: Namespace,
  host: string,
  port: number,
  protocol: 'tcp' | 'udp' = 'tcp',
  milliseconds = silence,
): Promise<string> {
  const signal = AbortSignal.timeout(milliseconds)
  const plain = (address: unknown) => String(address).replace('::ffff:', '')
  try {
    if (protocol === 'tcp') {
      const socket = await from.connect({ host, port, signal })
      const [said] = (await once(socket, 'data', { signal })) as [Buffer]
      socket.destroy()
      return plain(said)
    }
    const socket = await from.udp({ type: host.includes(':') ? 'udp6' : 'udp4' })
    try {
      socket.send('?', port, host)
      const [said] = (await once(socket, 'message', { signal })) as [Buffer]
      return plain(said)
    } finally {
      socket.close()
    }
  } catch (error) {
    if (signal.aborted) return 'nothing'
    if ((error as { code?: string }).code === 'ECONNREFUSED') return 'refused'
    return String((error as { code?: string }).code ?? error)
  }
}
