// Gets a clone ready to run: dependencies, native addon, dist and dist-examples; each only when it is out of date.
// Plain JavaScript on Node's own modules: it runs before anything is installed. Programs are started directly, never through a shell.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alone } from './lock.mjs'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

class SetupError extends Error {}

try {
  checkNode()
  checkTools()
  await alone(
    process.cwd(),
    () => say('waiting for another set-up of this clone'),
    () => {
      installDependencies()
      buildAddon()
      compile('lib', 'dist', 'tsconfig.build.json', bundle)
      compile('examples', 'dist-examples', 'tsconfig.examples.json', undefined, 'dist')
    },
  )
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exit(1)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new SetupError(`Node ${process.versions.node} is too old: netloom needs 20.19 or newer`)
}

function checkTools() {
  const wanted = [
    ['a C++ compiler', [process.env.CXX, 'g++', 'clang++', 'c++'], 'g++'],
    ['make', [process.env.MAKE, 'make'], 'make'],
    ['python3', [process.env.PYTHON, 'python3'], 'python3'],
  ]
  const missing = wanted.filter(([, programs]) => !programs.some(isThere))
  if (missing.length > 0) {
    throw new SetupError(
      `missing: ${missing.map(([what]) => what).join(', ')} (Debian: apt-get install ${missing.map(([, , name]) => name).join(' ')})`,
    )
  }
}

/** CXX and its like may hold arguments too ('ccache g++'); the first word is the program. */
function isThere(program) {
  const [word] = (program ?? '').trim().split(/\s+/)
  return Boolean(word) && (word.includes('/') ? existsSync(word) : findProgram(word) !== undefined)
}

function installDependencies() {
  if (isInstalled()) return
  // npm names itself to the scripts that it runs; without it, PATH has to.
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm']
  step('installing dependencies (npm ci)', [...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Compares what npm installed with the lock file. Contents say more than times: a checkout touches the lock file without changing it. */
function isInstalled() {
  const lock = lockedPackages('package-lock.json')
  const installed = lockedPackages('node_modules/.package-lock.json')
  if (installed === undefined) return false
  const rightOrOptional = ([path, wanted]) =>
    installed[path] === undefined ? wanted.optional || wanted.peer : installed[path].version === wanted.version
  return Object.entries(lock)
    .filter(([path]) => path !== '')
    .every(rightOrOptional)
}

function lockedPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}

/** The build script decides itself whether there is something to do; what it prints is shown only if it fails. */
function buildAddon() {
  const outdated = (newestTime('native') ?? 0) > (newestTime('build/Release/netloom.node') ?? 0)
  step(outdated ? 'building the native addon' : undefined, [process.execPath, 'scripts/build-native.mjs'])
}

/** Compiles to a folder of its own and swaps it in, so that a failure keeps the old output and a removed source leaves none. */
function compile(source, output, project, finish, ...dependsOn) {
  const started = new Date()
  const sources = [source, project, 'tsconfig.json', 'package.json', ...dependsOn].map(newestTime)
  if (existsSync(output) && statSync(output).mtimeMs >= Math.max(...sources.map(time => time ?? 0))) return
  const [fresh, old] = ['new', 'old'].map(age => `node_modules/.${output}-${age}-${process.pid}`)
  try {
    step(`compiling ${source}`, [process.execPath, 'node_modules/typescript/bin/tsc', '-p', project, '--outDir', fresh])
    finish?.(fresh)
    // A source saved while the compiler ran is newer than this, so that the next run compiles it.
    utimesSync(fresh, started, started)
    // Programs that run from the old output meanwhile miss it for a moment only.
    if (existsSync(output)) renameSync(output, old)
    renameSync(fresh, output)
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * What users load, in few files: finding and reading hundreds takes Node several times as long. As deep in the package as the sources, so that paths from
 * import.meta.url hold in both.
 */
function bundle(folder) {
  const entries = ['index.js', 'netlink.js', 'namespace/exec-entry.js'].map(file => join(folder, file))
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const others = Object.keys(dependencies).flatMap(name => ['--external', name])
  const options = ['--dir', join(folder, 'bundle'), '--format', 'esm', '--platform', 'node', '--no-comments', ...others]
  step(undefined, [process.execPath, 'node_modules/rolldown/bin/cli.mjs', ...entries, ...options])
}

/** The newest modification below a path, in milliseconds. Folders count: theirs changes when a file is removed. */
function newestTime(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map(name => newestTime(join(path, name)) ?? 0))
}

/** Runs a program, quietly if it succeeds; its whole output and the end of this process if it fails. */
function step(announcement, [program, ...args]) {
  if (announcement !== undefined) say(announcement)
  const result = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
  if (result.status === 0) return
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  throw new SetupError(
    `${[program, ...args].join(' ')}: ${result.error?.message ?? `failed with ${result.signal ?? `exit code ${result.status}`}`}`,
  )
}

function say(line) {
  process.stderr.write(`setup: ${line}\n`)
}
