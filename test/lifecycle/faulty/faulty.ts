// System calls that fail when the addon makes them, and only then: the module of faulty.cc, built with the machine's compiler and put in the addon's way.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { native } from '../../../lib/socket/native.js'

interface Module {
  install(path: string): string[]
  arm(call: string, errno: number, number: number): void
  disarm(): Record<string, number>
}

export interface Faulty {
  /** The addon's file. */
  readonly path: string
  /** The calls that the addon can make at all, among those that can be made to fail here. */
  readonly calls: readonly string[]
  /** From now on calls are counted, and the given one fails when it is made for that time, the first being 1. */
  arm(call: string, errno: number, number: number): void
  /** How often each was made since. */
  disarm(): Record<string, number>
}

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../../../', import.meta.url))

export function faulty(): Faulty {
  native().currentNamespace().close()
  const folder = mkdtempSync(join(tmpdir(), 'netloom-faulty-'))
  try {
    const built = join(folder, 'faulty.node')
    const headers = ['node-api-headers/include', 'node-addon-api'].map(name => `-I${join(root, 'node_modules', name)}`)
    const options = ['-std=c++17', '-shared', '-fPIC', '-fno-exceptions', '-DNAPI_VERSION=9', '-DNAPI_DISABLE_CPP_EXCEPTIONS']
    const source = join(dirname(fileURLToPath(import.meta.url)), 'faulty.cc')
    // A sanitizer's library in the compiler would watch the compiler.
    const { LD_PRELOAD: _, ...env } = process.env
    execFileSync(process.env.CXX ?? 'g++', [...options, ...headers, '-o', built, source], { env })
    const module = require(built) as Module
    const calls = module.install(addonPath()).map(plain)
    return {
      path: addonPath(),
      calls,
      arm: (call, errno, number) => module.arm(exact(call), errno, number),
      disarm: () => Object.fromEntries(Object.entries(module.disarm()).map(([name, times]) => [plain(name), times])),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The C library's names for files of any size. */
const large = ['open64', 'openat64', 'fstatfs64', 'fcntl64']
const plain = (name: string) => (large.includes(name) ? name.slice(0, -2) : name)
const exact = (name: string) => large.find(other => plain(other) === name) ?? name

/** Of what this process has mapped, the addon's file: what loaded it may have looked at several places. */
export function addonPath(): string {
  const [path] = readFileSync('/proc/self/maps', 'utf8').match(/\/.*\/netloom[^/\n]*\.node$/m) ?? []
  if (path === undefined) throw new Error('the addon is not loaded')
  return path
}
