// How a peer of scripts/bench/read.mjs that runs on Node works: reads "OPERATION TIMES ARGUMENT" lines, answers each with a line of JSON.
import process from 'node:process'
import { createInterface } from 'node:readline'

/** `run(operation, argument)` gives how many objects there were; or else what it gives is the answer. */
export async function answer(run) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [operation, repetitions, argument] = line.split(' ')
    const times = []
    let count
    const before = process.cpuUsage()
    for (let i = 0; i < Number(repetitions); i++) {
      const start = performance.now()
      count = await run(operation, argument)
      times.push((performance.now() - start) * 1000)
    }
    const { user, system } = process.cpuUsage(before)
    process.stdout.write(`${JSON.stringify({ times, cpu: user + system, count })}\n`)
  }
}
