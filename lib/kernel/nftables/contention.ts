// Waiting where others change the rule set at the same time.
import { setTimeout } from 'node:timers/promises'
import { AbortError } from '../../socket/error.js'

/** Tries of what others can come in between, before it is given up. */
export const attempts = 60
/** Milliseconds. */
const longestWait = 1000

/**
 * To be awaited after a try that others spoilt: up to twice as long as after the one before, since many who read the rule set before they write
 * must not all come back at once. Throws AbortError.
 */
export async function backOff(attempt: number, operation: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await setTimeout(Math.random() * Math.min(2 ** attempt, longestWait), undefined, { ...(signal && { signal }) })
  } catch (error) {
    throw signal?.aborted ? new AbortError(operation, signal) : error
  }
}
