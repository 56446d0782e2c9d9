// Settings of more namespaces than one instance of procfs is used for: each is written and read where it belongs, and where nobody may write, nobody does.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'

const host = useHost()
/** Each of the addon's four threads opens more than 64. */
const count = 400
const names = Array.from({ length: count }, (_, i) => host.named(`s${i}`))
beforeAll(async () => void (await Namespace.createMany(names)))
afterAll(() => Namespace.deleteMany(names.map(name => ({ name }))))

const key = 'net.ipv4.conf.lo.arp_announce'
const values = names.map((_, i) => String(i % 3))
async function everywhere<T>(work: (namespace: Namespace, i: number) => Promise<T>): Promise<T[]> {
  const spaces = await Promise.all(names.map(name => Namespace.open({ name })))
  try {
    return await Promise.all(spaces.map(work))
  } finally {
    for (const namespace of spaces) await namespace.close()
  }
}

test('of 400 namespaces each has its own', async () => {
  await everywhere((namespace, i) => namespace.sysctl.set(key, values[i]!))
  const script = 'for name; do ip netns exec $name cat /proc/sys/net/ipv4/conf/lo/arp_announce; done'
  expect((await run(undefined, 'sh', '-c', script, 'sh', ...names)).trim().split('\n')).toEqual(values)
  expect(await everywhere(namespace => namespace.sysctl.get(key))).toEqual(values)
  const wrong = await everywhere(namespace => namespace.sysctl.get('net.ipv4.conf.none.arp_announce').catch((error: unknown) => error))
  expect(wrong).toEqual(names.map(() => expect.objectContaining({ code: 'ENOENT' })))
})

/** Sets what it can of a thousand, and tells how often it could and what it holds open of procfs. */
const program = (library: string) => `
  import { readdirSync, readlinkSync, statfsSync } from 'node:fs'
  import { Namespace } from '${library}'
  const here = Namespace.current()
  const outcomes = {}
  for (let i = 0; i < 1000; i++) {
    const outcome = await here.sysctl.set('net.ipv4.ip_forward', i % 2).then(() => 'done', error => error.code)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  const link = fd => { try { return readlinkSync('/proc/self/fd/' + fd) } catch { return '' } }
  const roots = readdirSync('/proc/self/fd').filter(fd => link(fd) === '/' && statfsSync('/proc/self/fd/' + fd).type === 0x9fa0)
  console.log(JSON.stringify({ outcomes, roots: roots.length > 0 }))
`

test('where /proc/sys is read-only it stays so', async context => {
  await needs(context, 'tool:nsenter')
  const library = new URL('../../dist/index.js', import.meta.url).href
  const found = async (isReadOnly: boolean) => {
    await using box = await sandbox()
    if (isReadOnly) {
      await run(box.where, 'mount', '--bind', '/proc/sys', '/proc/sys')
      await run(box.where, 'mount', '-o', 'remount,ro,bind', '/proc/sys')
    }
    const { stdout, stderr } = await attempt(box.where, process.execPath, ['--input-type=module', '-e', program(library)])
    return { stderr, ...(JSON.parse(stdout || '{}') as object) }
  }
  expect(await found(true)).toEqual({ stderr: '', outcomes: { EROFS: 1000 }, roots: false })
  const mayMount = (await attempt(undefined, 'unshare', ['-m', 'mount', '-t', 'proc', 'proc', '/proc'])).code === 0
  expect(await found(false)).toEqual({ stderr: '', outcomes: { done: 1000 }, roots: mayMount })
})
