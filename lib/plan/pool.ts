// Namespaces made ahead of need: a few stay prepared, are handed out at once, and are made anew in the background.
import { argumentError } from '../codec/errors.js'
import { checkOptions, isBoolean, isFunction, isInteger, isOneOf, isSignal } from '../kernel/arguments.js'
import { Namespace } from '../kernel/namespace.js'
import type { OpenNamespace } from '../namespace/info.js'
import { onAbort } from '../socket/abort.js'
import { AbortError, NetloomError } from '../socket/error.js'
import { expectClose, wasClosed } from '../socket/unclosed.js'
import { creates, endsOf } from './compile-link.js'
import type { Item, PlanData } from './items.js'
import { Plan, type PlanNamespaceOptions } from './plan.js'
import type { PlanNamespace } from './plan-namespace.js'

export interface NamespacePoolOptions extends PlanNamespaceOptions {
  /** How many are kept ready, 1 to 65,536. Each holds a descriptor. */
  readonly size: number
  /**
   * Says what is in each, as in a plan: `plan` is the namespace in it, `number` counts from 0 and is never given twice. Links may have their
   * other end elsewhere, in a bridge of the host, say.
   */
  readonly prepare?: (plan: PlanNamespace, number: number) => void
}
export interface TakeOptions {
  /** Stops the waiting. */
  readonly signal?: AbortSignal
}

interface Taker {
  resolve(opened: OpenNamespace): void
  reject(error: unknown): void
}

const operation = 'take namespace'
/** Namespaces being made at a time: the kernel makes them under one lock, and a second one fills the pauses. */
const atOnce = 2
/** Milliseconds from a failure to the next try: doubled each time up to the most. */
const [firstPause, longestPause] = [50, 1000]

/**
 * Keeps namespaces ready for those who need one now. `await using pool = new NamespacePool({ size: 8 })` disposes those that nobody took; what
 * take() has given belongs to the taker.
 *
 * They have no name: one that is given up, by whatever end of this process, is gone with all that is in it.
 */
export class NamespacePool implements AsyncDisposable {
  readonly #options: NamespacePoolOptions
  readonly #ready: OpenNamespace[] = []
  /** In the order in which they came. */
  readonly #waiting = new Set<Taker>()
  readonly #making = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  /** What could not be taken back of namespaces that were being made at the end. */
  readonly #trouble: unknown[] = []
  #number = 0
  #pause = 0
  #notBefore = 0
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  /** Begins to fill it at once. Throws ERR_NETLOOM_… for wrong arguments; what else goes wrong, take() tells. */
  constructor(options: NamespacePoolOptions) {
    checkOptions(options, {
      size: isInteger(1, 65_536),
      prepare: isFunction,
      loopback: isBoolean,
      ipv6: isOneOf(['none', 'static', 'kernel']),
    })
    if (options.size === undefined)
      throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'how many namespaces are to be kept ready must be said', 'size')
    this.#options = { ...options }
    expectClose(this, { what: 'a namespace pool', advice: 'declare it with await using' })
    this.#fill()
  }

  /** How many can be taken without waiting. */
  get ready(): number {
    return this.#ready.length
  }

  /**
   * Hands out a namespace, the oldest first, and has another one made. It is the caller's: `await using namespace = await pool.take()`. When
   * none is ready it waits for the next one, in turn.
   *
   * Errors: those of `prepare`, and of Plan.apply() with what it says; all who wait get them, and the next try comes after a pause of 50 ms to
   * 1 s. EBADF when the pool is closed; AbortError.
   */
  async take(options: TakeOptions = {}): Promise<Namespace> {
    checkOptions(options, { signal: isSignal })
    const { signal } = options
    if (this.#closing) throw closed()
    if (signal?.aborted) throw new AbortError(operation, signal)
    const opened = this.#ready.shift() ?? (await this.#wait(signal))
    // Whoever has waited for this one comes first.
    setImmediate(() => this.#fill())
    return Namespace.adopt(opened)
  }

  /** Disposes what nobody has taken, with all that is in it, and refuses those who wait. Doing it twice is fine. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    wasClosed(this)
    clearTimeout(this.#timer)
    this.#refuse(closed())
    this.#stop.abort(closed())
    await Promise.all(this.#making)
    for (const { handle } of this.#ready.splice(0)) handle.close()
    if (this.#trouble.length > 0) throw this.#trouble[0]
  }

  #wait(signal: AbortSignal | undefined): Promise<OpenNamespace> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        this.#waiting.delete(taker)
        release?.()
      }
      const taker: Taker = {
        resolve: opened => {
          settled()
          resolve(opened)
        },
        reject: error => {
          settled()
          reject(error)
        },
      }
      const release = signal && onAbort(signal, () => taker.reject(new AbortError(operation, signal)))
      this.#waiting.add(taker)
      this.#fill()
    })
  }

  #refuse(error: unknown): void {
    for (const taker of [...this.#waiting]) taker.reject(error)
  }

  #fill(): void {
    if (this.#closing) return
    clearTimeout(this.#timer)
    const pause = this.#notBefore - performance.now()
    if (pause > 0) {
      // A timer alone keeps neither the process nor a forgotten pool; somebody who waits does.
      const isAwaited = this.#waiting.size > 0
      this.#timer = NamespacePool.#fillLater(isAwaited ? { deref: () => this } : new WeakRef(this), pause)
      if (!isAwaited) this.#timer.unref()
      return
    }
    while (this.#making.size < atOnce && this.#ready.length + this.#making.size < this.#options.size) {
      const making = this.#make(this.#number++).finally(() => {
        this.#making.delete(making)
        this.#fill()
      })
      this.#making.add(making)
    }
  }

  /** Static, so that the timer's closure does not hold the pool. */
  static #fillLater(pool: { deref(): NamespacePool | undefined }, milliseconds: number): NodeJS.Timeout {
    const fill = () => {
      const held = pool.deref()
      if (held) held.#fill()
    }
    return setTimeout(fill, milliseconds)
  }

  async #make(number: number): Promise<void> {
    try {
      const opened = await prepared(this.#options, number, this.#stop.signal)
      this.#pause = 0
      const [taker] = this.#waiting
      if (taker) taker.resolve(opened)
      else this.#ready.push(opened)
    } catch (error) {
      this.#pause = Math.min(Math.max(this.#pause * 2, firstPause), longestPause)
      this.#notBefore = performance.now() + this.#pause
      this.#refuse(error)
      if (this.#closing && error instanceof Error && 'leftovers' in error && error.leftovers !== undefined) this.#trouble.push(error)
    }
  }
}

async function prepared(options: NamespacePoolOptions, number: number, signal: AbortSignal): Promise<OpenNamespace> {
  const { prepare, size: _, ...rest } = options
  const plan = new Plan()
  const inside = plan.namespace(undefined, rest)
  const given: unknown = prepare?.(inside, number)
  if (typeof given === 'object' && given !== null && 'then' in given) {
    // Refused whatever comes of it: an error of its own, which nobody waits for, would end the process.
    Promise.resolve(given).catch(() => undefined)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'only says what is to be done: it cannot wait for anything', 'prepare')
  }
  checkInside(plan.data(), inside.number)
  const result = await plan.apply({ signal })
  return result.release(inside)!
}

/** What would stay when the namespace goes belongs to nobody. */
function checkInside(data: PlanData, inside: number): void {
  for (const item of data.items)
    if (staysBehind(data, item, inside))
      throw argumentError('ERR_NETLOOM_INVALID_PLAN', 'would stay when the namespace goes: it has no end in it', item.path)
}

function staysBehind({ items }: PlanData, item: Item, inside: number): boolean {
  if (creates(item)) return endsOf(item).every(end => end.in !== inside)
  if (item.verb !== 'links.move' || item.to.number === inside) return false
  const moved = typeof item.link === 'object' ? items[item.link.item] : undefined
  return !(moved && creates(moved) && moved.spec.kind === 'veth')
}

const closed = () => new NetloomError('EBADF', { operation, reason: 'the pool has been closed' })
