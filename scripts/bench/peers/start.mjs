// Builds and starts the peers of scripts/bench/read.mjs; those that this machine has nothing to build from are left out by name.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { npmPeer } from './npm.mjs'

const here = name => fileURLToPath(new URL(name, import.meta.url))
const debianGo = '/usr/share/gocode'

/** By name: the command of a peer, or why it is left out. */
export function preparePeers(folder) {
  return {
    netloom: { command: [process.execPath, '--expose-gc', here('read-netloom.mjs')] },
    Go: go(folder),
    'C++': cpp(folder),
    pyroute2: pyroute2(),
    'npm netlink': npm(folder),
  }
}

function go(folder) {
  if (!existsSync(join(debianGo, 'src/github.com/vishvananda/netlink')))
    return { missing: 'Debian package golang-github-vishvananda-netlink-dev' }
  const program = join(folder, 'read-go')
  const settings = { GO111MODULE: 'off', GOPATH: debianGo, GOCACHE: join(folder, 'go-cache'), GOFLAGS: '' }
  return built(program, ['go', 'build', '-o', program, here('read.go')], settings)
}

function cpp(folder) {
  const program = join(folder, 'read-cpp')
  return built(program, [process.env.CXX ?? 'g++', '-O2', '-std=c++17', '-o', program, here('read.cc')])
}

function built(program, [compiler, ...options], settings = {}) {
  const { status, error, stderr } = spawnSync(compiler, options, { encoding: 'utf8', env: { ...process.env, ...settings } })
  if (error) return { missing: error.code === 'ENOENT' ? `${compiler} is not installed` : error.message }
  return status === 0 ? { command: [program] } : { missing: stderr.trim().split('\n').slice(0, 3).join(' ') }
}

/** Debian's package is for Debian's interpreter, which need not be the first one in PATH. */
function pyroute2() {
  const python = ['python3', '/usr/bin/python3'].find(one => spawnSync(one, ['-c', 'import pyroute2']).status === 0)
  return python ? { command: [python, here('read.py')] } : { missing: 'Debian package python3-pyroute2' }
}

function npm(folder) {
  const { folder: found, missing } = npmPeer(folder)
  return missing ? { missing } : { command: [process.execPath, here('read-npm.mjs'), found] }
}

/** A peer at work: ask('links', 1) gives what it measured. */
export function startPeer(name, [program, ...options]) {
  const child = spawn(program, options, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('exit', resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    name,
    async ask(operation, times, argument = '') {
      child.stdin.write(`${operation} ${times} ${argument}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${name} ended at ${operation}: exit code ${await ended}`)
      return JSON.parse(value)
    },
    /** The most memory that it ever occupied, in bytes. */
    mostMemory: () => Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024,
    async end() {
      child.stdin.end()
      await ended
    },
  }
}
