// Failed system calls of this layer as NetloomErrors: the words and the hint that fit what was being done.
import { errnoWords } from '../socket/errno.js'
import { isSystemCallError, NetloomError, systemError } from '../socket/error.js'
import { labelOf, type OpenNamespace } from './info.js'

export interface Attempt {
  /** What was being done: 'open namespace'. */
  readonly operation: string
  /** To what: 'blue'. */
  readonly subject?: string | undefined
  /** Where: the name of a namespace. */
  readonly namespace?: string | undefined
}

/** What an error code means here, and what to do about it. */
export type Meanings = Readonly<Record<string, { readonly reason?: string; readonly hint?: string; readonly code?: string }>>

/** The NetloomError of a failed system call; anything else stays what it is. */
export function failure(error: unknown, attempt: Attempt, meanings: Meanings = {}): unknown {
  const known = systemError(error, attempt)
  if (!(known instanceof NetloomError) || known === error) return known
  const meaning = meanings[known.code]
  if (!meaning) return known
  return new NetloomError(meaning.code ?? known.errno ?? known.code, {
    ...attempt,
    reason: meaning.reason ?? known.reason,
    hint: meaning.hint ?? known.hint,
    cause: error,
  })
}

/** Which system call failed: '' for errors that are none. */
export const syscallOf = (error: unknown): string => (isSystemCallError(error) ? error.syscall : '')

/** Throws when the namespace was closed. */
export function checkOpen({ handle, info }: OpenNamespace, attempt: Attempt): void {
  if (!handle.closed) return
  throw new NetloomError('EBADF', {
    ...attempt,
    reason: `${labelOf(info)} was closed or deleted: ${errnoWords(9).toLowerCase()}`,
    hint: 'open it again with Namespace.open()',
  })
}
