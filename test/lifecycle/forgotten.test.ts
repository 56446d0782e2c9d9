// What was forgotten is collected, its descriptors are freed, and the program is told of it: once, and of what it was.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'
import { namedNamespaces } from '../helpers/state.js'

const host = useHost()
const program = fileURLToPath(new URL('forgetful.mjs', import.meta.url))

interface Report {
  /** Descriptors more than before: with everything open, and after the collector ran. */
  readonly held: number
  readonly left: number
  readonly warnings: { code?: string; message: string; stack: string }[]
}

async function forget(what: string, { name = '', options = [] as readonly string[] } = {}): Promise<Report> {
  const { code, stdout, stderr } = await attempt(undefined, process.execPath, ['--expose-gc', ...options, program, what, name])
  expect({ code, stderr: stderr.includes('NETLOOM_NOT_CLOSED') ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Report
}

const told = (what: string) => [expect.objectContaining({ code: 'NETLOOM_NOT_CLOSED', message: expect.stringContaining(what) })]

test.each([
  ['anonymous', 'namespace net:['],
  ['verbs', 'namespace net:['],
  ['asked', 'namespace net:['],
  ['connection', 'a netlink connection in net:['],
  ['iterator', 'an iterator (list links)'],
  ['pool', 'a namespace pool'],
  ['pool that fails', 'a namespace pool'],
  ['watch', 'a watch of link in net:['],
  ['watch all', 'a watch of link, namespace in all namespaces'],
  ['watch names', 'a watch of namespace in net:['],
  ['watch with signal', 'a watch of link, route in net:['],
  ['watch that waits', 'a watch of link in net:['],
  ['watch all that waits', 'a watch of link in all namespaces'],
])('forgotten twenty times: %s', async (what, words) => {
  const { left, warnings } = await forget(what)
  expect({ left, warnings }).toEqual({ left: 0, warnings: told(words) })
})

test('a namespace that was opened by name, or made with one, stays', async () => {
  expect(await forget('opened', { name: host.name })).toMatchObject({ left: 0, warnings: told(`namespace ${host.name}`) })
  const prefix = host.named('kept')
  expect(await forget('named', { name: prefix })).toMatchObject({ left: 0, warnings: told(`namespace ${prefix}`) })
  const names = await namedNamespaces(prefix)
  for (const name of names) await run(undefined, 'ip', 'netns', 'delete', name)
  expect(names).toHaveLength(22)
})

test.each(['current', 'watch unread', 'watch in a loop'])('nothing to close, nothing said: %s', async what => {
  expect(await forget(what)).toMatchObject({ left: 0, warnings: [] })
})

test('where it was opened is told on request only', async () => {
  const said = async (options: readonly string[]) => (await forget('anonymous', { options })).warnings[0]?.message
  expect(await said([])).toMatch(/\(node --trace-warnings says where it was opened\)$/)
  expect(await said(['--trace-warnings'])).toMatch(/it was opened\n.*Namespace.*\n.*forgetful\.mjs:\d+/s)
})
