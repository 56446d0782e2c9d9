// The program of docs/networks.md runs as it stands there, and prints what it says; with the README's it shows every public call of networks.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Endpoint, Network, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { patience } from '../helpers/patience.js'
import { attempt } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { compiled, typeProblems } from './program.js'

const top = new URL('../../', import.meta.url)
// Inside the package, so that 'netloom' means what it means to a user.
const folder = new URL('build/networks/', top)
const programs = (page: string) =>
  [...readFileSync(new URL(page, top), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = '']) => block)
const [program = '', ...more] = programs('docs/networks.md')

beforeAll(() => void mkdirSync(folder, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every public call is in it, or in the README', () => {
  expect(more).toEqual([])
  const shown = [program, ...programs('README.md')].join('\n')
  const calls = [Networks, Network, Endpoint].flatMap(({ prototype }) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) => {
      const used = typeof value === 'function' ? `.${name}(` : `.${name}`
      return name === 'constructor' || shown.includes(used) ? [] : [name]
    }),
  )
  expect(calls).toEqual([])
})

test('it prints what its comments say', { timeout: patience(60_000) }, async context => {
  await needs(context, 'bridge', 'veth', 'nftables')
  const place = mkdtempSync(join(tmpdir(), 'netloom-docker-'))
  // In the place of Docker: what it answers about a machine without networks of its own.
  const bridge = { Name: 'bridge', Id: 'ab'.repeat(32), Created: '', Driver: 'bridge', IPAM: { Config: null } }
  const daemon = createServer(({ url }, answer) => void answer.end(JSON.stringify(url === '/networks' ? [bridge] : bridge)))
  await once(daemon.listen(join(place, 'docker.sock')), 'listening')
  try {
    const file = new URL('example.mjs', folder)
    writeFileSync(file, compiled(program).replace('/var/run/docker.sock', join(place, 'docker.sock')))
    await using box = await sandbox()
    const { code, stdout, stderr } = await attempt(box.where, process.execPath, [fileURLToPath(file)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const said = [...program.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, result]) => result)
    expect(stdout.trimEnd().split('\n')).toEqual(said)
  } finally {
    daemon.close()
    rmSync(place, { recursive: true })
  }
})

test('it passes the type checker as it stands', { timeout: patience(120_000) }, () => {
  expect(typeProblems([{ name: 'networks.ts', text: program }])).toEqual([])
})
