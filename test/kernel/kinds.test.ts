// Kinds of links that only some kernels have: netloom reads, changes and deletes what ip made of them, and makes those that need no options.
import { afterEach, describe, expect, test } from 'vitest'
import { type Feature, needs } from '../helpers/features.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { run } from '../helpers/readers.js'

const host = useOpenHost()
const links = () => host.namespace.links

afterEach(async () => {
  await clear(host.namespace)
})

/** What `ip link add` takes behind `type`; `below` and `across` are there to sit on. */
const kinds: [feature: Feature, kind: string, options: string, link?: string][] = [
  ['dummy', 'dummy', ''],
  ['vlan', 'vlan', 'id 9', 'below'],
  ['bond', 'bond', 'mode active-backup'],
  ['team', 'team', ''],
  ['vrf', 'vrf', 'table 9'],
  ['ipvlan', 'ipvlan', 'mode l3', 'below'],
  ['netkit', 'netkit', ''],
  ['wireguard', 'wireguard', ''],
  ['gre', 'gre', 'local 192.0.2.1 remote 192.0.2.2'],
  ['gretap', 'gretap', 'local 192.0.2.1 remote 192.0.2.2'],
  ['geneve', 'geneve', 'id 9 remote 192.0.2.2'],
  ['hsr', 'hsr', 'slave1 below slave2 across'],
  ['macsec', 'macsec', '', 'below'],
  ['vcan', 'vcan', ''],
]
/** Those of them that a kernel makes without being told anything more. */
const bare: Feature[] = ['dummy', 'bond', 'team', 'netkit', 'wireguard', 'gretap', 'vcan']

describe('made by ip', () => {
  test.for(kinds)('%s', async ([feature, kind, options, link], context) => {
    await needs(context, 'veth', feature)
    await run(host.name, 'ip', 'link', 'add', 'below', 'type', 'veth', 'peer', 'name', 'across')
    const on = link === undefined ? [] : ['link', link]
    await run(host.name, 'ip', 'link', 'add', ...on, 'name', 'made', 'type', kind, ...options.split(' ').filter(Boolean))
    // Without a device that is up below, a vlan cannot be.
    for (const name of ['below', 'across']) await run(host.name, 'ip', 'link', 'set', name, 'up')
    const shown = await ipLink(host.name, 'made')

    const seen = await links().get('made')
    expect(String(seen.kind).replace(/^other:/, '')).toBe(kind)
    expect(seen).toMatchObject({ index: shown?.ifindex, mtu: shown?.mtu, name: 'made' })
    expect((await links().list()).map(entry => entry.name)).toContain('made')

    await links().update('made', { alias: 'changed', up: true })
    const changed = await ipLink(host.name, 'made')
    // The number of hsr's next frame goes up by itself.
    const { seq_nr: _, ...settings } = { ...shown?.linkinfo?.info_data }
    expect(changed).toMatchObject({ ifalias: 'changed', linkinfo: { info_kind: kind } })
    expect({ ...changed?.linkinfo?.info_data }).toMatchObject(settings)
    expect(changed?.flags).toContain('UP')

    await links().delete('made')
    expect(await linkNames(host.name)).not.toContain('made')
  })
})

describe('made by netloom', () => {
  test.for(bare)('%s', async (kind, context) => {
    await needs(context, kind)
    const made = await links().create({ kind: `other:${kind}`, name: 'made' })
    expect(await ipLink(host.name, 'made')).toMatchObject({ ifindex: made.index, linkinfo: { info_kind: kind } })
  })

  test('a kind that the kernel lacks is refused by name', async () => {
    await expect(links().create({ kind: 'other:nosuchkind', name: 'made' })).rejects.toMatchObject({ code: 'EOPNOTSUPP' })
    expect(await linkNames(host.name)).not.toContain('made')
  })
})
