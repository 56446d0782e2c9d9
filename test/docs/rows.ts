// The rows of docs/commands.md: a command, the call for it, a remark.
import { textOf } from '../helpers/sources.js'

export interface Row {
  readonly command: string
  readonly call: string
  /** The program that must be there: 'ip', 'brctl' … */
  readonly tool: string
}

/** A bar inside of a cell is written with a backslash. */
const cells = (line: string) => line.split(/(?<!\\)\|/).map(cell => cell.replaceAll('\\|', '|').trim())
const code = (cell: string) => /^`([^`]+)`$/.exec(cell)?.[1]

export const page: string = textOf('docs/commands.md')
/** Every line of a table but for headings and rules. */
export const lines: readonly string[] = page.split('\n').filter(line => /^\|/.test(line) && !/^\|(-|$| command )/.test(line))
export const rows: readonly Row[] = lines.flatMap(line => {
  const [, first = '', second = '', , ...rest] = cells(line)
  const [command, call] = [code(first), code(second)]
  return command === undefined || call === undefined || rest.length !== 1 ? [] : [{ command, call, tool: command.split(' ')[0] ?? '' }]
})
