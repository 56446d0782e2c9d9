// The delay of this process's event loop while namespaces are made: by itself with netloom, or by another program meanwhile.
// Usage: loop-delay.mjs N [FLOOR]. Sampled every millisecond, which is in the figures.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { Namespace, Plan } from 'netloom'
import { star } from './star.mjs'

const [size, floor] = process.argv.slice(2)
const histogram = monitorEventLoopDelay({ resolution: 1 })
const milliseconds = value => value / 1e6

if (floor === undefined) await made()
else await beside()
const { max } = histogram
const at = percent => milliseconds(histogram.percentile(percent))
process.stdout.write(`${JSON.stringify({ p50: at(50), p99: at(99), p999: at(99.9), max: milliseconds(max) })}\n`)

/** Recording a plan is the caller's own work, synchronous and before the wait; applying it is netloom's. */
async function made() {
  const plan = star(Plan, Namespace.current(), Number(size), 'none')
  await new Promise(resolve => setTimeout(resolve, 50))
  histogram.enable()
  const result = await plan.apply()
  histogram.disable()
  await result.delete()
}

async function beside() {
  await new Promise(resolve => setTimeout(resolve, 50))
  // It says when it has made them, and removes them then.
  const child = spawn(floor, [size, 'none', 'names'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = []
  child.stdout.setEncoding('utf8').on('data', text => lines.push(text))
  await once(child, 'spawn')
  histogram.enable()
  await once(child.stdout, 'data')
  histogram.disable()
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the floor ended with ${code}: ${lines.join('')}`)
}
