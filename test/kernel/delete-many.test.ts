// deleteMany() with drain: when it returns, a second reader finds neither the names nor the devices that led there.
import { expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'

/** In a machine of its own, where the program's namespace is the one in which the ports are. */
const program = (library: string) => `
  import { execFileSync } from 'node:child_process'
  import { Namespace, Plan } from '${library}'
  const count = 150
  const names = Array.from({ length: count }, (_, i) => 'gone' + i)
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(Namespace.current())
  const hub = here.links.create({ kind: 'bridge', name: 'hub0', up: true })
  for (const [i, name] of names.entries()) {
    const inside = plan.namespace(name)
    here.links.create({ kind: 'veth', name: 'g' + i, master: hub, up: true, peer: { namespace: inside, name: 'eth0', up: true } })
  }
  await plan.apply()
  const look = () => {
    const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'type', 'veth'], { encoding: 'utf8' }) || '[]')
    const left = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\\n').filter(Boolean)
    return [links.filter(link => link.ifname).length, left.length]
  }
  const before = look()
  const told = []
  await Namespace.deleteMany(names.map(name => ({ name })), { drain: true, onProgress: progress => told.push(progress) })
  const after = look()
  const { done, total } = told.at(-1)
  console.log(JSON.stringify({ before, after, done, total }))
`

test('drained: nothing is left for ip to find, and the progress has told of all', async context => {
  await needs(context, 'tool:ip', 'tool:nsenter', 'veth', 'bridge')
  await using box = await sandbox()
  const library = new URL('../../dist/index.js', import.meta.url).href
  const { code, stdout, stderr } = await attempt(box.where, process.execPath, ['--input-type=module', '-e', program(library)])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toEqual({ before: [150, 150], after: [0, 0], done: 150, total: 150 })
})
