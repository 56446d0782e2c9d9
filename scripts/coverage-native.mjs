// What ran of the addon, as gcov counted it, in istanbul's form: a statement for each line with code.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'

/** `build` is where CMake built the addon with COVERAGE=ON, and where its counts were written. */
export function nativeCoverage(build) {
  const files = new Map()
  const counted = readdirSync(build, { recursive: true }).filter(name => name.endsWith('.gcda'))
  if (counted.length === 0) throw new Error(`${build}: no process has written what it counted of the addon`)
  for (const name of counted) {
    const { status, stdout, stderr, error } = spawnSync(
      'gcov',
      ['--json-format', '--stdout', '--branch-probabilities', resolve(build, name)],
      {
        cwd: build,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      },
    )
    if (status !== 0) throw new Error(`gcov ${name}: ${error ?? stderr}`)
    const report = JSON.parse(stdout)
    for (const file of report.files) add(files, resolve(report.current_working_directory, file.file), file)
  }
  return Object.fromEntries([...files].map(([path, file]) => [path, toIstanbul(path, file)]))
}

/** A header's lines are in many objects, and a template's functions too: what one of them ran counts. */
function add(files, path, { lines, functions }) {
  if (!path.startsWith(resolve('native'))) return
  const file = files.get(path) ?? { lines: new Map(), functions: new Map(), branches: new Map() }
  files.set(path, file)
  for (const { line_number: line, count, branches } of lines) {
    file.lines.set(line, (file.lines.get(line) ?? 0) + count)
    // Ways that exceptions would take: the addon is built without them.
    const ways = branches.filter(branch => !branch.throw).map(branch => branch.count)
    if (ways.length < 2) continue
    const before = file.branches.get(line) ?? []
    file.branches.set(
      line,
      Array.from({ length: Math.max(ways.length, before.length) }, (_, i) => (ways[i] ?? 0) + (before[i] ?? 0)),
    )
  }
  for (const { demangled_name: name, start_line: line, execution_count: count } of functions) {
    const key = `${line}`
    file.functions.set(key, { name, line, count: (file.functions.get(key)?.count ?? 0) + count })
  }
}

function toIstanbul(path, { lines, functions, branches }) {
  const place = line => ({ start: { line, column: 0 }, end: { line, column: 200 } })
  const numbered = entries => Object.fromEntries([...entries].map((entry, index) => [index, entry]))
  const each = (entries, value) => Object.fromEntries(Object.entries(numbered(entries)).map(([index, entry]) => [index, value(entry)]))
  return {
    path,
    statementMap: each(lines, ([line]) => place(line)),
    s: each(lines, ([, count]) => count),
    fnMap: each(functions.values(), ({ name, line }) => ({ name, line, decl: place(line), loc: place(line) })),
    f: each(functions.values(), ({ count }) => count),
    branchMap: each(branches, ([line, ways]) => ({ type: 'branch', line, loc: place(line), locations: ways.map(() => place(line)) })),
    b: each(branches, ([, ways]) => ways),
  }
}
