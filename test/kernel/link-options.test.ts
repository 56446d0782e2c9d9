// Every option of every kind of link and of a bridge port, set in the kernel and read back by the library and by ip.
import { afterEach, describe, expect, type TestContext, test } from 'vitest'
import type { LinkCreate } from '../../lib/index.js'
import { type Feature, needs, needsKernel } from '../helpers/features.js'
import { portSamples, type Sample, samples } from '../helpers/link-samples.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { run } from '../helpers/readers.js'

const host = useOpenHost()
const kinds = ['bridge', 'vxlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap', 'vlan', 'tun'] as const
type Tested = (typeof kinds)[number]
type Options = Readonly<Record<string, unknown>>

afterEach(async () => {
  await clear(host.namespace)
})

const features: Readonly<Record<Tested, Feature>> = {
  bridge: 'bridge',
  vxlan: 'vxlan',
  macvlan: 'macvlan',
  macvtap: 'macvtap',
  ipvlan: 'ipvlan',
  ipvtap: 'ipvtap',
  vlan: 'vlan',
  tun: 'tap',
}
/** What a kind cannot do without. */
const basics: Readonly<Record<Tested, Options>> = {
  bridge: {},
  vxlan: { id: 5 },
  macvlan: {},
  macvtap: {},
  ipvlan: {},
  ipvtap: {},
  vlan: { id: 5 },
  tun: { type: 'tun' },
}
const sitting: readonly Tested[] = ['macvlan', 'macvtap', 'ipvlan', 'ipvtap', 'vlan']

/** Skips where the kernel has not even that option, as it says when there is no other. */
async function make(context: TestContext, kind: Tested, options: Options) {
  const { links } = host.namespace
  if (sitting.includes(kind) || kind === 'vxlan') await links.create({ kind: 'veth', name: 'below', up: true, peer: { name: 'across' } })
  const lower = sitting.includes(kind) || (kind === 'vxlan' && options.group !== undefined) ? { link: 'below' } : {}
  await needs(context, features[kind])
  return links.create({ kind, name: 'made', ...lower, options: { ...basics[kind], ...options } } as LinkCreate)
}
const data = async () => (await ipLink(host.name, 'made'))?.linkinfo?.info_data ?? {}
/** ip prints a flag as true or as null. */
function shows(found: Options, [key, value]: readonly [string, unknown]): void {
  if (value === true) expect(found[key], key).toBeOneOf([true, null])
  else expect(found[key], key).toEqual(value)
}

describe.each(kinds)('%s', kind => {
  const table = Object.entries(samples[kind] as Readonly<Record<string, Sample>>)

  test.for(table)('%s', async ([name, { values, ip, with: more, needs: feature, since, fixed, unread }], context) => {
    const [first, second] = values
    if (feature) await needs(context, feature)
    if (since) needsKernel(context, since)
    const made = await make(context, kind, { ...more, [name]: first })
    const { links } = host.namespace
    if (!unread) expect(made).toMatchObject({ options: { [name]: first } })
    if (ip) shows(await data(), ip)
    if (fixed || unread || kind === 'tun') return
    await links.update('made', { options: { ...more, [name]: second } as Options })
    expect(await links.get('made')).toMatchObject({ options: { [name]: second } })
  })
})

describe('a bridge port', () => {
  const table = Object.entries(portSamples as Readonly<Record<string, Sample>>)

  test.for(table)('%s', async ([name, { values, ip, with: more, needs: feature, since, unread, carrier }], context) => {
    const [first, second] = values
    await needs(context, 'veth', 'bridge')
    if (feature) await needs(context, feature)
    if (since) needsKernel(context, since)
    const { links } = host.namespace
    await links.create({ kind: 'bridge', name: 'switch', up: true })
    const spare = await links.create({ kind: 'veth', name: 'spare', master: 'switch', peer: { name: 'across' } })
    const nexthop = name === 'backupNexthop'
    if (nexthop) await run(host.name, 'ip', 'nexthop', 'add', 'id', '5', 'via', '192.0.2.1', 'fdb')
    const value = name === 'backupPort' ? spare.index : first
    const port = { ...more, [name]: value }
    const spec = { kind: 'veth', name: 'made', master: 'switch', up: true, peer: { name: 'other', up: true } } as const
    if (carrier) {
      await expect(links.create({ ...spec, up: false, port })).rejects.toMatchObject({
        code: 'ENETDOWN',
        hint: expect.stringContaining('carrier'),
      })
      expect(await linkNames(host.name)).toEqual(['across', 'spare', 'switch'])
      await links.create(spec)
      await expect.poll(async () => (await links.get('made')).port?.state).toBe('forwarding')
      await links.update('made', { port })
    } else {
      const made = await links.create({ ...spec, port })
      if (!unread) expect(made.port).toMatchObject({ [name]: value })
    }
    if (ip) shows((await ipLink(host.name, 'made'))?.linkinfo?.info_slave_data ?? {}, ip)
    if (unread) return
    await links.update('made', { port: { [name]: second } })
    expect((await links.get('made')).port ?? {}).toMatchObject(second === 0 && name.startsWith('backup') ? {} : { [name]: second })
  })
})
