// Vitest's forked processes, of which it is known how they end: of one that ends on the way the file and the code or signal is told,
// and one that is watched may take its time, as a leak check, or writing down what ran, does.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join, relative } from 'node:path'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker } from 'vitest/node'

/** In milliseconds. What is watched has long: the limit only keeps a process that hangs at its end from holding up the run, which then fails. */
const patience = { watched: 300_000, usual: 500 }

class EndingFork implements PoolWorker {
  readonly name = 'forks'
  readonly cacheFs = true
  readonly #options: PoolOptions
  readonly #watched: boolean
  #files = 'no file'
  #fork: ChildProcess | undefined
  #ended: Promise<void> | undefined

  constructor(options: PoolOptions, watched: boolean) {
    this.#options = options
    this.#watched = watched
  }

  get #running(): ChildProcess {
    if (this.#fork === undefined) throw new Error('the process of this worker was not started, or has ended')
    return this.#fork
  }

  on(event: string, callback: (argument: unknown) => void): void {
    this.#running.on(event, callback)
  }

  off(event: string, callback: (argument: unknown) => void): void {
    this.#running.off(event, callback)
  }

  send(message: Parameters<PoolWorker['send']>[0]): void {
    if (message.type === 'run') this.#files = message.context.files.map(file => relative(process.cwd(), file.filepath)).join(', ')
    this.#running.send(message)
  }

  deserialize(data: unknown): unknown {
    return data
  }

  async start(): Promise<void> {
    const { distPath, execArgv, env, project } = this.#options
    this.#fork = fork(join(distPath, 'workers/forks.js'), [], { env, execArgv, stdio: 'pipe', serialization: 'advanced' })
    this.#fork.stdout?.pipe(project.vitest.logger.outputStream, { end: false })
    this.#fork.stderr?.pipe(project.vitest.logger.errorStream, { end: false })
    this.#fork.on('exit', (code, signal) => {
      // vitest says of such an end only that it was unexpected.
      if (this.#ended === undefined)
        project.vitest.state.catchError(
          new Error(`process ${this.#fork?.pid} ended in ${this.#files}, with ${code ?? signal}`),
          'Unhandled Error',
        )
    })
  }

  stop(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end(): Promise<void> {
    const fork = this.#running
    if (fork.exitCode !== null || fork.signalCode !== null) return
    const ended = once(fork, 'exit')
    // No signal for what is watched: some end at once when vitest is done with them, and in the middle of that it would kill them.
    if (!this.#watched) fork.kill()
    else if (fork.connected) fork.disconnect()
    const hang = setTimeout(() => fork.kill('SIGKILL'), this.#watched ? patience.watched : patience.usual)
    const [code, signal] = (await ended) as [number | null, string | null]
    clearTimeout(hang)
    if (this.#watched && code !== 0) throw new Error(`a process of the tests was to end by itself, and ended with ${code ?? signal}`)
  }
}

export const endingForks = (watched: boolean): PoolRunnerInitializer => ({
  name: 'ending-forks',
  createPoolWorker: options => new EndingFork(options, watched),
})
