// Finding the field that a byte belongs to, naming the one that is missing, and the dump for people.
import { describe, expect, test } from 'vitest'
import { annotate } from '../../lib/codec/dump.js'
import { locate, missing, viewOf, walk } from '../../lib/codec/walk.js'
import { littleEndian } from '../../lib/codec/writer.js'
import { link } from '../../lib/protocol/link.js'
import { route } from '../../lib/protocol/route.js'
import { bytesOf, encode } from './codec-helpers.js'

const request = encode(link, {
  index: 3,
  flags: { up: true },
  ifname: 'veth0',
  unknown: [{ type: 900, data: new Uint8Array([1, 2, 3]) }],
  linkinfo: { kind: 'veth', data: { peer: { ifname: 'peer0', mtu: 1400 } } },
})
const all = (bytes = request, at = 0) => [...walk(link, viewOf(bytes), at)]
const startOf = (path: string) => all().find(visited => visited.path.join('.') === path)!.start

describe('walk', () => {
  test('every attribute, outer ones first', () => {
    expect(all().map(visited => [visited.path.join('.'), visited.constant])).toEqual([
      ['ifname', 'IFLA_IFNAME'],
      ['#900', 'IFLA_#900'],
      ['linkinfo', 'IFLA_LINKINFO'],
      ['linkinfo.kind', 'IFLA_INFO_KIND'],
      ['linkinfo.data', 'IFLA_INFO_DATA'],
      ['linkinfo.data.peer', 'VETH_INFO_PEER'],
      ['linkinfo.data.peer.ifname', 'IFLA_IFNAME'],
      ['linkinfo.data.peer.mtu', 'IFLA_MTU'],
    ])
  })
  test('into structs, arrays, lists and entries', () => {
    const bytes = encode(link, { propList: ['a', 'b'], afSpec: { inet: { conf: [1, 2] } }, map: { irq: 1 } })
    const paths = all(bytes).map(visited => visited.path.join('.'))
    expect(paths).toEqual(expect.arrayContaining(['propList.1', 'afSpec.inet.conf.1', 'map.irq']))
    const hops = encode(route, { multipath: [{ index: 1 }, { index: 2, gateway: '10.0.0.1' }] } as never)
    expect([...walk(route, viewOf(hops))].map(visited => visited.path.join('.'))).toContain('multipath.1.gateway')
  })
})

describe('locate', () => {
  test('the innermost attribute around a byte', () => {
    const peerName = startOf('linkinfo.data.peer.ifname')
    const found = { path: ['linkinfo', 'data', 'peer', 'ifname'], attribute: 'IFLA_IFNAME' }
    for (const offset of [peerName, peerName + 3, peerName + 4, peerName + 9]) expect(locate(link, request, offset)).toEqual(found)
    expect(locate(link, request, startOf('linkinfo'))).toEqual({ path: ['linkinfo'], attribute: 'IFLA_LINKINFO' })
    expect(locate(link, request, startOf('ifname') + 4)).toEqual({ path: ['ifname'], attribute: 'IFLA_IFNAME' })
  })
  test('the member of a struct in the attribute that holds it', () => {
    const bytes = encode(link, { linkinfo: { kind: 'vxlan', data: { portRange: { low: 1, high: 2 } } } })
    expect(locate(link, bytes, bytes.length - 1)).toEqual({
      path: ['linkinfo', 'data', 'portRange', 'high'],
      attribute: 'IFLA_VXLAN_PORT_RANGE',
    })
  })
  test('offsets count from the start of the message, header and all', () => {
    const framed = new Uint8Array(16 + request.length)
    framed.set(request, 16)
    expect(locate(link, framed, 16 + startOf('linkinfo.kind'), 16)?.path).toEqual(['linkinfo', 'kind'])
  })
  test('unknown attributes by number', () => {
    expect(locate(link, request, startOf('#900') + 5)).toEqual({ path: ['#900'], attribute: 'IFLA_#900' })
  })
  test('nothing at the header, in padding, or past the end', () => {
    for (const offset of [0, 15, startOf('#900') + 7, request.length, 1e9, -1]) expect(locate(link, request, offset)).toBeUndefined()
  })
  test('an entry of a multipath route', () => {
    const hops = encode(route, { multipath: [{ index: 1 }, { index: 2, gateway: '10.0.0.1' }] } as never)
    expect(locate(route, hops, hops.length - 1)).toEqual({ path: ['multipath', '1', 'gateway'], attribute: 'RTA_GATEWAY' })
  })
})

describe('missing', () => {
  test('by the number in the nest that it should be in', () => {
    expect(missing(link, request, 18, undefined)).toEqual({ path: ['linkinfo'], attribute: 'IFLA_LINKINFO' })
    expect(missing(link, request, 4, startOf('linkinfo'))).toEqual({ path: ['linkinfo', 'slaveKind'], attribute: 'IFLA_INFO_SLAVE_KIND' })
    expect(missing(link, request, 1, startOf('linkinfo.data.peer'))).toEqual({
      path: ['linkinfo', 'data', 'peer', 'address'],
      attribute: 'IFLA_ADDRESS',
    })
  })
  test('undefined for numbers and nests that nobody knows', () => {
    for (const [type, nest] of [
      [9999, undefined],
      [1, 7],
      [1, startOf('ifname')],
      [1, startOf('#900')],
    ] as const)
      expect(missing(link, request, type, nest)).toBeUndefined()
  })
})

describe.runIf(littleEndian)('annotate', () => {
  test('every byte of a message, with what it is', () => {
    expect(annotate(link, request)).toMatchInlineSnapshot(`
      "0000  00 00 00 00 03 00 00 00 01 00 00 00 01 00 00 00  header {"family":"unspec","type":0,"index":3,"flags":{"up":true}}
      0010  0a 00 03 00 76 65 74 68 30 00                    IFLA_IFNAME "veth0"
      001c  07 00 84 03 01 02 03                             IFLA_#900 (unknown)
      0024  3c 00 12 80                                      IFLA_LINKINFO
      0028  09 00 01 00 76 65 74 68 00                         IFLA_INFO_KIND "veth"
      0034  2c 00 02 80                                        IFLA_INFO_DATA
      0038  28 00 01 80                                          VETH_INFO_PEER
      003c  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00        header {"family":"unspec","type":0,"index":0,"flags":{}}
      004c  0a 00 03 00 70 65 65 72 30 00                          IFLA_IFNAME "peer0"
      0058  08 00 04 00 78 05 00 00                                IFLA_MTU 1400"
    `)
  })
  test('odd bytes are shown, not thrown', () => {
    const cases = {
      'a short header': '000000',
      'an attribute past the end': `${'00'.repeat(16)}0800040078050000ff00010001`,
      'a number that is too short, then one that is not': `${'00'.repeat(16)}0600040078050000080004007805000007`,
      'a nest that is cut, then a number': `${'00'.repeat(16)}0c001200ff00010041000000080004007805000000`,
      'a peer without a header': `${'00'.repeat(16)}200012000900010076657468000000001000020008000100${'00'.repeat(8)}`,
    }
    for (const [what, hex] of Object.entries(cases)) expect(annotate(link, bytesOf(hex)), what).toMatchSnapshot()
  })
  test('bytes and 64-bit numbers as text', () => {
    const bytes = encode(link, { linkinfo: { kind: 'other:x', data: new Uint8Array([0xab, 0xcd]) } })
    expect(annotate(link, bytes)).toContain('IFLA_INFO_DATA "abcd"')
  })
})
