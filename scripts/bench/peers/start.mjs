// The peers of scripts/bench/read.mjs and how they are started; what is missing is left out by name.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { cppProgram, goProgram, local, pythonWith } from './build.mjs'
import { npmPeer } from './npm.mjs'

/** By name: the command of a peer, or why it is left out. */
export function preparePeers(folder) {
  const python = pythonWith('pyroute2')
  return {
    netloom: { command: [process.execPath, '--expose-gc', local('read-netloom.mjs')] },
    Go: goProgram(folder, 'read.go'),
    'C++': cppProgram(folder, 'read.cc'),
    pyroute2: python.missing ? python : { command: [...python.command, local('read.py')] },
    'npm netlink': npm(folder),
  }
}

function npm(folder) {
  const { folder: found, missing } = npmPeer(folder)
  return missing ? { missing } : { command: [process.execPath, local('read-npm.mjs'), found] }
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
