// Word of what was garbage-collected without having been closed: what it held is freed, and the program is told of it once.
import { debuglog } from 'node:util'

interface Held {
  /** 'namespace blue', 'watch' */
  readonly what: string
  readonly advice: string
  /** Where it was opened, if somebody wants to know. */
  readonly opened: string | undefined
  /** Frees what the collector cannot reach; false if nothing was held any more. */
  readonly free: () => boolean
}
export interface Unclosed {
  readonly what: string
  /** What should have been done: 'close() it'. */
  readonly advice: string
  /** Must not lead to the owner, which would then never be collected. */
  readonly free?: () => boolean
}

const finalizers = new FinalizationRegistry<Held>(collected)
const wanted = debuglog('netloom')
let told = false

/** From now on the owner has to be closed: being collected before that is worth a word. */
export function expectClose(owner: object, { what, advice, free = () => true }: Unclosed): void {
  finalizers.register(owner, { what, advice, free, opened: traced() ? stack() : undefined }, owner)
}

/** It was closed, as it should be. */
export function wasClosed(owner: object): void {
  finalizers.unregister(owner)
}

function collected({ what, advice, free, opened }: Held): void {
  if (!free() || told) return
  told = true
  const where = opened === undefined ? ' (node --trace-warnings says where it was opened)' : `; it was opened\n${opened}`
  process.emitWarning(`${what} was not closed before it was garbage-collected: ${advice}${where}`, {
    type: 'NetloomWarning',
    code: 'NETLOOM_NOT_CLOSED',
  })
}

/** Stacks cost far more than what they are of, so only on request: --trace-warnings, or NODE_DEBUG=netloom. */
const traced = () => wanted.enabled || ('traceProcessWarnings' in process && process.traceProcessWarnings === true)

const stack = () => new Error().stack?.split('\n').slice(2).join('\n')
