// NetloomError: what the system refused, in the kernel's words, with the caller's path to the offending field and what to do about it.
import { onAbort } from './abort.js'
import { errnoName, errnoNumbers, errnoWords } from './errno.js'

export interface NetloomErrorFields {
  /** What was being done: 'create link'. */
  readonly operation: string
  /** To what: 'veth0'. */
  readonly subject?: string | undefined
  /** Where: the name of a namespace. */
  readonly namespace?: string | undefined
  /** The field of the caller's object: 'options.id', in a plan 'links[3].peer.name'. */
  readonly path?: string | undefined
  /** The kernel's name of that field: 'IFLA_VXLAN_ID'. */
  readonly attribute?: string | undefined
  /** The kernel's own words, or the C library's where it says none. */
  readonly reason?: string | undefined
  /** What to do about it. */
  readonly hint?: string | undefined
  /** What an undo could not remove. */
  readonly leftovers?: readonly string[] | undefined
  /** Everything that was refused, where several things were asked for at once; this error is the first of them. */
  readonly errors?: readonly NetloomError[] | undefined
  readonly cause?: unknown
}

/** Hints for errors whose meaning is the same whatever was asked. */
const commonHints: Readonly<Record<string, string>> = {
  EPERM: 'this needs CAP_NET_ADMIN in the user namespace that owns the network namespace: run as root, or in a user namespace of your own',
  EACCES: 'this needs more rights: run as root, or in a user namespace of your own',
  EMFILE: 'too many open descriptors: close namespaces that are no longer needed, or raise the limit (ulimit -n)',
  ENFILE: 'the machine has too many open files: see fs.file-max',
  ENOBUFS: 'the socket buffer overflowed: raise net.core.rmem_max, or ask for less at once',
}

/** What the system refuses. Wrong arguments are a TypeError or RangeError with an ERR_NETLOOM_… code instead. */
export class NetloomError extends Error implements NetloomErrorFields {
  override readonly name = 'NetloomError'
  /** 'EEXIST' */
  readonly code: string
  readonly errno?: number
  readonly operation: string
  declare readonly subject?: string
  declare readonly namespace?: string
  declare readonly path?: string
  declare readonly attribute?: string
  declare readonly reason?: string
  declare readonly hint?: string
  declare readonly leftovers?: readonly string[]
  declare readonly errors?: readonly NetloomError[]

  constructor(error: string | number, fields: NetloomErrorFields) {
    const code = typeof error === 'string' ? error : errnoName(error)
    const errno = typeof error === 'number' ? error : errnoNumbers[error]
    const reason = fields.reason ?? (errno === undefined ? undefined : errnoWords(errno))
    const hint = fields.hint ?? commonHints[code]
    const { path, attribute, subject, namespace } = fields
    const field = path ? ` at ${path}${attribute ? ` (${attribute})` : ''}` : attribute ? ` at ${attribute}` : ''
    super(
      `${fields.operation}${subject ? ` ${subject}` : ''}${namespace ? ` in ${namespace}` : ''}: ${code}${field}${reason ? `: ${reason}` : ''}${hint ? ` (${hint})` : ''}`,
      fields.cause === undefined ? undefined : { cause: fields.cause },
    )
    this.code = code
    this.operation = fields.operation
    if (errno !== undefined) this.errno = errno
    Object.assign(this, defined({ subject, namespace, path, attribute, reason, hint, leftovers: fields.leftovers, errors: fields.errors }))
  }
}

const defined = (fields: Record<string, unknown>) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** What the addon throws: a failed system call. */
export interface SystemCallError extends Error {
  readonly errno: number
  readonly syscall: string
  readonly path?: string
}
export const isSystemCallError = (error: unknown): error is SystemCallError =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'number' && 'syscall' in error && typeof error.syscall === 'string'

/** A failed system call of the addon as a NetloomError; anything else stays what it is. */
export function systemError(error: unknown, fields: NetloomErrorFields): unknown {
  if (!isSystemCallError(error)) return error
  const errno = Math.abs(error.errno)
  return new NetloomError(errno, { ...fields, reason: fields.reason ?? `${error.syscall}: ${errnoWords(errno)}`, cause: error })
}

/** The error of an aborted call: name 'AbortError', code 'ABORT_ERR', the signal's reason as its cause. */
export class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'
  constructor(operation: string, signal: AbortSignal) {
    super(`${operation}: aborted`, { cause: signal.reason })
  }
}

/** The promise, or an AbortError as soon as the signal says so. What was waited for goes on, and is not left unhandled. */
export function orAborted<T>(promise: Promise<T>, operation: string, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(new AbortError(operation, signal))
    promise.then(resolve, reject).finally(onAbort(signal, abort))
    if (signal.aborted) abort()
  })
}
