// What ran of the library in processes that tests started, added to what ran in the tests' own.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergeProcessCovs } from '@bcoe/v8-coverage'
import astV8ToIstanbul from 'ast-v8-to-istanbul'
import libCoverage from 'istanbul-lib-coverage'
import { parseAst } from 'vite'

/**
 * Counts in `coverage` what the built library ran in child processes. Statements and functions of both are the same by where they begin; a
 * branch that only children took stays untaken.
 */
export async function addChildren(coverage, { written, mapped }) {
  const { processes, merged } = readWritten(written)
  for (const { url, functions } of merged.result) {
    const built = fileURLToPath(url)
    const name = built.slice(resolve('dist').length + 1)
    const map = JSON.parse(readFileSync(join(mapped, `${name}.map`), 'utf8'))
    // The compiler wrote its sources in relation to where it put this copy.
    const sources = map.sources.map(source => new URL(`file://${resolve(dirname(join(mapped, name)), source)}`).href)
    const code = readFileSync(built, 'utf8')
    const converted = await astV8ToIstanbul({
      ast: await parseAst(code),
      code,
      sourceMap: { ...map, sources },
      coverage: { url, functions },
      wrapperLength: 0,
    })
    for (const [path, file] of Object.entries(converted)) overlay(coverage, path.replace(/^file:\/\//, ''), file)
  }
  return processes
}

function readWritten(folder) {
  const dist = new URL(`file://${resolve('dist')}/`).href
  let merged = { result: [] }
  const files = readdirSync(folder).filter(name => name.endsWith('.json'))
  for (let at = 0; at < files.length; at += 50) {
    const some = files.slice(at, at + 50).flatMap(name => readProcess(join(folder, name), dist))
    merged = mergeProcessCovs([merged, ...some])
  }
  return { processes: files.length, merged }
}

/** A process that was killed while it wrote leaves half a file. What ran of the bundle (in the examples only) has no way back to its sources. */
function readProcess(path, dist) {
  let text = readFileSync(path, 'utf8')
  if (!text.endsWith('}')) text = '{"result":[]}'
  return [{ result: JSON.parse(text).result.filter(({ url }) => url.startsWith(dist) && !url.startsWith(`${dist}bundle/`)) }]
}

function overlay(coverage, path, child) {
  const file = coverage[path]
  if (file === undefined) return
  const lines = libCoverage.createFileCoverage(child).getLineCoverage()
  for (const [index, { start }] of Object.entries(file.statementMap)) file.s[index] += lines[start.line] ?? 0
  const functions = new Map(Object.entries(child.fnMap).map(([index, { decl }]) => [decl.start.line, child.f[index]]))
  for (const [index, { decl }] of Object.entries(file.fnMap)) file.f[index] += functions.get(decl.start.line) ?? 0
}
