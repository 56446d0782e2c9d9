// A process that is blocked while more happens under /run/netns than the kernel keeps for it: the names are looked at anew.
import { expect, test } from 'vitest'
import { runBuilt } from '../helpers/built.js'
import { sandbox } from '../helpers/sandbox.js'

const program = `
import { spawnSync } from 'node:child_process'
const here = await Namespace.create()
const events = here.watch(['namespace'])
for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
// Far more than fs.inotify.max_queued_events, 16,384 unless somebody changed it, and at the end what matters.
const flood = 'i=0; while [ $i -lt 20 ]; do seq -f /run/netns/x$i-%g 1000 | xargs touch; i=$((i+1)); done; ip netns add last; find /run/netns -name "x*" -delete'
// A sanitizer's library ends shells.
const { LD_PRELOAD, ...env } = process.env
const { status } = spawnSync('sh', ['-c', flood], { env })
const timeout = setTimeout(() => process.exit(3), 20_000)
const { value } = await events.next()
clearTimeout(timeout)
await events.return()
console.log(JSON.stringify({ status, name: value.namespace.name, action: value.action }))
await here.close()
`

test('a flood of changes while the event loop is blocked hides none', async () => {
  await using box = await sandbox()
  const { json } = await runBuilt({ index: ['Namespace'] }, program, { where: box.where })
  expect(json).toEqual({ status: 0, name: 'last', action: 'set' })
})

const half = `
import { writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
writeFileSync('/run/netns/half', '')
const here = await Namespace.create()
const events = here.watch(['namespace'])
for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
execFileSync('unshare', ['--net', 'mount', '--bind', '/proc/self/ns/net', '/run/netns/half'])
const timeout = setTimeout(() => process.exit(3), 20_000)
const { value } = await events.next()
clearTimeout(timeout)
await events.return()
console.log(JSON.stringify({ name: value.namespace.name, action: value.action }))
await here.close()
`

test('a namespace that was half made when the watch began is found', async () => {
  await using box = await sandbox()
  const { json } = await runBuilt({ index: ['Namespace'] }, half, { where: box.where })
  expect(json).toEqual({ name: 'half', action: 'set' })
})
