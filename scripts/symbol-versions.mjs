// The newest versions of C and C++ library symbols that a built addon asks for: they decide on which systems it loads. `node scripts/symbol-versions.mjs [FILE]`
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Debian 10, RHEL 8 and everything after them. */
export const ceilings = { GLIBC: '2.28', GLIBCXX: '3.4.21', CXXABI: '1.3.9' }

const compare = (one, other) => {
  const [left, right] = [one.split('.').map(Number), other.split('.').map(Number)]
  const at = left.findIndex((part, index) => part !== right[index])
  return at === -1 ? left.length - right.length : left[at] - (right[at] ?? 0)
}

/** The symbols that are too new, as 'pthread_create GLIBC_2.34', and the newest version of each library. */
export function symbolVersions(file) {
  const table = execFileSync('objdump', ['-T', file], { encoding: 'utf8' })
  const newest = {}
  const tooNew = []
  for (const [, library, version, symbol] of table.matchAll(/\*UND\*.*?\(?([A-Z]+)_([\d.]+)\)?\s+(\S+)$/gm)) {
    if (compare(version, newest[library] ?? '0') > 0) newest[library] = version
    if (compare(version, ceilings[library] ?? '0') > 0) tooNew.push(`${symbol} ${library}_${version}`)
  }
  return { newest, tooNew }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'build', 'Release', 'netloom.node')
  const { newest, tooNew } = symbolVersions(file)
  console.log(newest)
  for (const symbol of tooNew) console.error(`too new: ${symbol}`)
  process.exitCode = tooNew.length === 0 ? 0 : 1
}
