// The rest of what makes system calls: sockets inside, ping, settings, tun devices, nftables, processes, and a thread's first use of the library.
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Namespace } from '../../../lib/index.js'
import { type Entry, removeEntries } from '../../../lib/namespace/remove-entries.js'
import { run } from '../../helpers/readers.js'
import { type Work, work } from './works.js'

const firstUse = fileURLToPath(new URL('first-use.mjs', import.meta.url))

export function furtherWorks(host: Namespace, hostName: string, name: (suffix: string) => string): Work[] {
  let folder = ''
  return [
    work({
      name: 'serve and connect',
      work: async () => {
        const server = await host.listen(
          createServer(socket => socket.end('hello')),
          { host: '127.0.0.1', port: 0 },
        )
        try {
          const client = await host.connect({ host: '127.0.0.1', port: (server.address() as { port: number }).port })
          const [said] = await once(client, 'data')
          client.destroy()
          const udp = await host.udp({ type: 'udp4' })
          udp.close()
          return String(said)
        } finally {
          server.close()
        }
      },
      done: async said => (said === 'hello' ? undefined : said),
    }),
    work({
      name: 'ping',
      // Without the right to raw sockets there are ping sockets, which are closed to this group.
      instead: { EPERM: 'EACCES' },
      work: () => host.ping('127.0.0.1', { count: 3, interval: 0.01, timeout: 0.2 }),
      done: async ({ sent, received }) => (sent === 3 && received >= 2 ? undefined : `${received} of ${sent}`),
    }),
    work({
      name: 'write and read a setting',
      work: async () => {
        await host.sysctl.set('net.ipv4.ip_default_ttl', 65)
        return host.sysctl.get('net.ipv4.ip_default_ttl')
      },
      done: async value => {
        await host.sysctl.set('net.ipv4.ip_default_ttl', 64)
        return value === '65' ? undefined : value
      },
      failed: async () => {
        await host.sysctl.set('net.ipv4.ip_default_ttl', 64)
        return undefined
      },
    }),
    work({
      // Of some of them each thread opens the files in an instance of procfs of its own.
      name: 'write 300 settings',
      work: async () => {
        const outcomes = await Promise.allSettled(Array.from({ length: 300 }, () => host.sysctl.set('net.ipv4.ip_default_ttl', 65)))
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      },
      done: async () => {
        const value = await host.sysctl.get('net.ipv4.ip_default_ttl')
        await host.sysctl.set('net.ipv4.ip_default_ttl', 64)
        return value === '65' ? undefined : value
      },
      failed: async () => {
        await host.sysctl.set('net.ipv4.ip_default_ttl', 64)
        return undefined
      },
    }),
    work({
      name: 'create a tun device',
      work: () => host.links.create({ kind: 'tun', name: 'tun7', options: { type: 'tap', owner: 5 } }),
      done: async () => {
        await host.links.delete('tun7')
        return undefined
      },
    }),
    work({
      name: 'change nftables',
      work: () => host.nftables.transaction(t => t.tables.create({ family: 'inet', name: name('t') })),
      done: async () => {
        const there = await run(hostName, 'nft', 'list', 'tables')
        await host.nftables.tables.delete({ family: 'inet', name: name('t') })
        return there.includes(name('t')) ? undefined : there
      },
      failed: async () => (await run(hostName, 'nft', 'list', 'tables')) || undefined,
    }),
    work({
      name: 'remove files',
      prepare: async () => {
        folder = await mkdtemp(join(tmpdir(), 'netloom-faults-'))
        await mkdir(join(folder, 'folder'))
        for (const file of ['a', 'b']) await writeFile(join(folder, file), '')
        for (const link of ['c', 'd']) await symlink('owner', join(folder, link))
      },
      work: () =>
        removeEntries([
          ...['a', 'b'].map((file): Entry => [join(folder, file)]),
          ...['c', 'd'].map((link): Entry => [join(folder, link), 'owner']),
          [join(folder, 'folder/')],
        ]),
      done: async removed => {
        const left = await readdir(folder)
        await rm(folder, { recursive: true })
        return removed.every(Boolean) && left.length === 0 ? undefined : `${removed.join()}: ${left.join()}`
      },
      // What comes after the one that could not be removed stays.
      failed: async () => {
        const left = await readdir(folder)
        await rm(folder, { recursive: true })
        return left.includes('folder') ? undefined : left.join()
      },
    }),
    work({
      name: 'start a process',
      // The third brings the thread home.
      spared: { setns: 3 },
      work: () => host.exec('echo', ['inside']),
      done: async ({ stdout }) => (stdout === 'inside\n' ? undefined : stdout),
    }),
    work({ name: 'first use in a worker thread', work: inWorker, done: async value => (value === 'lo' ? undefined : String(value)) }),
  ]
}

async function inWorker(): Promise<string> {
  const worker = new Worker(firstUse)
  const ended = once(worker, 'exit')
  const [said] = (await once(worker, 'message')) as [{ value?: string; error?: object }]
  await ended
  if (said.error) throw Object.assign(new Error(), said.error)
  return said.value ?? ''
}
