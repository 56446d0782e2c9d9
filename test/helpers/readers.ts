// Second readers: what ip, bridge, ethtool and their like say, so that no assertion rests on the library alone.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

/**
 * Where a program runs: a named namespace, that of a process (with `mounts` in its mount namespace too), a path,
 * or (undefined) the namespace of the suite.
 */
export type Where = string | { readonly pid: number; readonly mounts?: boolean } | { readonly path: string } | undefined
/** An entry as a tool's JSON gives it. Pass a type of your own where the fields are read one by one. */
export type Entry = Readonly<Record<string, unknown>>
export interface Finished {
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** The path that stands for a namespace. */
export function pathOf(where: Exclude<Where, undefined>): string {
  if (typeof where === 'string') return `/run/netns/${where}`
  return 'pid' in where ? `/proc/${where.pid}/ns/net` : where.path
}

/** The words before a command that put it there. The process is replaced, so pid and signals are the command's. */
export function entering(where: Where): string[] {
  if (where === undefined) return []
  const mounts = typeof where === 'object' && 'mounts' in where && where.mounts
  // Entering a mount namespace leads to its root directory.
  const files = mounts ? [`--mount=/proc/${where.pid}/ns/mnt`, `--wd=${process.cwd()}`] : []
  return ['nsenter', `--net=${pathOf(where)}`, ...files]
}

/**
 * What a program gets. A sanitizer's library, which scripts/sanitized.mjs puts into every process, is for those that load the addon, and upsets
 * some tools; that of ThreadSanitizer no shell survives, so that test/helpers/kernel-file.ts keeps it for node alone.
 */
export function environment(command: readonly string[]): NodeJS.ProcessEnv {
  const { LD_PRELOAD, NETLOOM_PRELOAD = LD_PRELOAD, ...unwatched } = process.env
  return command.includes(process.execPath) && NETLOOM_PRELOAD !== undefined ? { ...unwatched, LD_PRELOAD: NETLOOM_PRELOAD } : unwatched
}

const interpreters = new Set(['sh', 'bash', 'python3'])
/** A command and what it gets; where another program starts node, only node gets a sanitizer's library. */
function prepared(all: readonly string[]): { command: string; words: readonly string[]; env: NodeJS.ProcessEnv } {
  const env = environment(all)
  const at = all.indexOf(process.execPath)
  const { LD_PRELOAD, ...unwatched } = env
  const [command = '', ...words] = all
  if (LD_PRELOAD === undefined || !all.slice(0, at).some(word => interpreters.has(word))) return { command, words, env }
  return { command, words: [...words.slice(0, at - 1), 'env', `LD_PRELOAD=${LD_PRELOAD}`, ...words.slice(at - 1)], env: unwatched }
}

/** Runs a program to its end, whatever its exit code; nothing passes through a shell. */
export function attempt(where: Where, program: string, args: readonly string[] = [], input = ''): Promise<Finished> {
  const { command, words, env } = prepared([...entering(where), program, ...args])
  return new Promise(resolve => {
    const options = {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...env, LC_ALL: 'C' },
    } as const
    const child = execFile(command, words, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr: stderr || (error?.message ?? '') })
    })
    // A program that ends without reading its input is no concern of ours.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** Runs a program that must succeed, and gives what it printed. */
export async function run(where: Where, program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await attempt(where, program, args)
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')}: exit code ${code}: ${stderr.trim()}`)
  return stdout
}

/** `ip -j -d …`: ip(where, 'link', 'show', 'dev', 'eth0'). An object that a filter left out appears as {}, and is dropped here. */
export const ip = <T = Entry>(where: Where, ...args: string[]): Promise<T[]> => readJson<T>(where, 'ip', ['-j', '-d', ...args])

/** `bridge -j -d …`: bridge(where, 'fdb', 'show', 'br', 'br0'). Ages need '-s' as the first argument. */
export const bridge = <T = Entry>(where: Where, ...args: string[]): Promise<T[]> => readJson<T>(where, 'bridge', ['-j', '-d', ...args])

/** `nft -j …`: the entries of the nftables array. */
export async function nft<T = Entry>(where: Where, ...args: string[]): Promise<T[]> {
  const { nftables } = JSON.parse(await run(where, 'nft', '-j', ...args)) as { nftables: T[] }
  return nftables
}

async function readJson<T>(where: Where, program: string, args: string[]): Promise<T[]> {
  const text = await run(where, program, ...args)
  const entries = text.trim() === '' ? [] : (JSON.parse(text) as T[])
  return entries.filter(entry => Object.keys(entry as object).length > 0)
}

/** `ethtool -S`: { peer_ifindex: 2, … }. */
export async function ethtoolStatistics(where: Where, link: string): Promise<Record<string, number>> {
  const lines = (await run(where, 'ethtool', '-S', link)).matchAll(/^\s+(\S.*?): (\d+)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value]) => [name, Number(value)]))
}

/** The ports of every bridge, as brctl show lists them. It reads /sys, so the namespace needs a name: `ip netns exec` mounts one. */
export async function brctlPorts(namespace: string): Promise<Record<string, string[]>> {
  const ports: Record<string, string[]> = {}
  let current = ''
  for (const line of (await run(undefined, 'ip', 'netns', 'exec', namespace, 'brctl', 'show')).split('\n').slice(1)) {
    const words = line.trim().split(/\s+/).filter(Boolean)
    if (!/^\s/.test(line) && words[0] !== undefined) current = words[0]
    const port = /^\s/.test(line) ? words[0] : words[3]
    if (current !== '') ports[current] = [...(ports[current] ?? []), ...(port === undefined ? [] : [port])]
  }
  return ports
}

/** `ping -c count -i interval -W timeout`, in seconds. */
export async function ping(
  where: Where,
  address: string,
  { count = 1, interval = 0.01, timeout = 1 }: { count?: number; interval?: number; timeout?: number } = {},
): Promise<{ sent: number; received: number; output: string }> {
  const args = ['-n', '-c', String(count), '-i', String(interval), '-W', String(timeout), address]
  const { stdout, stderr } = await attempt(where, 'ping', args)
  const [, sent = '0', received = '0'] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? []
  return { sent: Number(sent), received: Number(received), output: stdout + stderr }
}

/** A program that stays: its pid, the lines it prints, and its end at the end of the scope. */
export interface Running extends AsyncDisposable {
  readonly pid: number
  readonly lines: AsyncIterableIterator<string>
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a program and leaves it running, inside when this returns. With `ready`, waits until it has printed that on its standard error. */
export async function start(where: Where, program: string, args: readonly string[] = [], ready?: RegExp): Promise<Running> {
  const [command = program, ...words] = [...entering(where), program, ...args]
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], env: environment([command, ...words]) })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await once(child, 'spawn')
  if (where !== undefined) await arrival(child, where)
  await new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (ready?.test(said)) resolve()
    })
    if (ready === undefined) resolve()
    else void ended.then(() => reject(new Error(`${program} ended before it was ready: ${said.trim()}`)))
  })
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    await ended
  }
  return { pid: child.pid ?? 0, lines, stop, [Symbol.asyncDispose]: () => stop() }
}

/** nsenter starts outside. */
async function arrival(child: ChildProcess, where: Exclude<Where, undefined>): Promise<void> {
  const { ino } = await stat(pathOf(where))
  while (child.exitCode === null && child.signalCode === null) {
    // No answer: it has ended, which the next look at its exit code tells.
    const there = await stat(`/proc/${child.pid}/ns/net`).catch(() => undefined)
    if (there?.ino === ino) return
    await setTimeout(1)
  }
}

/** `tcpdump -n -e` on a link, listening already: every packet is one line of `lines`. */
export function tcpdump(where: Where, link: string, ...filter: string[]): Promise<Running> {
  // It would change to a user of its own, which a user namespace does not have.
  return start(where, 'tcpdump', ['-Z', 'root', '-l', '-n', '-e', '--immediate-mode', '-i', link, ...filter], /listening on/)
}
