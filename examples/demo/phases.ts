// How far a plan is: a bar on a terminal, a line for each quarter elsewhere, and in the end how long each phase took.
import type { PlanProgress } from 'netloom'
import { duration, faint, progress, say, thousands } from './show.js'

const labels = { prepare: 'preparing', namespaces: 'namespaces', host: 'the host', undo: 'removing' }

export class Phases {
  readonly #times = new Map<PlanProgress['phase'], number>()
  #last = performance.now()
  #quarters = 0

  /** For onProgress. Each phase is told of once more when it ends. */
  readonly tell = ({ phase, done, total }: PlanProgress): void => {
    const now = performance.now()
    this.#times.set(phase, (this.#times.get(phase) ?? 0) + now - this.#last)
    this.#last = now
    if (total === 0) return
    if (process.stdout.isTTY) progress(labels[phase], done, total)
    else this.#line(phase, done, total)
  }

  #line(phase: PlanProgress['phase'], done: number, total: number): void {
    const quarters = Math.floor((4 * done) / total)
    if (quarters > this.#quarters) say(`    ${faint(`${labels[phase]}: ${thousands(done)} of ${thousands(total)}`)}`)
    this.#quarters = quarters
  }

  /** 'preparing 3 ms, namespaces 1.2 s, the host 0 ms' */
  toString(): string {
    return [...this.#times].map(([phase, time]) => `${labels[phase]} ${duration(time)}`).join(', ')
  }
}
