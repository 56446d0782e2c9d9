// A Docker daemon for the length of a run: its files in one folder, its network in a namespace of its own with nothing in it, no rules, no bridge.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const CAP_SYS_RESOURCE = 24n

const alone = {
  enter: ['unshare', '--net'],
  network: ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false'],
}

/**
 * Starts it and waits until it answers. `stop` ends it and everything that it started. With `enter` it runs where those words before its
 * command line lead to, and with the options `network`.
 */
export async function startDaemon(folder, { enter, network } = alone) {
  const socket = `unix://${join(folder, 'docker.sock')}`
  const log = openSync(join(folder, 'dockerd.log'), 'w')
  const configuration = join(folder, 'daemon.json')
  writeFileSync(configuration, JSON.stringify(runtimes(folder)))
  const options = ['data-root', 'exec-root'].map(name => `--${name}=${join(folder, name)}`)
  const words = [`--host=${socket}`, `--config-file=${configuration}`, `--pidfile=${join(folder, 'pid')}`, ...options, ...network]
  const [program, ...before] = enter
  const daemon = spawn(program, [...before, 'dockerd', ...words], { stdio: ['ignore', log, log] })
  closeSync(log)
  const ended = new Promise(resolve => {
    daemon.on('exit', resolve)
    daemon.on('error', resolve)
  })
  let running = true
  ended.then(() => {
    running = false
  })
  const engine = { program: 'docker', arguments: ['--host', socket], pulls: false }
  while (running) {
    if (spawnSync(engine.program, [...engine.arguments, 'version']).status === 0) {
      return { engine, stop: () => stop(daemon, ended) }
    }
    await setTimeout(100)
  }
  throw new Error(`dockerd did not start: ${readFileSync(join(folder, 'dockerd.log'), 'utf8').trim().split('\n').slice(-3).join('\n')}`)
}

async function stop(daemon, ended) {
  daemon.kill('SIGTERM')
  await ended
}

/** Whether nothing that this process starts can have CAP_SYS_RESOURCE. */
export function lacksResource() {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return !(bounding && (BigInt(`0x${bounding[1]}`) >> CAP_SYS_RESOURCE) & 1n)
}

/** Where root itself lacks CAP_SYS_RESOURCE, runc cannot give it to a privileged container: a runtime takes it off the list before. */
function runtimes(folder) {
  if (!lacksResource()) return {}
  const runtime = join(folder, 'runtime')
  const program = fileURLToPath(new URL('container-runtime.mjs', import.meta.url))
  writeFileSync(runtime, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 })
  return { runtimes: { lesser: { path: runtime } }, 'default-runtime': 'lesser' }
}
