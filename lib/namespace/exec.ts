// Running a command inside a namespace to its end, and what it printed.
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { argumentError, rangeError } from '../codec/errors.js'
import { onAbort } from '../socket/abort.js'
import { AbortError, NetloomError } from '../socket/error.js'
import { labelOf, type NamespaceInfo, type OpenNamespace } from './info.js'
import { type NamespaceSpawnOptions, spawn } from './spawn.js'

export interface ExecOptions extends Omit<NamespaceSpawnOptions, 'stdio'> {
  /** What the command reads from its standard input; without it, nothing (/dev/null). */
  readonly input?: string | Uint8Array
  /** The most that it may print on either stream, in bytes; default 64 MiB. A command that prints more is killed. */
  readonly maxBuffer?: number
}

/** A command that ended with another exit code than 0, or by a signal: as child_process.execFile rejects. */
export interface ExecError extends Error {
  /** The exit code; null after a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Did we kill it (timeout)? */
  readonly killed: boolean
  readonly cmd: string
  readonly stdout: string
  readonly stderr: string
}

const DEFAULT_MAX_BUFFER = 64 * 1024 * 1024

/**
 * Runs a command inside the namespace to its end; nothing passes through a shell unless `shell` is given.
 *
 * Rejects with an ExecError for another exit code than 0; ENOENT command or working directory not found; AbortError with the signal's reason
 * as cause (the command is killed); ERR_CHILD_PROCESS_STDIO_MAXBUFFER; what spawn() throws.
 */
export async function exec(
  where: OpenNamespace,
  command: string,
  args: readonly string[] = [],
  options: ExecOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'not an object', 'options')
  const { input, maxBuffer = DEFAULT_MAX_BUFFER, signal, timeout = 0, ...settings } = options
  if ('stdio' in settings) throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'exec collects what is printed; spawn() takes stdio', 'stdio')
  if (input !== undefined && typeof input !== 'string' && !(input instanceof Uint8Array))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'neither text nor bytes', 'input')
  if (!(typeof maxBuffer === 'number' && maxBuffer >= 0))
    throw rangeError('ERR_NETLOOM_INVALID_OPTION', 'not a number of bytes', 'maxBuffer')
  if (!(typeof timeout === 'number' && timeout >= 0))
    throw rangeError('ERR_NETLOOM_INVALID_OPTION', 'not a number of milliseconds', 'timeout')
  if (signal?.aborted) throw new AbortError(`exec ${command}`, signal)

  const child = spawn(where, command, args, { ...settings, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  const stop = new Stop(child, settings.killSignal)
  const release = signal && onAbort(signal, () => stop.because(new AbortError(`exec ${command}`, signal)))
  // Not left to child_process, which would go on waiting for grandchildren that hold the streams.
  const timer = timeout > 0 ? setTimeout(() => stop.now(), timeout) : undefined
  try {
    const collect = (stream: 'stdout' | 'stderr') => collector(child, stream, maxBuffer, error => stop.because(error))
    const [stdout, stderr] = [collect('stdout'), collect('stderr')]
    // A command that ends without reading its input is no failure of the writing.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
    const end = await Promise.race([ending(child), stop.happened])
    const result = { stdout: stdout(), stderr: stderr() }
    if (end.code === 0) return result
    const cmd = [command, ...args].join(' ')
    const how = end.signal ? `killed by ${end.signal}` : `exit code ${end.code}`
    throw Object.assign(new Error(`Command failed in ${labelOf(where.info)}: ${cmd} (${how})${result.stderr && `\n${result.stderr}`}`), {
      ...end,
      killed: child.killed,
      cmd,
      ...result,
    } satisfies Omit<ExecError, keyof Error>)
  } catch (error) {
    throw notStarted(error, command, settings.cwd, where.info)
  } finally {
    clearTimeout(timer)
    release?.()
  }
}

/** Kills the command before it ends by itself. */
class Stop {
  readonly #child: ChildProcess
  readonly #killSignal: NodeJS.Signals | number | undefined
  readonly happened: Promise<never>
  #reject!: (error: Error) => void

  constructor(child: ChildProcess, killSignal: NodeJS.Signals | number | undefined) {
    this.#child = child
    this.#killSignal = killSignal
    this.happened = new Promise((_, reject) => {
      this.#reject = reject
    })
    // It may happen when nobody waits any more.
    this.happened.catch(() => undefined)
  }

  now(): void {
    this.#child.kill(this.#killSignal)
    // Grandchildren may hold the streams open.
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  /** And ends the waiting for it, with the error. */
  because(error: Error): void {
    this.now()
    this.#reject(error)
  }
}

function collector(child: ChildProcess, name: 'stdout' | 'stderr', maxBuffer: number, stop: (error: Error) => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  child[name]?.on('data', (chunk: Buffer) => {
    size += chunk.length
    chunks.push(chunk)
    if (size > maxBuffer)
      stop(
        Object.assign(new RangeError(`${name} is longer than maxBuffer (${maxBuffer} bytes)`), {
          code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
        }),
      )
  })
  return () => Buffer.concat(chunks).toString()
}

function ending(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

/** Node says ENOENT for a missing command and for a missing working directory alike. */
function notStarted(error: unknown, command: string, cwd: string | URL | undefined, info: NamespaceInfo): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !String(error.syscall).startsWith('spawn') || !('errno' in error)) return error
  const code = 'code' in error ? String(error.code) : ''
  const lost = code === 'ENOENT' && cwd !== undefined && !existsSync(cwd)
  const meanings: Record<string, string> = {
    ENOENT: lost ? `no such working directory: ${cwd}` : 'command not found',
    EACCES: 'not executable, or in a folder (of PATH) that may not be searched',
  }
  const reason = meanings[code]
  return new NetloomError(code, { operation: 'exec', subject: command, namespace: labelOf(info), reason, cause: error })
}
