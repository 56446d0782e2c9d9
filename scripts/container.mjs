// The whole suite in a privileged container, with Docker or podman, whichever is there: `node scripts/container.mjs [COMMAND…]`, by default npm test.
// Where no daemon answers but dockerd is installed, one is started in a folder and a network namespace of its own, and ended afterwards.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseImage, packages } from './container-base.mjs'
import { lacksResource, startDaemon } from './container-daemon.mjs'
import { findProgram } from './machine.mjs'
import { differences, observeNamespace } from './observe.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const official = process.env.NETLOOM_BASE ?? 'node:22-bookworm'
const image = 'netloom-test'
const chosen = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'netloom-container-'))
const before = observeNamespace()
let daemon
let code = 1
try {
  timed('set-up', () => demand(process.execPath, ['scripts/setup.mjs']))
  const engine = await findEngine()
  const base = timed('base image', () => (hasImage(engine, official) ? official : baseImage(engine, folder)))
  // An image of ours has everything. Otherwise packages are fetched; for that podman would make a bridge, rules and forwarding on this machine.
  const network = base !== official ? ['--network=none'] : engine.program === 'podman' ? ['--network=host'] : []
  const build = [
    'build',
    ...network,
    '--build-arg',
    `BASE=${base}`,
    '--build-arg',
    `PACKAGES=${packages().join(' ')}`,
    '--tag',
    image,
    '--file',
    'Dockerfile.test',
  ]
  timed(`image from ${base}`, () => demand(engine.program, [...engine.arguments, ...build, '.ci']))
  const start = performance.now()
  code = await run(engine)
  // On the error stream: the suite's last line counts.
  process.stderr.write(`container: suite ${seconds(start)} s\n`)
} catch (error) {
  process.stderr.write(`container: ${error instanceof Error ? error.message : error}\n`)
} finally {
  await daemon?.stop()
  rmSync(folder, { recursive: true, force: true })
}
const changes = differences(before, observeNamespace())
if (changes.length > 0) {
  process.stderr.write(
    `container: the network of this machine is not as it was (if another program changed it, run again):\n${changes.join('\n')}\n`,
  )
  code ||= 1
}
process.exitCode = code

/** A daemon that answers, podman, or a daemon of our own. */
async function findEngine() {
  for (const program of ['docker', 'podman'])
    if (findProgram(program) && spawnSync(program, ['info']).status === 0) {
      process.stdout.write(`container: ${program}\n`)
      return { program, arguments: [], limits: program === 'podman' && lacksResource() ? lowLimits() : [] }
    }
  if (!findProgram('dockerd') || process.getuid?.() !== 0)
    throw new Error('neither Docker nor podman answers; install one (Debian packages docker.io or podman), as root nothing else is needed')
  daemon = await startDaemon(folder)
  process.stdout.write('container: a docker daemon of its own\n')
  return daemon.engine
}

/** Podman raises limits by itself, which root without CAP_SYS_RESOURCE may not: no more than this process has, then. */
function lowLimits() {
  const [, files = '1024'] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return [`--ulimit=nofile=${files}:${files}`, '--ulimit=nproc=1024:1024']
}

/** Whether the image is there or a registry gives it. */
function hasImage({ program, arguments: before }, name) {
  return ['inspect', 'pull'].some(
    verb => spawnSync(program, [...before, ...(verb === 'inspect' ? ['image', verb] : [verb]), name]).status === 0,
  )
}

/** The checkout is mounted where the container reads it only; the network is none, which the suite does not need. */
function run({ program, arguments: before, limits = [] }) {
  const environment = ['CI', 'NETLOOM_REQUIRE'].filter(name => process.env[name] !== undefined).flatMap(name => ['--env', name])
  const options = ['--rm', '--privileged', '--network=none', ...limits, ...environment, `--volume=${root}:/checkout:ro`]
  const child = spawn(program, [...before, 'run', ...options, image, ...chosen], { stdio: ['ignore', 'inherit', 'inherit'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', status => resolve(status ?? 1))
  })
}

function timed(what, work) {
  const start = performance.now()
  const result = work()
  process.stdout.write(`container: ${what}, ${seconds(start)} s\n`)
  return result
}

function seconds(start) {
  return Math.round((performance.now() - start) / 1000)
}

function demand(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0)
    throw new Error(`${command} ${args.slice(0, 6).join(' ')} …: ${error ?? `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n')}`)
}
