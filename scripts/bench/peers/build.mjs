// Builds the peers of the benchmarks, or says what is missing for it: { command } or { missing }.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const debianGo = '/usr/share/gocode'

/** A file beside this one. */
export const local = name => fileURLToPath(new URL(name, import.meta.url))

/** With Debian's packages of vishvananda/netlink and netns. */
export function goProgram(folder, source) {
  for (const part of ['netlink', 'netns'])
    if (!existsSync(join(debianGo, 'src/github.com/vishvananda', part)))
      return { missing: `Debian package golang-github-vishvananda-${part}-dev` }
  const program = join(folder, `${basename(source, '.go')}-go`)
  const settings = { GO111MODULE: 'off', GOPATH: debianGo, GOCACHE: join(folder, 'go-cache'), GOFLAGS: '' }
  return built(program, ['go', 'build', '-o', program, local(source)], settings)
}

export function cppProgram(folder, source) {
  const program = join(folder, `${basename(source, '.cc')}-cpp`)
  return built(program, [process.env.CXX ?? 'g++', '-O2', '-std=c++17', '-o', program, local(source)])
}

/** Debian's modules are for Debian's interpreter, which need not be the first one in PATH. */
export function pythonWith(module) {
  const python = ['python3', '/usr/bin/python3'].find(one => spawnSync(one, ['-c', `import ${module}`]).status === 0)
  return python ? { command: [python] } : { missing: `Debian package python3-${module}` }
}

function built(program, [compiler, ...options], settings = {}) {
  const { status, error, stderr } = spawnSync(compiler, options, { encoding: 'utf8', env: { ...process.env, ...settings } })
  if (error) return { missing: error.code === 'ENOENT' ? `${compiler} is not installed` : error.message }
  return status === 0 ? { command: [program] } : { missing: stderr.trim().split('\n').slice(0, 3).join(' ') }
}
