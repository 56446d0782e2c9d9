// netloom's part in scripts/bench/bulk.mjs. Usage: bulk-netloom.mjs N POLICY REMOVAL THREADS; POLICY 'all' is 'none' as a plan's own, inside too;
// REMOVAL 'names' returns when the names are gone, 'drain' when the devices are. THREADS is 1 or 2. What it prints is what floor.cc prints.
import process from 'node:process'
import { Namespace, Plan } from 'netloom'
import { star } from './star.mjs'

const [size = '100', policy = 'none', removal = 'names', threads = '1'] = process.argv.slice(2)
const count = Number(size)
const here = Namespace.current()
const cpu = before => {
  const { user, system } = process.cpuUsage(before)
  return { user, system, each: Math.round(((user + system) * 10) / count) / 10 }
}
const each = milliseconds => Math.round((milliseconds * 10_000) / count) / 10

const [start, before] = [performance.now(), cpu()]
// Recording is part of the work.
const result = await star(Plan, here, count, policy).apply({ threads: Number(threads) })
const [made, createCpu] = [performance.now(), cpu(before).each]
const between = cpu()
await result.delete({ drain: removal === 'drain' })
const [removed, removeCpu] = [performance.now(), cpu(between).each]
while ((await here.links.list()).length > 1) await new Promise(resolve => setTimeout(resolve, 2))
const gone = performance.now()
const times = { create: each(made - start), createCpu, remove: each(removed - made), removeCpu, gone: each(gone - made) }
process.stdout.write(`${JSON.stringify(times)}\n`)
