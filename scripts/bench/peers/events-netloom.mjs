// One watcher of scripts/bench/events.mjs, and the process that makes the pairs. Usage: events-netloom.mjs PAIRS.
import { spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Namespace } from 'netloom'
import * as netlink from 'netloom/netlink'
import { makeLinks } from './world.mjs'

const [, self, pairs, role] = process.argv
if (role === 'maker') await make()
else await watch(Number(pairs))

/** Begins when it is told to, and says when it has ended. */
async function make() {
  await new Promise(resolve => process.once('message', resolve))
  await makeLinks(netlink, { pid: process.pid }, Number(pairs))
  process.send({ ended: Date.now() })
  process.disconnect()
}

async function watch(count) {
  const maker = spawn(process.execPath, [fileURLToPath(import.meta.url), pairs, 'maker'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const failed = new Promise((_, reject) => maker.on('exit', code => code && reject(new Error(`${self}: the maker ended with ${code}`))))
  const ended = new Promise(resolve => maker.once('message', ({ ended }) => resolve(ended)))
  const figures = await Promise.race([failed, watching(maker, count)])
  const behind = figures.last - (await ended)
  const perSecond = (figures.events / (figures.last - figures.first)) * 1000
  process.stdout.write(
    `${JSON.stringify({ events: figures.events, perSecond, behind: Math.max(0, behind), cpu: figures.cpu, resets: figures.resets })}\n`,
  )
}

async function watching(maker, count) {
  const missing = new Set(Array.from({ length: count }, (_, i) => [`a${i}`, `b${i}`]).flat())
  let [events, resets, first, before] = [0, 0, 0, undefined]
  for await (const event of Namespace.current().watch(['link'])) {
    if (event.type === 'reset') resets++
    else if (event.type === 'ready' && !before) {
      before = process.cpuUsage()
      maker.send('begin')
    } else if (event.type === 'link' && before) {
      first ||= Date.now()
      events++
      missing.delete(event.link.name)
      if (missing.size === 0) break
    }
  }
  const { user, system } = process.cpuUsage(before)
  // The first reset is the beginning.
  return { events, first, last: Date.now(), resets: resets - 1, cpu: (user + system) / events }
}
