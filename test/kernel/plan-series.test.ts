// Entries that a plan adds by the thousand in a namespace that is there: as ip shows them, refused one by one, and taken back as they were.
import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Namespace, type NetloomError, Plan } from '../../lib/index.js'
import { recordDirectory } from '../../lib/namespace/record-file.js'
import { bootId } from '../../lib/plan/intent.js'
import { useOpenHost } from '../helpers/links.js'
import { ip as readIp, run } from '../helpers/readers.js'

const host = useOpenHost()
const count = 2500
const target = (i: number) => `10.${60 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`
const ip = (...words: string[]) => run(host.name, 'ip', ...words)

interface Shown {
  readonly dst: string
  readonly gateway?: string
  readonly dev: string
  readonly metric?: number
  readonly protocol?: string
}
const shown = () => readIp<Shown>(host.name, 'route', 'show')
interface Addressed {
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly family: string }[]
}
const addressesOf = async (link: string) =>
  (await readIp<Addressed>(host.name, 'address', 'show', 'dev', link))
    .flatMap(one => one.addr_info)
    .filter(({ family }) => family === 'inet')
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`)

async function withBridge(work: () => Promise<void>): Promise<void> {
  await ip('link', 'add', 'wide0', 'type', 'bridge')
  await ip('link', 'set', 'wide0', 'up')
  await ip('address', 'add', '10.50.0.1/24', 'dev', 'wide0')
  try {
    await work()
  } finally {
    await ip('link', 'delete', 'wide0')
  }
}

function wide(spoil?: (i: number) => object | undefined): Plan {
  const plan = new Plan()
  const here = plan.in(host.namespace)
  for (let i = 0; i < count; i++) here.routes.add({ to: target(i), via: '10.50.0.9', protocol: 'static', ...spoil?.(i) })
  return plan
}

test('thousands of routes and addresses are what was said, also where some among them differ', () =>
  withBridge(async () => {
    const before = await shown()
    const plan = wide(i => (i === 700 ? { metric: 7 } : i % 1000 === 999 ? { to: `10.9.${i >> 8}.0/24` } : undefined))
    const here = plan.in(host.namespace)
    for (let i = 0; i < 300; i++) here.addresses.add('wide0', `10.51.${i >> 7}.${(i & 127) + 1}/16`)
    const said: number[] = []
    const result = await plan.apply({ onProgress: ({ done }) => said.push(done) })
    const routes = (await shown()).filter(({ protocol }) => protocol === 'static')
    expect(routes).toHaveLength(count)
    const byTarget = new Map(routes.map(route => [route.dst, route]))
    for (let i = 0; i < count; i++) {
      const dst = i % 1000 === 999 ? `10.9.${i >> 8}.0/24` : target(i)
      expect(byTarget.get(dst)).toMatchObject({ gateway: '10.50.0.9', dev: 'wide0', ...(i === 700 && { metric: 7 }) })
    }
    expect(byTarget.get(target(701))?.metric).toBeUndefined()
    const addresses = await addressesOf('wide0')
    expect(addresses).toHaveLength(301)
    for (let i = 0; i < 300; i++) expect(addresses).toContain(`10.51.${i >> 7}.${(i & 127) + 1}/16`)
    expect(said.at(-1)).toBe(count + 300)
    await result.delete()
    expect(await shown()).toEqual(before)
    expect(await addressesOf('wide0')).toEqual(['10.50.0.1/24'])
  }))

test('one that is refused among them is named, and all others are taken back', () =>
  withBridge(async () => {
    await ip('route', 'add', target(1500), 'dev', 'wide0')
    await ip('route', 'add', target(20), 'dev', 'wide0', 'metric', '50')
    const before = await shown()
    await expect(wide().apply()).rejects.toMatchObject({
      code: 'EEXIST',
      path: 'routes[1500]',
      operation: 'add route',
      subject: target(1500),
    })
    expect(await shown()).toEqual(before)
  }))

test("with onError: 'continue' only those that are refused are missing", () =>
  withBridge(async () => {
    await ip('route', 'add', target(1023), 'dev', 'wide0')
    await ip('route', 'add', target(2400), 'dev', 'wide0')
    const before = await shown()
    const result = await wide().apply({ onError: 'continue' })
    expect(result.failed.map(({ path, error }) => [path, (error as NetloomError).code])).toEqual([
      ['routes[1023]', 'EEXIST'],
      ['routes[2400]', 'EEXIST'],
    ])
    expect(result.done).toBe(count - 2)
    expect((await shown()).filter(({ gateway }) => gateway === '10.50.0.9')).toHaveLength(count - 2)
    await result.delete()
    expect(await shown()).toEqual(before)
  }))

test('on a link that the plan makes, they go with it', async () => {
  const plan = new Plan()
  const here = plan.in(host.namespace)
  const made = here.links.create({ kind: 'bridge', name: 'wide1', up: true })
  for (let i = 0; i < 100; i++) here.routes.add({ to: target(i), link: made })
  const before = await shown()
  const result = await plan.apply()
  expect((await shown()).filter(({ dev }) => dev === 'wide1')).toHaveLength(100)
  await result.delete()
  expect(await shown()).toEqual(before)
})

test('gc() takes back what a killed process has added of a series, and not what was there', () =>
  withBridge(async () => {
    await ip('route', 'add', '10.70.0.2', 'via', '10.50.0.9', 'metric', '30')
    const before = await shown()
    const [route] = (await host.namespace.routes.list()).filter(({ to }) => to === '10.70.0.2')
    await ip('route', 'add', '10.70.0.1', 'via', '10.50.0.9')
    await ip('route', 'add', '10.70.0.2', 'via', '10.50.0.9')
    const { device, inode } = host.namespace
    const head = {
      ...{
        netloom: 1,
        operation: 'apply',
        boot: bootId(),
        writer: { pid: 2 ** 22 + 1, start: '1' },
        mark: 'none',
        names: [null],
        links: [],
      },
      existing: [{ number: 0, use: { name: host.name }, device, inode }],
    }
    const series = {
      ...{ note: 'series', in: 0, sort: 'routes', indexes: [], values: ['10.70.0.1', '10.70.0.2', '10.70.0.3'], before: [[1, [route]]] },
      item: { verb: 'routes.add', route: { to: '10.70.0.1', via: '10.50.0.9' }, in: 0, path: 'routes[0]' },
    }
    await mkdir(recordDirectory, { recursive: true, mode: 0o700 })
    await writeFile(`${recordDirectory}/00000000000000aa.json`, `${JSON.stringify(head)}\n${JSON.stringify(series)}\n`, { mode: 0o600 })
    const { removed } = await Namespace.gc()
    expect(removed).toEqual(expect.arrayContaining(['route 10.70.0.1', 'route 10.70.0.2']))
    expect(await shown()).toEqual(before)
  }))
