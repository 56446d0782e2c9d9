// The real-life rules: nft loads and prints each as it stands, and prints the same of what the rule language makes.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { load, printed, statements, tableOf, tableText } from '../helpers/nftables-rows.js'
import { realRules } from '../oracle/nftables-rules/all.js'

const host = useHost()
let here: Namespace
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(async () => {
  await here.nftables.flush()
})
afterAll(async () => {
  await here?.close()
})

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
    const { family, chain } = row
    const [byTool, byUs] = [tableOf(row, number), `${tableOf(row, number)}-ours`]
    await load(host.name, tableText(row, byTool) + tableText(row, byUs, ''))
    expect(await printed(host.name, family, byTool, chain)).toEqual([row.text])

    await here.nftables.rules.add({ family, table: byUs, chain, ...row.rule })
    expect(await printed(host.name, family, byUs, chain)).toEqual([row.text])
    expect(await statements(host.name, family, byUs, chain)).toEqual(await statements(host.name, family, byTool, chain))
  })
