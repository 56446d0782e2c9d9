// Contenders that take turns, each time in a machine of its own, and what they measured.
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { median } from './table.mjs'

/** NETLOOM_ROUNDS is another number than 9. */
export const rounds = Number(process.env.NETLOOM_ROUNDS ?? 9)
const isolated = fileURLToPath(new URL('../isolated.mjs', import.meta.url))

/** Runs a command in a machine of its own; its last line is what it measured. */
export function runFresh(name, command) {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [isolated, '--fresh', ...command], { encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${name}: exit code ${status}: ${stderr.trim().split('\n').slice(-5).join(' | ')}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

/**
 * Runs { name, command } in turns, the second round backwards, so that what else the machine does falls on all of them; `every: 3` is for
 * slow ones, in every third round only. Puts what they measured into `runs`.
 */
export function takeTurns(contenders, count = rounds) {
  for (const one of contenders) one.runs = []
  for (let round = 0; round < count; round++) {
    const present = contenders.filter(({ every = 1 }) => round % every === 0)
    for (const one of round % 2 ? present.toReversed() : present) one.runs.push(runFresh(one.name, one.command))
    if (process.stderr.isTTY) process.stderr.write(`\rround ${round + 1} of ${count}${round + 1 < count ? '' : '\n'}`)
  }
}

export const middle = ({ runs }, key) => median(runs.map(run => run[key]))

export function say(line) {
  process.stdout.write(`${line}\n`)
}

/** One line for a limit that is to be met; the exit code tells it too. */
export function limit(what, value, most, digits = 2) {
  const met = value <= most
  say(`${what}: ${value.toFixed(digits)}, limit ${most}: ${met ? 'met' : 'NOT MET'}`)
  if (!met) process.exitCode = 1
}
