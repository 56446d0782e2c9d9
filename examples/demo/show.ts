// What the demo looks like: headings, steps with the command that does the same, tables and a progress bar. Colours only on a terminal.
import { stripVTControlCharacters, styleText } from 'node:util'

/** Where the commands stand, if the terminal is wide enough to have them beside the steps. */
const column = 66

/** Not where the output is a file, nor against NO_COLOR. */
export const coloured: boolean = process.stdout.hasColors?.() ?? false
type Format = Parameters<typeof styleText>[0]
const paint = (format: Format, text: string) => (coloured ? styleText(format, text, { validateStream: false }) : text)

export const strong = (text: string): string => paint('bold', text)
export const faint = (text: string): string => paint('gray', text)
export const good = (text: string): string => paint('green', text)
export const bad = (text: string): string => paint('red', text)

export function say(text = ''): void {
  process.stdout.write(`${text}\n`)
}

let sections = 0

export function heading(text: string): void {
  say(`\n${paint(['bold', 'cyan'], `${++sections}  ${text}`)}\n`)
}

/** One thing that was done or seen, and the command that would have done or shown it. */
export function step(text: string, command?: string): void {
  const line = `${good('✓')} ${text}`
  const length = widthOf(line)
  const terminal = process.stdout.columns ?? Number.POSITIVE_INFINITY
  const gap = Math.max(2, column - length)
  if (command === undefined) say(`  ${line}`)
  else if (2 + length + gap + command.length <= terminal) say(`  ${line}${' '.repeat(gap)}${faint(command)}`)
  else say(`  ${line}\n      ${faint(command)}`)
}

/** Rows in columns. Of long tables only the beginning is shown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], most = 12): void {
  const shown = rows.slice(0, most)
  const widths = header.map((title, i) => Math.max(title.length, ...shown.map(row => widthOf(row[i] ?? ''))))
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell))).join('  ')
  say(`\n    ${faint(line(header).trimEnd())}`)
  for (const row of shown) say(`    ${line(row).trimEnd()}`)
  if (rows.length > most) say(`    ${faint(`… and ${thousands(rows.length - most)} more`)}`)
  say()
}

export function indented(text: string): void {
  for (const line of text.trimEnd().split('\n')) say(line === '' ? '' : `    ${line}`)
}

/** A bar that is drawn over itself and gone at the end; nothing where the output is a file. */
export function progress(label: string, done: number, total: number): void {
  if (!process.stdout.isTTY) return
  const filled = Math.floor((done / total) * 24)
  process.stdout.write(`\r  ${label}  ${'█'.repeat(filled)}${faint('░'.repeat(24 - filled))}  ${done}/${total}`)
  if (done >= total) wipe()
}

/** Clears the progress bar's line. */
export function wipe(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K')
}

export const milliseconds = (time: number): string => `${time < 10 ? time.toFixed(3) : time.toFixed(0)} ms`
export const thousands = (number: number): string => number.toLocaleString('en')
export const duration = (time: number): string => (time < 1000 ? `${time.toFixed(0)} ms` : `${(time / 1000).toFixed(1)} s`)
export const since = (start: number): string => duration(performance.now() - start)

const widthOf = (text: string) => [...stripVTControlCharacters(text)].length
