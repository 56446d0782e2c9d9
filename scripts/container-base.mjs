// A base image without any registry: the distribution's packages, with this machine's Node and npm on top.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findProgram } from './machine.mjs'

/** Debian's packages that the suite uses, as .ci/packages lists them: a program and its package on each line. */
export const packages = () => [
  ...new Set(
    readFileSync('.ci/packages', 'utf8')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => line.split(' ')[1]),
  ),
]

/** Makes it and gives its name. `folder` is for files of this run. */
export function baseImage(engine, folder) {
  const [, suite = 'bookworm'] = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? []
  const include = [...packages(), 'ca-certificates', 'libatomic1'].join(',')
  // An engine that keeps its images has it from the last time.
  const contents = createHash('sha256')
    .update(JSON.stringify([suite, include, process.version]))
    .digest('hex')
  const [bare, name] = ['bare', 'base'].map(part => `netloom-${part}:${contents.slice(0, 12)}`)
  if (spawnSync(engine.program, [...engine.arguments, 'image', 'inspect', name]).status === 0) return name
  if (findProgram('mmdebstrap') === undefined)
    throw new Error(
      'no registry can be reached, and mmdebstrap is missing (Debian package mmdebstrap), which makes a base image without one',
    )
  const archive = join(folder, 'base.tar')
  // No mirror is named: it takes the one that apt is configured for.
  demand('mmdebstrap', ['--variant=minbase', `--include=${include}`, '--skip=cleanup/apt', suite, archive])
  demand(engine.program, [...engine.arguments, 'import', archive, bare])
  const context = join(folder, 'context')
  mkdirSync(join(context, 'usr/local/bin'), { recursive: true })
  const prefix = dirname(dirname(process.execPath))
  cpSync(process.execPath, join(context, 'usr/local/bin/node'))
  for (const part of ['lib/node_modules/npm', 'include/node'])
    if (existsSync(join(prefix, part))) cpSync(join(prefix, part), join(context, 'usr/local', part), { recursive: true })
  for (const program of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, join(context, 'usr/local/bin', program))
  writeFileSync(join(context, 'Dockerfile'), `FROM ${bare}\nCOPY usr /usr\n`)
  demand(engine.program, [...engine.arguments, 'build', '--network=none', '--tag', name, context])
  return name
}

function demand(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')}: ${error ?? stderr.trim().split('\n').slice(-5).join('\n')}`)
}
