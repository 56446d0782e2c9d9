// The whole suite as an ordinary user: `node scripts/rootless.mjs [vitest's arguments]`. Root becomes one that owns nothing, in a copy of this clone.
// What an ordinary user cannot have is skipped by name; the last line is "N passed, N failed, N skipped".
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The kernel's overflow user, which stands for those that a namespace does not have: nothing is theirs. */
const nobody = 65534
/** What a clone has for its history, and what other checks build. */
const left = /^(\.git|build-.*|coverage|prebuilds)$/
// Without any, only the suite itself is run: formatter and types are the same for every user.
const chosen = process.argv.length > 2 ? process.argv.slice(2) : ['test/']
const start = performance.now()

const isRoot = process.getuid?.() === 0
const folder = isRoot ? mkdtempSync(join(tmpdir(), 'netloom-rootless-')) : undefined
try {
  demand(process.execPath, ['scripts/setup.mjs'])
  process.exitCode = await (folder === undefined ? run(root, process.env, {}) : asNobody(folder))
  // On the error stream: the suite's last line counts.
  process.stderr.write(`rootless: ${Math.round((performance.now() - start) / 1000)} s\n`)
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}

async function asNobody(folder) {
  const [clone, home, temporary] = ['clone', 'home', 'tmp'].map(name => join(folder, name))
  for (const path of [clone, home, temporary]) mkdirSync(path)
  for (const name of readdirSync(root))
    if (!left.test(name)) cpSync(join(root, name), join(clone, name), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  demand('chown', ['-RhP', `${nobody}:${nobody}`, folder])
  const { PATH, LANG, CI } = process.env
  const env = { PATH, LANG, CI, HOME: home, TMPDIR: temporary, USER: 'nobody', LOGNAME: 'nobody' }
  process.stderr.write(`rootless: as user ${nobody}\n`)
  return run(clone, Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)), { uid: nobody, gid: nobody })
}

/** The suite's exit code. A list of required features is root's: an ordinary user cannot have all of them. */
async function run(cwd, { NETLOOM_REQUIRE: _, ...env }, user) {
  const suite = spawn(process.execPath, [join(cwd, 'scripts/test.mjs'), ...chosen], { cwd, env, stdio: 'inherit', ...user })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => suite.kill(signal))
  return new Promise(resolve => {
    suite.on('error', error => {
      process.stderr.write(`rootless: ${error.message}\n`)
      resolve(125)
    })
    suite.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

function demand(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(125)
}
