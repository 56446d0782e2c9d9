// Builds the addons that a package carries, into prebuilds/: `node scripts/prebuild.mjs [x64|arm64 …]`, by default for this machine's processor.
// Another processor's needs its cross compiler (Debian package g++-aarch64-linux-gnu); musl's are built where musl is, by the release job.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { findProgram } from './machine.mjs'
import { symbolVersions } from './symbol-versions.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cross = { x64: 'x86_64-linux-gnu-', arm64: 'aarch64-linux-gnu-' }
const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'

for (const arch of process.argv.length > 2 ? process.argv.slice(2) : [process.arch]) build(arch)

/** node-gyp builds in the folder that it is given: a copy, so that the checkout's own build stays. */
function build(arch) {
  if (!(arch in cross)) refuse(`${arch}: there are prebuilt addons for ${Object.keys(cross).join(' and ')}`)
  const tools = toolsFor(arch)
  const folder = mkdtempSync(join(tmpdir(), 'netloom-prebuild-'))
  try {
    for (const part of ['native', 'binding.gyp', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const prefix = dirname(dirname(process.execPath))
    const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
    const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
    demand(process.execPath, [gyp, 'configure', 'build', `--arch=${arch}`, '--loglevel=warn', ...headers], {
      cwd: folder,
      env: { ...process.env, ...tools.env },
    })
    const built = join(folder, 'build/Release/netloom.node')
    demand(tools.strip, ['--strip-unneeded', built])
    if (libc === 'glibc') {
      const { tooNew } = symbolVersions(built)
      if (tooNew.length > 0) refuse(`needs a newer system than the package promises: ${tooNew.join(', ')}`)
    }
    const target = join(root, 'prebuilds', `linux-${arch}`)
    mkdirSync(target, { recursive: true })
    cpSync(built, join(target, `netloom.${libc}.node`))
    process.stdout.write(`prebuilds/linux-${arch}/netloom.${libc}.node\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function toolsFor(arch) {
  if (arch === process.arch) return { strip: 'strip', env: {} }
  const prefix = cross[arch]
  if (findProgram(`${prefix}g++`) === undefined) refuse(`${prefix}g++ is missing (Debian package g++-${prefix.slice(0, -1)})`)
  return { strip: `${prefix}strip`, env: { CC: `${prefix}gcc`, CXX: `${prefix}g++`, AR: `${prefix}ar`, LINK: `${prefix}g++` } }
}

function demand(command, args, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options })
  if (status !== 0) refuse(`${command} ${args.join(' ')}: ${error ?? `${stdout}${stderr}`}`)
}

function refuse(line) {
  process.stderr.write(`prebuild: ${line}\n`)
  process.exit(1)
}
