// Counts what became of the faults, by what was being done, the call and the error; as text and as a table of Markdown.

type Outcome = 'refused' | 'done'

export class Table {
  readonly #rows = new Map<string, { made: number; readonly errors: Map<string, Record<Outcome, number>> }>()

  /** How often the call is made when nothing fails. */
  count(work: string, call: string, made: number): void {
    this.#row(work, call).made = made
  }

  add(work: string, call: string, error: string, outcome: Outcome): void {
    const { errors } = this.#row(work, call)
    const counts = errors.get(error) ?? { refused: 0, done: 0 }
    counts[outcome]++
    errors.set(error, counts)
  }

  text(): string {
    return this.#lines(([work, call, made, ...outcomes]) => `${work}: ${call} (${made}): ${outcomes.join(', ')}`)
  }

  /** Everything that was being done together, as docs/faults.md has it: how often the error was told / the work was done all the same. */
  summary(): string {
    const sums = new Map<string, Map<string, Record<Outcome, number>>>()
    const seen = new Set<string>()
    for (const [key, { errors }] of this.#rows) {
      const call = key.split('\t')[1]!
      const sum = sums.get(call) ?? new Map<string, Record<Outcome, number>>()
      sums.set(call, sum)
      for (const [error, { refused, done }] of errors) {
        const before = sum.get(error) ?? { refused: 0, done: 0 }
        sum.set(error, { refused: before.refused + refused, done: before.done + done })
        seen.add(error)
      }
    }
    const columns = [...seen].sort()
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
    const cell = (counts: Record<Outcome, number> | undefined) => (counts ? `${counts.refused} / ${counts.done}` : '')
    const body = [...sums].filter(([, sum]) => sum.size > 0).sort(([a], [b]) => (a < b ? -1 : 1))
    return [
      line(['call', ...columns]),
      line(['---', ...columns.map(() => '---')]),
      ...body.map(([call, sum]) => line([`\`${call}\``, ...columns.map(error => cell(sum.get(error)))])),
    ].join('')
  }

  /** One table for each thing that was being done. */
  markdown(): string {
    const head = (work: string) =>
      `\n### ${work[0]!.toUpperCase()}${work.slice(1)}\n\n| call | made | error told | done all the same |\n|---|---|---|---|\n`
    let last = ''
    return this.#lines(([work, call, made, refused, done]) => {
      const first = work === last ? '' : head(work!)
      last = work!
      return `${first}| \`${call}\` | ${made} | ${refused!.replace('told: ', '')} | ${done!.replace('done: ', '')} |`
    })
  }

  #lines(format: (cells: string[]) => string): string {
    return [...this.#rows].map(([key, { made, errors }]) => format([...key.split('\t'), String(made), ...outcomesOf(errors)])).join('\n')
  }

  #row(work: string, call: string) {
    const key = `${work}\t${call}`
    const row = this.#rows.get(key) ?? { made: 0, errors: new Map() }
    this.#rows.set(key, row)
    return row
  }
}

function outcomesOf(errors: ReadonlyMap<string, Record<Outcome, number>>): string[] {
  const of = (outcome: Outcome) =>
    [...errors].flatMap(([error, counts]) => (counts[outcome] > 0 ? [`${error} × ${counts[outcome]}`] : [])).join(', ') || '–'
  return [`told: ${of('refused')}`, `done: ${of('done')}`]
}
