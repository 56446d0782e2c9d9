// Vitest's forked processes, which may take their time to end: vitest kills them after half a second, and a leak check, or writing down what ran, takes longer.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker } from 'vitest/node'

/** Only keeps a process that hangs at its end from holding up the run, which then fails. */
const patience = 300_000

class EndingFork implements PoolWorker {
  readonly name = 'forks'
  readonly cacheFs = true
  readonly #options: PoolOptions
  #fork: ChildProcess | undefined
  #ended: Promise<void> | undefined

  constructor(options: PoolOptions) {
    this.#options = options
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

  send(message: object): void {
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
        project.vitest.logger.error(`process ${this.#fork?.pid} of the tests ended on the way, with ${code ?? signal}`)
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
    // No signal: some end at once when vitest is done with them, and in the middle of that it would kill them.
    if (fork.connected) fork.disconnect()
    const hang = setTimeout(() => fork.kill('SIGKILL'), patience)
    const [code, signal] = (await ended) as [number | null, string | null]
    clearTimeout(hang)
    if (code !== 0) throw new Error(`a process of the tests was to end by itself, and ended with ${code ?? signal}`)
  }
}

export const endingForks: PoolRunnerInitializer = { name: 'ending-forks', createPoolWorker: options => new EndingFork(options) }
