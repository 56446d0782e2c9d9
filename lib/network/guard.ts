// What the firewall has from a process that stays: ports that are held, rules that come back.
import { type FSWatcher, watch } from 'node:fs'
import type { Core } from './core.js'
import { FirewallWatch } from './firewall-watch.js'
import { PortHolder } from './port-holder.js'

/** Milliseconds between two looks at what other processes have published. */
const rhythm = 1_000

export class Guard {
  readonly #core: Core
  readonly #holder: PortHolder | undefined
  readonly #watch: FirewallWatch | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<unknown> = Promise.resolve()
  #ports: FSWatcher | undefined
  #noticed: NodeJS.Timeout | undefined
  #lettingGo: Promise<unknown> = Promise.resolve()

  constructor(core: Core, { holdPorts, repair }: { readonly holdPorts: boolean; readonly repair: boolean }) {
    this.#core = core
    this.#holder = holdPorts ? new PortHolder(core.state, core.host) : undefined
    this.#watch = repair ? new FirewallWatch(core) : undefined
  }

  async start(): Promise<void> {
    const { holder, core } = { holder: this.#holder, core: this.#core }
    if (holder) {
      // A port that is free again must not be held when it is asked for next.
      core.follower = { before: () => holder.prepare(), after: () => holder.follow(), ended: () => holder.ended() }
      await core.change(() => holder.look())
      this.#timer = setInterval(() => {
        this.#looking = this.#looking
          .then(async () => {
            if (await holder.isBehind()) await core.change(() => holder.look())
          })
          .catch(warn)
      }, rhythm)
      this.#notice(holder)
    }
    await this.#watch?.start()
  }

  /** Who publishes what another process gave back should not have to wait for the next look. */
  #notice(holder: PortHolder): void {
    try {
      this.#ports = watch(this.#core.state.path('ports'), () => {
        // A change of many ports says something for each.
        this.#noticed ??= setTimeout(() => {
          this.#noticed = undefined
          this.#lettingGo = this.#lettingGo.then(() => holder.letGo()).catch(warn)
        }, 1)
      }).on('error', warn)
    } catch (error) {
      // Where there are no more watches (fs.inotify.max_user_watches), the next look does it.
      warn(error)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#ports?.close()
    clearTimeout(this.#noticed)
    await Promise.all([this.#looking, this.#lettingGo])
    await this.#watch?.close()
    this.#core.follower = undefined
    this.#holder?.close()
  }
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error))
