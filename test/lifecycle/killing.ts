// Processes that are killed at chosen or random moments, and a row of the table in docs/faults.md about each lot of them.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { lockFile } from '../../lib/namespace/file-lock.js'
import { environment } from '../helpers/readers.js'

/** The whole table: NETLOOM_FAULTS=all; otherwise a sample, another one each time. */
export const all = process.env.NETLOOM_FAULTS === 'all'
export const kills = all ? 50 : 8

export interface Life {
  /** Its lines, as far as it came. */
  readonly said: readonly string[]
  readonly errors: string
  readonly signal: string | null
  /** Milliseconds from that line to the next one, or to its end. */
  took(line: string): number
}
export interface Ending {
  /** The line after which it is killed. */
  readonly after: string
  /** Milliseconds after that line, or what has to come true. */
  readonly delay: number | (() => Promise<boolean>)
}

/** For files that call gc(): it collects what all processes have left, those that others killed included. First of all hooks. */
export function useAlone(): void {
  let letGo: (() => void) | undefined
  beforeAll(async () => {
    const file = '/run/netloom-alone.lock'
    await writeFile(file, '', { flag: 'a' })
    const lock = await lockFile(file)
    letGo = () => lock.release()
  }, 3_600_000)
  afterAll(() => letGo?.())
}

const running = new Set<ChildProcess>()
// Some go on until they are killed, also if the test that was to do it has failed.
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** Runs a program of Node's, and kills it if an ending is given. */
export async function live(command: readonly string[], input: string, ending?: Ending): Promise<Life> {
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'pipe'], env: environment([process.execPath]) })
  running.add(child)
  // It may be killed before it has read everything.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const said: string[] = []
  const times: number[] = []
  let errors = ''
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  child.stdout.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      said.push(line)
      times.push(performance.now())
      if (line === ending?.after) void moment(ending.delay).then(() => child.kill('SIGKILL'))
    }
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  running.delete(child)
  times.push(performance.now())
  const took = (line: string) => times[said.indexOf(line) + 1]! - times[said.indexOf(line)]!
  return { said, errors, signal, took }
}

async function moment(delay: number | (() => Promise<boolean>)): Promise<void> {
  if (typeof delay === 'number') await setTimeout(delay)
  else while (!(await delay())) await setTimeout(1)
}

export type Fate = 'nothing done yet' | 'taken back by gc()' | 'complete, left as it is' | 'gone by itself'
const fates: readonly Fate[] = ['nothing done yet', 'taken back by gc()', 'complete, left as it is', 'gone by itself']

/** Counts what became of them; nothing may ever be left over, which is for the tests to see. */
export class Tally {
  readonly #what: string
  readonly #seed: number
  readonly #counts = new Map<Fate, number>()

  constructor(what: string, seed: number) {
    this.#what = what
    this.#seed = seed
  }

  add(fate: Fate): void {
    this.#counts.set(fate, (this.#counts.get(fate) ?? 0) + 1)
  }

  of(fate: Fate): number {
    return this.#counts.get(fate) ?? 0
  }

  tell(): void {
    const counts = fates.map(fate => this.of(fate))
    const total = counts.reduce((sum, count) => sum + count, 0)
    row([this.#what, `${total} killed`, ...fates.map(fate => `${this.of(fate)} ${fate}`), `seed ${this.#seed}`])
  }
}

/** Said, and added to the file that NETLOOM_FAULTS_ROWS names. */
export function row(cells: readonly (string | number)[]): void {
  process.stderr.write(`faults: ${cells.join(', ')}\n`)
  if (process.env.NETLOOM_FAULTS_ROWS) appendFileSync(process.env.NETLOOM_FAULTS_ROWS, `| ${cells.join(' | ')} |\n`)
}
