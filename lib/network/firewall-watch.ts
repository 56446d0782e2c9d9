// serve.repair: what others do to the firewall's table, as the kernel tells it, and what of that has to be made good.
import { setTimeout } from 'node:timers/promises'
import type { SetMember } from '../kernel/nftables/expression.js'
import type { MonitorEvent } from '../kernel/nftables/monitor.js'
import type { RulesetObject, RulesetObjects } from '../kernel/nftables/objects.js'
import { asList } from '../kernel/nftables/references.js'
import { AbortError } from '../socket/error.js'
import type { Core } from './core.js'
import { portOf } from './firewall-elements.js'
import { firewallTable } from './firewall-table.js'
import { repairFirewall } from './repair.js'

/** Milliseconds: what is taken out in several transactions is put back in one. */
const gathering = 20
/** Milliseconds after which a monitor that has failed is opened anew. */
const pause = 1_000
/** Ports of which each is looked at by itself; of more the whole table is. */
const few = 64

type Touched = NonNullable<ReturnType<typeof portOf>>

export class FirewallWatch {
  readonly #core: Core
  readonly #stop = new AbortController()
  #ports: Touched[] = []
  #whole = false
  #running: Promise<void> = Promise.resolve()
  #repairing: Promise<void> | undefined

  constructor(core: Core) {
    this.#core = core
  }

  /** Once this returns, the firewall is whole, and everything that happens to it is noticed. */
  async start(): Promise<void> {
    const ready = new Promise<void>(resolve => {
      this.#running = this.#watch(resolve)
    })
    await ready
    await this.#repairing
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#repairing
  }

  async #watch(ready: () => void): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        for await (const event of this.#core.host.nftables.monitor({ signal })) {
          this.#note(event)
          if (event.type === 'ready') ready()
        }
      } catch (error) {
        ready()
        if (error instanceof AbortError && signal.aborted) return
        process.emitWarning(error instanceof Error ? error : String(error))
        await setTimeout(pause, undefined, { signal }).catch(unlessStopped)
      }
    }
  }

  #note(event: MonitorEvent): void {
    if (event.type === 'ready' || event.type === 'lost') this.#whole = true
    else if (event.type === 'change') this.#change(event.action, event.object)
    if (event.type !== 'change' && (this.#whole || this.#ports.length > 0)) this.#repairing ??= this.#repair()
  }

  #change(action: 'add' | 'insert' | 'delete', object: RulesetObject): void {
    const [[sort, value] = ['', undefined]] = Object.entries(object) as [
      string,
      { family?: string; table?: string; name?: string } | undefined,
    ][]
    const { family, name } = firewallTable
    if (value?.family !== family || (sort === 'table' ? value.name : value.table) !== name) return
    if (sort !== 'element') this.#whole = true
    else if (action === 'delete')
      for (const member of asList((value as RulesetObjects['element']).elem as readonly SetMember[])) {
        const port = portOf(value.name ?? '', member)
        if (port) this.#ports.push(port)
        else this.#whole = true
      }
  }

  async #repair(): Promise<void> {
    try {
      await setTimeout(gathering)
      while (!this.#stop.signal.aborted && (this.#whole || this.#ports.length > 0)) {
        const [whole, ports] = [this.#whole, this.#ports]
        this.#whole = false
        this.#ports = []
        await this.#core.change(async () => {
          if (whole || ports.length > few || (await this.#isMissed(ports))) await repairFirewall(this.#core)
        })
      }
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    } finally {
      this.#repairing = undefined
    }
  }

  /** What a process has ended itself is in no record any more. */
  async #isMissed(ports: readonly Touched[]): Promise<boolean> {
    for (const port of ports) if ((await this.#core.state.ports.addresses(port)).includes(port.hostIp)) return true
    return false
  }
}

function unlessStopped(error: unknown): void {
  if (!(error instanceof Error) || error.name !== 'AbortError') throw error
}
