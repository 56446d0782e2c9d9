// Fuzzes what the addon reads from the kernel and from JavaScript (clang's libFuzzer, address and undefined behaviour sanitizers):
// `node scripts/fuzz.mjs [--seconds=60] [--keep] [TARGET…]`, each target for that long. It starts from test/fuzz/native/corpus, which --keep renews.
// What makes a target fail is kept in build-fuzz/crashes and printed. Each target counts once. The last line is "N passed, N failed, N skipped".
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, keep: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const build = 'build-fuzz'
const crashes = join(build, 'crashes')
const folder = 'test/fuzz/native'
/** What reads bytes, and what it needs; the rest of the addon is about JavaScript's values. */
const sources = ['netlink', 'jobs', 'options', 'packet', 'sockets', 'thread', 'namespace', 'files', 'sysctl'].map(
  name => `native/${name}.cc`,
)
const wrapped = ['recvmsg', 'sendmsg', 'sendto', 'socket', 'bind', 'setsockopt', 'getsockopt', 'poll']
// The addon knows g++'s word for a build with a sanitizer.
const flags = [
  ...['-std=c++17', '-g', '-O1', '-fno-exceptions', '-fno-omit-frame-pointer', '-D__SANITIZE_ADDRESS__=1', '-Inative'],
  ...['-Wall', '-Wextra', '-Werror', '-fsanitize=fuzzer-no-link,address,undefined', '-fno-sanitize-recover=all'],
]

const all = readdirSync(folder)
  .filter(file => file.endsWith('.cc') && file !== 'kernel.cc')
  .map(file => basename(file, '.cc'))
const targets = positionals.length > 0 ? positionals : all
const unknown = targets.filter(target => !all.includes(target))
if (unknown.length > 0) refuse(`${unknown.join(', ')}: the targets are ${all.join(', ')}`)
if (!(Number(values.seconds) > 0)) refuse(`--seconds=${values.seconds}: a number of seconds expected`)
const clang = ['clang++', ...[19, 18, 17, 16, 15, 14].map(version => `clang++-${version}`)].find(findProgram)
if (clang === undefined) refuse('clang++ is missing (Debian packages clang and libclang-rt-14-dev)')

const start = performance.now()
mkdirSync(crashes, { recursive: true })
const objects = await inParallel([...sources, `${folder}/kernel.cc`], compile)
const counts = { passed: 0, failed: 0 }
process.stdout.write(`fuzz: built in ${seconds(start)} s\n`)
await inParallel(targets, fuzz)
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, 0 skipped\n`)
process.exitCode = counts.failed === 0 ? 0 : 1

async function compile(source) {
  const object = join(build, `${source.replace(/\W/g, '-')}.o`)
  await demand(clang, [...flags, '-c', source, '-o', object])
  return object
}

async function fuzz(target) {
  const program = join(build, target)
  await demand(clang, [
    ...flags,
    ...['-fsanitize=fuzzer,address,undefined', `${folder}/${target}.cc`, ...objects, '-o', program],
    ...wrapped.map(name => `-Wl,--wrap=${name}`),
  ])
  const corpus = unpack(target)
  const limits = ['-timeout=10', '-rss_limit_mb=2048', '-max_len=2048']
  const ways = [
    '-use_value_profile=1',
    '-print_final_stats=1',
    `-max_total_time=${values.seconds}`,
    `-artifact_prefix=${crashes}/${target}-`,
  ]
  const { code, output } = await run(program, [...limits, ...ways, corpus])
  const [, executed = '0'] = /number_of_executed_units: (\d+)/.exec(output) ?? []
  // One that ran nothing, or that reached nothing of the addon, has not looked.
  const covered = Math.max(0, ...[...output.matchAll(/ cov: (\d+)/g)].map(([, edges]) => Number(edges)))
  const good = code === 0 && Number(executed) > 0 && covered > 50
  counts[good ? 'passed' : 'failed']++
  process.stdout.write(`${good ? 'ok' : 'FAILED'}: ${target}, ${executed} inputs, ${covered} edges\n`)
  if (!good)
    process.stdout.write(`${output.slice(Math.max(0, output.search(/^.*(runtime error|broken promise|ERROR: )/m)))}${artifacts(target)}`)
  if (values.keep && good) await keep(target, program, corpus)
}

/** The saved inputs as files, which is what libFuzzer reads, and where it puts what it finds meanwhile. */
function unpack(target) {
  const corpus = join(build, 'corpus', target)
  rmSync(corpus, { recursive: true, force: true })
  mkdirSync(corpus, { recursive: true })
  for (const line of savedLines(target)) {
    const input = Buffer.from(line, 'hex')
    writeFileSync(join(corpus, createHash('sha1').update(input).digest('hex')), input)
  }
  return corpus
}

/** Inputs in hexadecimal, one on each line; lines that begin with # say something about the next. */
function savedLines(target) {
  const text = readFileSync(`${folder}/corpus/${target}.hex`, 'utf8')
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

/** Writes the fewest inputs that reach as much. */
async function keep(target, program, corpus) {
  const fewest = join(build, 'fewest', target)
  rmSync(fewest, { recursive: true, force: true })
  mkdirSync(fewest, { recursive: true })
  await demand(program, ['-merge=1', fewest, corpus])
  const inputs = readdirSync(fewest).map(name => readFileSync(join(fewest, name)).toString('hex'))
  const lines = inputs.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  writeFileSync(`${folder}/corpus/${target}.hex`, `${lines.filter(Boolean).join('\n')}\n`)
  process.stdout.write(`fuzz: ${target}: ${lines.length} inputs kept\n`)
}

function artifacts(target) {
  const files = readdirSync(crashes).filter(name => name.startsWith(`${target}-`))
  return files.map(name => `${join(crashes, name)}: ${readFileSync(join(crashes, name)).toString('hex')}\n`).join('')
}

async function inParallel(items, work) {
  const queue = items.map((item, index) => [item, index])
  const results = []
  const line = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[1]] = await work(next[0])
  }
  await Promise.all(Array.from({ length: availableParallelism() }, line))
  return results
}

async function demand(command, args) {
  const { code, output } = await run(command, args)
  if (code !== 0) refuse(`${command} ${args.join(' ')}:\n${output}`)
}

function run(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  return new Promise(resolve => {
    child.on('error', error => resolve({ code: 127, output: `${error}\n` }))
    child.on('close', code => resolve({ code, output }))
  })
}

function seconds(since) {
  return Math.round((performance.now() - since) / 1000)
}

function refuse(line) {
  process.stderr.write(`fuzz: ${line}\n`)
  process.exit(125)
}
