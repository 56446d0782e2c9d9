// A link out of the kernel's description, also where an older kernel says less.
import { expect, test } from 'vitest'
import { toLink } from '../../lib/kernel/link-object.js'
import type { RawLink } from '../../lib/kernel/scope.js'

const raw = (more: object) => ({ family: 'unspec', type: 1, index: 5, ifname: 'x', flags: {}, ...more }) as RawLink

test('whether it may leave, where the kernel does not say', () => {
  expect(toLink(raw({ flags: { loopback: true }, type: 772 }))).toMatchObject({ netnsImmutable: true, type: 'loopback' })
  expect(toLink(raw({ linkinfo: { kind: 'bridge' } })).netnsImmutable).toBe(true)
  expect(toLink(raw({ linkinfo: { kind: 'veth' } })).netnsImmutable).toBe(false)
  expect(toLink(raw({ linkinfo: { kind: 'bridge' }, netnsImmutable: false })).netnsImmutable).toBe(false)
  expect(toLink(raw({ linkinfo: { kind: 'veth' }, netnsImmutable: true })).netnsImmutable).toBe(true)
})

test('kinds with options always have them, plain kinds never, others as bytes', () => {
  expect(toLink(raw({ linkinfo: { kind: 'bridge' } }))).toMatchObject({ kind: 'bridge', options: {} })
  expect(toLink(raw({ linkinfo: { kind: 'veth' } }))).not.toHaveProperty('options')
  expect(toLink(raw({ linkinfo: { kind: 'other:x', data: Uint8Array.of(1) } }))).toMatchObject({
    kind: 'other:x',
    options: Uint8Array.of(1),
  })
  expect(toLink(raw({}))).not.toHaveProperty('kind')
})

test('a vlan of which no switch is on, since the kernel leaves their word out then', () => {
  const vlan = (data: object) => toLink(raw({ linkinfo: { kind: 'vlan', data: { id: 5, ...data } } }))
  expect(vlan({})).toMatchObject({ options: { id: 5, reorderHeader: false, gvrp: false, bridgeBinding: false } })
  expect(vlan({ flags: { reorderHdr: true } })).toMatchObject({ options: { id: 5, reorderHeader: true, gvrp: false } })
})

test('the spanning tree of a program is one, too', () => {
  const stp = (stpState: number) => toLink(raw({ linkinfo: { kind: 'bridge', data: { stpState } } }))
  expect([stp(0), stp(1), stp(2)].map(link => link.kind === 'bridge' && link.options.stp)).toEqual([false, true, true])
})

test('the device below, wherever the kernel says it', () => {
  expect(toLink(raw({ link: 5 }))).not.toHaveProperty('link')
  expect(toLink(raw({ link: 0 }))).not.toHaveProperty('link')
  expect(toLink(raw({ link: 5, linkNetnsid: 0 }))).toMatchObject({ link: 5, linkNsid: 0 })
  expect(toLink(raw({ linkinfo: { kind: 'vxlan', data: { id: 1, link: 7 } } }))).toMatchObject({ link: 7, options: { id: 1 } })
})

test('port options under the names they are set by', () => {
  const bridge = { prio: 0x8000, addr: '02:42:ac:11:00:02' }
  const link = toLink(
    raw({ master: 3, linkinfo: { slaveKind: 'bridge', slaveData: { mode: true, unicastFlood: false, no: 4, bridgeId: bridge } } }),
  )
  expect(link).toMatchObject({ master: 3, port: { hairpin: true, flood: false, number: 4, bridgeId: '8000.0242ac110002' } })
})
