// The real-life rules, four ways: the table itself first, which nft must load and print as it stands.
import { expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { load, printed, tableOf, tableText } from '../helpers/nftables-rows.js'
import { realRules } from '../oracle/nftables-rules/all.js'

const host = useHost()

test('there are at least 80 real-life rules, of every project', () => {
  expect(realRules.length).toBeGreaterThanOrEqual(80)
  const projects = new Set(realRules.map(({ origin }) => origin.split(/[:(]/)[0]?.trim()))
  expect([...projects].sort()).toEqual([
    'CNI plugins',
    'Docker',
    'Kubernetes',
    'OpenWrt',
    'Podman',
    'fail2ban',
    'firewalld',
    'libvirt',
    'nftables documentation',
  ])
})

for (const [number, row] of realRules.entries())
  test(`${row.origin}: ${row.text}`, async context => {
    await needs(context, 'nftables', ...(row.needs ? [row.needs] : []))
    const table = tableOf(row, number)
    await load(host.name, tableText(row, table))
    expect(await printed(host.name, row.family, table, row.chain)).toEqual([row.text])
  })
