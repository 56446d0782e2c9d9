// Faults where the library meets the kernel: each call into the addon, and each exchange on a socket, can be refused, cut short or lose its answer.
import { type Native, type NetlinkSocket, native, type Performed, type SystemCallError } from '../../lib/socket/native.js'

/**
 * 'refused': nothing is done. 'half': the first half of the messages is carried out, as when a later part cannot be sent. 'lost': everything is
 * carried out, and the kernel had no room for the answer.
 */
export type Manner = 'refused' | 'half' | 'lost'
type Call = (...args: never[]) => unknown
type PerformArguments = Parameters<Native['perform']>

const errors = { refused: [12, 'ENOMEM'], half: [12, 'ENOMEM'], lost: [105, 'ENOBUFS'] } as const

function failure(manner: Manner, syscall: string): Error {
  const [errno, code] = errors[manner]
  return Object.assign(new Error(`injected: ${syscall}: ${code}`), { errno, syscall })
}

/** Stands between the library and the addon until it is disposed of. */
export class Faults implements Disposable {
  /** Calls counted so far, and what they were. */
  readonly calls: string[] = []
  #fail: ((call: string, number: number) => Manner | undefined) | undefined
  readonly #addon = native() as unknown as Record<string, Call>
  readonly #real: Readonly<Record<string, Call>> = { ...this.#addon }

  constructor() {
    for (const [name, call] of Object.entries(this.#real)) {
      if (typeof call !== 'function' || synchronous.has(name)) continue
      this.#addon[name] = async (...args: never[]) => {
        const manner = this.#next(name)
        if (manner && name === 'perform') return this.#stopped(manner, args as unknown as PerformArguments)
        if (manner && name === 'removeNamespaces') return (args[0] as unknown as readonly string[]).map(() => failure(manner, 'umount2'))
        if (manner) throw failure('refused', name)
        const result = await call(...args)
        return name === 'openNetlink' ? this.#watched(result as NetlinkSocket) : result
      }
    }
  }

  /** From now on calls are counted from 0, and those fail of which `which` says how. */
  arm(which: (call: string, number: number) => Manner | undefined): void {
    this.calls.length = 0
    this.#fail = which
  }

  disarm(): void {
    this.#fail = undefined
  }

  [Symbol.dispose](): void {
    this.disarm()
    Object.assign(this.#addon, this.#real)
  }

  #next(name: string): Manner | undefined {
    if (!this.#fail) return undefined
    this.calls.push(name)
    return this.#fail(name, this.calls.length - 1)
  }

  /** None or some of the jobs; of the one after them nothing, or all of it without anybody hearing of it. */
  async #stopped(manner: Manner, [jobs, content, protocol]: PerformArguments): Promise<Performed> {
    const done = manner === 'refused' ? 0 : Math.floor(jobs.length / 2)
    const perform = this.#real.perform as unknown as Native['perform']
    const all = await perform(jobs.slice(0, manner === 'lost' ? done + 1 : done), content, protocol)
    const error = failure(manner, 'sendmsg') as SystemCallError
    return all.step === undefined ? { ...all, done, step: manner === 'lost' ? 0 : -1, error } : all
  }

  #watched(socket: NetlinkSocket): NetlinkSocket {
    const exchange: NetlinkSocket['exchange'] = async (messages, ...rest) => {
      const manner = this.#next('exchange')
      if (manner === 'lost') await socket.exchange(messages, ...rest)
      if (manner === 'half') await socket.exchange(firstHalf(messages))
      if (manner) throw failure(manner, 'sendmsg')
      return socket.exchange(messages, ...rest)
    }
    return {
      port: socket.port,
      exchange,
      more: maxBytes => socket.more(maxBytes),
      transmit: (messages, bytes) => socket.transmit(messages, bytes),
      receive: maxBytes => socket.receive(maxBytes),
      peek: () => socket.peek(),
      readable: () => socket.readable(),
      receiveNow: maxBytes => socket.receiveNow(maxBytes),
      close: () => socket.close(),
    }
  }
}

/** They are no requests to the kernel, or their results are there at once. */
const synchronous = new Set<string>(['currentNamespace', 'runInside', 'execInside'] satisfies (keyof Native)[])

function firstHalf(messages: Uint8Array): Uint8Array {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.byteLength)
  const starts: number[] = []
  for (let at = 0; at < messages.length; at += (view.getUint32(at, true) + 3) & ~3) starts.push(at)
  // Of one message, all of it: whether it was carried out nobody can tell.
  return messages.slice(0, starts[Math.ceil(starts.length / 2)] ?? messages.length)
}
