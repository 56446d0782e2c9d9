// What the firewall has from a process that stays: ports that are held, rules that come back.
import type { Core } from './core.js'
import { PortHolder } from './port-holder.js'
import { repairFirewall } from './repair.js'

/** Milliseconds between two looks. */
const rhythm = 1_000

export class Guard {
  readonly #core: Core
  readonly #holder: PortHolder | undefined
  readonly #repair: boolean
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<unknown> = Promise.resolve()

  constructor(core: Core, { holdPorts, repair }: { readonly holdPorts: boolean; readonly repair: boolean }) {
    this.#core = core
    this.#holder = holdPorts ? new PortHolder(core.state, core.host) : undefined
    this.#repair = repair
  }

  async start(): Promise<void> {
    const { holder, core } = { holder: this.#holder, core: this.#core }
    // A port that is free again must not be held when it is asked for next.
    if (holder) core.changed = () => holder.look()
    await this.#look()
    this.#timer = setInterval(() => {
      this.#looking = this.#looking
        .then(() => this.#look())
        .catch((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)))
    }, rhythm)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    this.#core.changed = undefined
    this.#holder?.close()
  }

  /** Under the lock, after which the holder looks too. */
  async #look(): Promise<void> {
    await this.#core.change(async () => {
      if (this.#repair) await repairFirewall(this.#core)
    })
  }
}
