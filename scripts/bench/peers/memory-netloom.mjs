// What stays in memory when a plan has been applied and its result is held. Usage: node --expose-gc memory-netloom.mjs N.
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { Namespace, Plan } from 'netloom'
import { star } from './star.mjs'

const here = Namespace.current()
// What is loaded and compiled on first use is there already.
await (await star(Plan, here, 10, 'none').apply()).delete({ drain: true })
const before = await held()
const result = await star(Plan, here, Number(process.argv[2]), 'none').apply()
const after = await held()
await result.delete()
process.stdout.write(`${JSON.stringify({ held: after - before })}\n`)

async function held() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await setTimeout(5)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
