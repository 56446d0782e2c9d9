// Running an example in a machine of its own, and looking at what it made with other tools before it is removed.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { entering, environment, ip, run } from '../helpers/readers.js'
import type { Sandbox } from '../helpers/sandbox.js'

const top = new URL('../../', import.meta.url)
/** An example as the compiler has left it: programOf('s2-veth'), programOf('demo'). */
export const programOf = (name: string): string => fileURLToPath(new URL(`dist-examples/${name}.js`, top))
/** The example that is no TypeScript. */
export const plainProgram = fileURLToPath(new URL('examples/ownership.mjs', top))
const pausing = new URL('pause.mjs', import.meta.url).href

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
/** An example that waits at the end of its work. */
export interface Standing {
  readonly pid: number
  /** What it has printed so far. */
  output(): string
}

/** Runs a program; `look` is called while all that it made is there. It must succeed, say nothing on its standard error, and leave nothing. */
export async function runExample(
  box: Sandbox,
  program: string,
  look: (standing: Standing) => Promise<void>,
  args: readonly string[] = [],
): Promise<string> {
  const child = startIn(box, ['--import', pausing, program, ...args])
  const ended = endOf(child)
  let stdout = ''
  child.stdout?.on('data', text => {
    stdout += text
  })
  const standing = await Promise.race([once(child, 'message').then(() => true), ended.then(() => false)])
  try {
    if (standing) await look({ pid: child.pid ?? 0, output: () => stdout })
  } finally {
    if (child.connected) child.send('go on')
  }
  const { code, stderr } = await ended
  expect({ code, stderr, standing }).toEqual({ code: 0, stderr: '', standing: true })
  await expectNothingLeft(box)
  return stdout
}

/** Starts node in the sandbox, with a channel for messages. */
export function startIn(box: Sandbox, args: readonly string[]): ChildProcess {
  const [command = '', ...words] = [...entering(box.where), process.execPath, ...args]
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: environment([command, ...words]) })
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8')
  return child
}

/** What a program has printed, and its exit code, when it has ended. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', text => {
    stdout += text
  })
  child.stderr?.on('data', text => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** No named namespace, and no link but lo. */
export async function expectNothingLeft(box: Sandbox): Promise<void> {
  expect(await namesIn(box)).toEqual([])
  expect((await ip<{ ifname: string }>(box.where, 'link', 'show')).map(link => link.ifname)).toEqual(['lo'])
}

/** The named namespaces of the sandbox. */
export async function namesIn(box: Sandbox): Promise<string[]> {
  return (await run(box.where, 'ls', '/run/netns')).split('\n').filter(Boolean).sort()
}

/** 'net:[4026531956]' of a named namespace, as the file system has it. */
export async function identityOf(box: Sandbox, name: string): Promise<string> {
  return `net:[${(await run(box.where, 'stat', '--format=%i', `/run/netns/${name}`)).trim()}]`
}

export interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly address: string
  readonly master?: string
  readonly linkinfo?: {
    readonly info_kind?: string
    readonly info_data?: Readonly<Record<string, unknown>>
    readonly info_slave_data?: { readonly state?: string }
  }
}
/** `ip -n NAMESPACE -j -d link`. */
export const linksIn = (box: Sandbox, namespace: string): Promise<IpLink[]> => ip<IpLink>(box.where, '-n', namespace, 'link', 'show')

/** The addresses of a link, '10.0.0.1/24', of IPv4 only. */
export async function addressesIn(box: Sandbox, namespace: string, link: string): Promise<string[]> {
  type Answer = { addr_info: { local: string; prefixlen: number }[] }
  const answers = await ip<Answer>(box.where, '-n', namespace, '-4', 'address', 'show', 'dev', link)
  return answers.flatMap(({ addr_info }) => addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`))
}

/** peer_ifindex of a veth, as ethtool reads it. */
export async function peerIndexIn(box: Sandbox, namespace: string, link: string): Promise<number> {
  const text = await run(box.where, 'ip', 'netns', 'exec', namespace, 'ethtool', '-S', link)
  return Number(/peer_ifindex: (\d+)/.exec(text)?.[1])
}
