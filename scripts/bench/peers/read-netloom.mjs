// netloom's reading side, for scripts/bench/read.mjs. With 'once' it lists the links and ends, as a program of its own would.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { Namespace } from 'netloom'
import { answer } from './answer.mjs'

const namespace = Namespace.current()
const delay = monitorEventLoopDelay({ resolution: 1 })

const operations = {
  links: async () => (await namespace.links.list()).length,
  async routes() {
    let count = 0
    for await (const _ of namespace.routes.iterate({ family: 4 })) count++
    return count
  },
  async get(name) {
    await namespace.links.get(name)
    return 1
  },
  /** The longest time in milliseconds that the event loop was held up while that ran. */
  async delay(operation) {
    delay.reset()
    delay.enable()
    await operations[operation]()
    delay.disable()
    return delay.max / 1e6
  },
  /** How many bytes more the heap holds in the middle of the list than before it, at most; the collector runs before each look. */
  async held() {
    const used = () => {
      globalThis.gc()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const before = used()
    let most = 0
    let count = 0
    for await (const _ of namespace.routes.iterate({ family: 4 })) if (++count % 50_000 === 0) most = Math.max(most, used() - before)
    return most
  },
}

if (process.argv[2] === 'once') await operations.links()
else await answer((operation, argument) => operations[operation](argument))
await namespace.close()
