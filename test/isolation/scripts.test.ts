// The scripts around the suite: isolation passes everything on, the picture of a namespace shows every change, set-up says what is missing.

import { readlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt, run, start } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'

const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url))
/** No sanitizer's library, which ends the shells that it starts. */
const isolating = ['-u', 'LD_PRELOAD', process.execPath, script('isolated.mjs')]
const isolated = (...args: string[]) => attempt(undefined, 'env', [...isolating, ...args])

describe('scripts/isolated.mjs', () => {
  test('gives the command a network namespace with a loopback, an empty /run/netns and a /sys of its own', async context => {
    await needs(context, 'tool:ip', 'own-sysfs')
    const { stdout } = await isolated(
      '--fresh',
      'sh',
      '-c',
      'readlink /proc/self/ns/net; ls /run/netns /sys/class/net; cat /sys/class/net/lo/flags',
    )
    const [namespace, ...listing] = stdout.trim().split('\n')
    expect(namespace).not.toBe(await readlink('/proc/self/ns/net'))
    expect(listing[0]).toBe('/run/netns:')
    expect(listing).toContain('lo')
    // IFF_UP | IFF_LOOPBACK
    expect(listing.at(-1)).toBe('0x9')
  })

  test('does not nest by itself', async () => {
    expect((await isolated('readlink', '/proc/self/ns/net')).stdout.trim()).toBe(await readlink('/proc/self/ns/net'))
  })

  test('passes on the exit code, and the signal that ended the command', async () => {
    expect(await isolated('--fresh', 'sh', '-c', 'exit 7')).toMatchObject({ code: 7 })
    expect(await isolated('--fresh', 'sh', '-c', 'kill -TERM $$')).toMatchObject({ code: 128 + 15 })
  })

  test('forwards signals to the command', async () => {
    const running = await start(undefined, 'env', [
      ...isolating,
      '--fresh',
      'sh',
      '-c',
      'trap "echo got it; exit 0" TERM; echo ready; while :; do sleep 0.05; done',
    ])
    expect((await running.lines.next()).value).toBe('ready')
    const ended = running.stop('SIGTERM')
    expect((await running.lines.next()).value).toBe('got it')
    await ended
  })

  test('says in one line that there is no such command', async () => {
    expect(await isolated('no-such-command')).toMatchObject({ code: 125, stderr: 'isolated: no-such-command: command not found\n' })
  })
})

describe('scripts/observe.mjs', () => {
  const observe = `import { observeNamespace } from ${JSON.stringify(script('observe.mjs'))}; console.log(observeNamespace().join('\\n'))`

  test('sees a link, an address, a route, a named namespace, a sysctl and a ping', async context => {
    await needs(context, 'veth', 'tool:ip', 'tool:ping', 'own-sysfs')
    await using box = await sandbox()
    const picture = async () => (await run(box.where, process.execPath, '--input-type=module', '-e', observe)).split('\n')
    const before = await picture()
    expect(await picture()).toEqual(before)

    await run(box.where, 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1')
    await run(box.where, 'ip', 'link', 'set', 'v0', 'up')
    await run(box.where, 'ip', 'address', 'add', '10.0.1.1/24', 'dev', 'v0')
    await run(box.where, 'ip', 'route', 'add', '10.9.0.0/16', 'dev', 'lo')
    await run(box.where, 'ip', 'netns', 'add', 'blue')
    await run(box.where, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward')
    await run(box.where, 'ping', '-c', '1', '127.0.0.1')
    const added = (await picture()).filter(line => !before.includes(line))
    for (const [kind, detail] of [
      ['link', /^link v0 /],
      ['address', /^address 10\.0\.1\.1$/],
      ['route', /^route lo 0000090A /],
      ['namespace', /^named namespace blue$/],
      ['mount', /^mount of a namespace at \/run\/netns\/blue$/],
      ['sysctl', /^sysctl \/proc\/sys\/net\/ipv4\/ip_forward 1$/],
      ['ping', /^pings sent 1$/],
    ] as const) {
      expect(
        added.some(line => detail.test(line)),
        `${kind} in ${added.join('\n')}`,
      ).toBe(true)
    }
  })
})

describe('scripts/setup.mjs', () => {
  test('names every missing tool with its Debian package, in one line', async () => {
    const { code, stderr } = await attempt(undefined, 'env', ['-i', 'PATH=/nonexistent', process.execPath, script('setup.mjs')])
    expect(stderr).toBe('setup: missing: a C++ compiler, make, python3 (Debian: apt-get install g++ make python3)\n')
    expect(code).toBe(1)
  })
})
