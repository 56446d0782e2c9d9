// Waiting for an AbortSignal. However many wait, the signal has one listener: Node takes eleven for a leak, and says so to whoever made the signal.

interface Waiting {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}
const waiting = new WeakMap<AbortSignal, Waiting>()

/** Calls back when the signal says so, but not if it has said so already; what it gives takes that back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, listener } = waiting.get(signal) ?? listen(signal)
  // The same function may wait twice.
  const own = () => callback()
  callbacks.add(own)
  return () => {
    if (!callbacks.delete(own) || callbacks.size > 0) return
    // A signal that is listened to is kept alive.
    signal.removeEventListener('abort', listener)
    waiting.delete(signal)
  }
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>()
  const listener = () => {
    for (const callback of [...callbacks]) callback()
  }
  signal.addEventListener('abort', listener, { once: true })
  waiting.set(signal, { callbacks, listener })
  return { callbacks, listener }
}
