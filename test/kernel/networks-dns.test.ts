// Names on a network, asked for by Node's own resolver (c-ares) in processes inside the namespaces.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, encode } from 'dns-packet'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(context => needs(context, 'nftables', 'bridge', 'veth'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-names-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace, serve: { dns: { upstream: ['127.0.0.1'] } } })
})
afterEach(async () => {
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
})

async function container(suffix: string): Promise<{ namespace: Namespace; name: string }> {
  const name = host.named(suffix)
  const namespace = await Namespace.create(name, { loopback: true })
  made.push(namespace)
  return { namespace, name }
}
const program = `
import { Resolver } from 'node:dns/promises'
const [server, ...questions] = process.argv.slice(1)
const resolver = new Resolver({ timeout: 1000, tries: 3 })
resolver.setServers([server])
const answers = []
for (const question of questions) {
  const [type, name] = question.split(' ')
  const asking = type === 'PTR' ? resolver.reverse(name) : resolver.resolve(name, type)
  answers.push(await asking.then(found => found.sort(), error => error.code))
}
console.log(JSON.stringify(answers))`
const ask = async (where: string, server: string, ...questions: string[]) =>
  JSON.parse(await run(where, process.execPath, '--input-type=module', '--eval', program, server, ...questions)) as unknown[]

test('names, aliases and addresses of endpoints, as they come and go', async () => {
  const [web, db] = [await container('web'), await container('db')]
  const net = await networks.create({ name: 'blue', subnet: '10.70.0.0/24', ipv6: true })
  await net.connect(web.namespace, { name: 'web', aliases: ['www', 'shared'] })
  const endpoint = await net.connect(db.namespace, { name: 'db', aliases: ['shared'] })
  const ipv6 = endpoint.addresses[1]?.split('/')[0] ?? ''
  const gateway6 = (await net.inspect()).IPAM.Config[1]?.Gateway ?? ''
  expect(
    await ask(web.name, '10.70.0.1', 'A db', 'A DB.blue', 'A www', 'AAAA db', 'A shared', 'MX db', 'PTR 10.70.0.3', `PTR ${ipv6}`),
  ).toEqual([...[['10.70.0.3'], ['10.70.0.3'], ['10.70.0.2'], [ipv6], ['10.70.0.2', '10.70.0.3'], 'ENODATA', ['db.blue'], ['db.blue']]])
  expect(await ask(db.name, `[${gateway6}]`, 'A web')).toEqual([['10.70.0.2']])

  // Another process changes it; this one serves it.
  await using other = await Networks.open({ stateDir: folder, host: host.namespace })
  await (await other.get('blue')).disconnect(db.namespace)
  await (await other.get('blue')).connect(db.namespace, { name: 'cache', ip: '10.70.0.77' })
  expect(await ask(web.name, '10.70.0.1', 'A cache', 'A shared')).toEqual([['10.70.0.77'], ['10.70.0.2']])
  await net.delete({ force: true })
})

test('all other names are asked on, and a network knows only its own', async () => {
  const outside = await host.namespace.udp({ type: 'udp4', address: '127.0.0.1', port: 53 })
  outside.on('message', (message, { port, address }) => {
    const { id = 0, questions = [] } = decode(message)
    const name = questions[0]?.name ?? ''
    const answers = name === 'example.test' ? [{ name, type: 'A', ttl: 60, data: '192.0.2.7' } as const] : []
    outside.send(encode({ type: 'response', id, flags: answers.length ? 0x180 : 0x183, questions, answers }), port, address)
  })
  try {
    const [web, stranger] = [await container('web'), await container('stranger')]
    const [blue, green] = [
      await networks.create({ name: 'blue', subnet: '10.71.0.0/24' }),
      await networks.create({ name: 'green', subnet: '10.72.0.0/24' }),
    ]
    await blue.connect(web.namespace, { name: 'web' })
    await green.connect(stranger.namespace, { name: 'stranger' })
    expect(await ask(web.name, '10.71.0.1', 'A example.test', 'A stranger', 'A web')).toEqual([['192.0.2.7'], 'ENOTFOUND', ['10.71.0.2']])
    expect(await ask(stranger.name, '10.72.0.1', 'A stranger', 'A web')).toEqual([['10.72.0.2'], 'ENOTFOUND'])
  } finally {
    outside.close()
  }
})

test('the names of namespaces lead back too', async () => {
  const web = await container('web')
  const net = await networks.create({ name: 'blue', subnet: '10.75.0.0/24' })
  await net.connect(web.namespace, { aliases: ['www'] })
  expect(await ask(web.name, '10.75.0.1', `A ${web.name}`, 'PTR 10.75.0.2')).toEqual([['10.75.0.2'], [`${web.name}.blue`]])
})

test('a network that is made where one was removed has names at once', async () => {
  const web = await container('web')
  for (const name of ['old', 'new']) {
    const net = await networks.create({ name, subnet: '10.76.0.0/24' })
    await net.connect(web.namespace, { name: 'web' })
    expect(await ask(web.name, '10.76.0.1', `A web.${name}`)).toEqual([['10.76.0.2']])
    await net.delete({ force: true })
  }
})

test('a network whose bridge cannot be made leaves the others their names', async () => {
  const web = await container('web')
  const lost = await networks.create({ name: 'lost', subnet: '10.77.0.0/24', bridge: 'lost0' })
  const net = await networks.create({ name: 'blue', subnet: '10.78.0.0/24' })
  await net.connect(web.namespace, { name: 'web' })
  await networks.close()
  await host.namespace.links.delete('lost0')
  await host.namespace.links.create({ kind: 'bridge', name: 'lost0' })
  const warned: string[] = []
  const note = ({ message }: Error) => void warned.push(message)
  process.on('warning', note)
  try {
    networks = await Networks.open({ stateDir: folder, host: host.namespace, serve: { dns: { upstream: ['127.0.0.1'] } } })
    expect(await ask(web.name, '10.78.0.1', 'A web')).toEqual([['10.78.0.2']])
    await networks.create({ name: 'green', subnet: '10.79.0.0/24' })
    // Linux 5.10 has a warning of its own for each new bridge in such a namespace.
    expect(warned.filter(message => !message.includes('STP'))).toEqual([
      expect.stringMatching(/no names on the network lost: .*another link of that name/),
    ])
  } finally {
    process.off('warning', note)
    await host.namespace.links.delete('lost0')
  }
  expect(await networks.find(lost.id)).toBeDefined()
})

test('over TCP too, and what is no question is not answered', async () => {
  const web = await container('web')
  const net = await networks.create({ name: 'blue', subnet: '10.73.0.0/24' })
  await net.connect(web.namespace, { name: 'web' })
  const socket = await web.namespace.connect({ host: '10.73.0.1', port: 53 })
  const message = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'web' }] })
  const framed = Buffer.concat([Buffer.from([0, message.length]), message])
  // In two pieces, after one that is no message.
  socket.write(Buffer.concat([Buffer.from([0, 3, 1, 2, 3]), framed.subarray(0, 9)]))
  setImmediate(() => socket.write(framed.subarray(9)))
  const [answer] = (await new Promise<Buffer[]>(resolve => socket.once('data', data => resolve([data])))) as [Buffer]
  expect(decode(answer.subarray(2))).toMatchObject({ id: 7, flag_aa: true, answers: [{ name: 'web', type: 'A', data: '10.73.0.2' }] })
  socket.destroy()
})

test('the process that is left takes over', async () => {
  const web = await container('web')
  const net = await networks.create({ name: 'blue', subnet: '10.74.0.0/24' })
  await net.connect(web.namespace, { name: 'web' })
  await using other = await Networks.open({ stateDir: folder, host: host.namespace, serve: { dns: true } })
  await networks.close()
  await expect.poll(() => ask(web.name, '10.74.0.1', 'A web'), { timeout: patience(10_000) }).toEqual([['10.74.0.2']])
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
  expect(await other.find('blue')).toBeDefined()
})
