// Runs a command in a fresh network namespace and a fresh mount namespace, with a /run, a /sys and a loopback of its own.
// Usage: node scripts/isolated.mjs [--fresh] COMMAND [ARGUMENT…]; once inside, it makes new ones only if --fresh is said.
// Plain JavaScript on Node's own modules: it runs before anything is installed.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findProgram, inodeOfNamespace, isIsolated } from './machine.mjs'

const INSIDE = '--inside'
const FRESH = '--fresh'
const self = fileURLToPath(import.meta.url)

/** SIOCSIFFLAGS with IFF_UP | IFF_RUNNING, for machines without iproute2. */
const LOOPBACK_UP = `
import fcntl, socket, struct
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack('16sh22x', b'lo', 0x41))
`

const fresh = process.argv[2] === FRESH
const [first, ...rest] = process.argv.slice(fresh ? 3 : 2)
if (first === undefined) refuse('usage: node scripts/isolated.mjs COMMAND [ARGUMENT…]')
if (process.platform !== 'linux') refuse('network namespaces exist on Linux only')

// Ordinary users' PATH often lacks the folders where ip, ethtool and tcpdump are.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`

if (first === INSIDE) {
  furnish()
  run(rest, process.env)
} else if (isIsolated() && !fresh) {
  run([first, ...rest], process.env)
} else {
  const unshare = wayIn()
  run([...unshare, process.execPath, self, INSIDE, first, ...rest], { ...process.env, NETLOOM_ISOLATED: inodeOfNamespace() })
}

/** The unshare command line that works for this user; ends the process with one line when none does. */
function wayIn() {
  if (findProgram('unshare') === undefined) refuse('unshare is missing (Debian package util-linux)')
  if (findProgram('mount') === undefined) refuse('mount is missing (Debian package mount)')
  const asRoot = ['unshare', '--net', '--mount', '--propagation', 'private']
  const asUser = ['unshare', '--user', '--map-root-user', '--net', '--mount', '--propagation', 'private']
  const isRoot = process.getuid?.() === 0
  let refusal = ''
  for (const way of isRoot ? [asRoot, asUser] : [asUser]) {
    const probe = spawnSync(way[0], [...way.slice(1), 'true'], { encoding: 'utf8' })
    if (probe.status === 0) {
      if (way === asUser) say(`${isRoot ? 'no CAP_SYS_ADMIN' : 'not root'}: running in a user namespace, as root of it`)
      return way
    }
    refusal = (probe.stderr ?? '').trim() || String(probe.error)
  }
  return refuse(`${isRoot ? 'CAP_SYS_ADMIN is missing' : 'not root'} and no user namespace can be made: ${refusal}${userNamespaceHint()}`)
}

function userNamespaceHint() {
  const switches = [
    ['/proc/sys/user/max_user_namespaces', '0', 'sysctl user.max_user_namespaces is 0'],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'sysctl kernel.unprivileged_userns_clone is 0'],
    ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1', 'sysctl kernel.apparmor_restrict_unprivileged_userns is 1'],
  ]
  for (const [path, off, meaning] of switches) {
    try {
      if (readFileSync(path, 'utf8').trim() === off) return ` (${meaning})`
    } catch (error) {
      if (error.code !== 'ENOENT') return ` (${path}: ${error.code})`
    }
  }
  return ''
}

/** Furnishes the new namespaces: nothing below may happen anywhere else, so that is checked first. */
function furnish() {
  if (!isIsolated()) refuse('still in the outer namespace: nothing was changed')
  demand('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run'])
  mkdirSync('/run/netns')
  const sysfs = spawnSync('mount', ['-t', 'sysfs', 'sysfs', '/sys'], { encoding: 'utf8' })
  // A container that hides parts of /sys may not mount a whole one; the outer one stays then, which can only be read wrongly.
  if (sysfs.status !== 0) say(`/sys still shows the outer namespace: ${sysfs.stderr.trim()}`)
  if (findProgram('ip') !== undefined) demand('ip', ['link', 'set', 'lo', 'up'])
  else demand('python3', ['-c', LOOPBACK_UP])
}

function demand(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' })
  if (result.status !== 0) refuse(`${command} ${args[0]}: ${(result.stderr ?? '').trim() || String(result.error)}`)
}

/** Runs the command in the place of this process: its streams, its signals, its exit code. */
function run([command, ...args], env) {
  let child
  // Before the command starts: a signal that came in between would end this process and leave the command alone.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    process.on(signal, () => {
      // A terminal sends its signals to the whole process group, so the child has it already.
      const fromTerminal = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT')
      if (!fromTerminal) child.kill(signal)
    })
  }
  child = spawn(command, args, { stdio: 'inherit', env })
  // EACCES is also what a folder of PATH that this user may not look into gives.
  const unknown = ({ code }) => code === 'ENOENT' || (code === 'EACCES' && !command.includes('/') && findProgram(command) === undefined)
  child.on('error', error => refuse(`${command}: ${unknown(error) ? 'command not found' : error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function say(line) {
  process.stderr.write(`isolated: ${line}\n`)
}

function refuse(line) {
  say(line)
  process.exit(125)
}
