// What the kernel says when it refuses: its words, and the attribute that they are about.
import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../lib/codec/walk.js'
import { readAcknowledgement, toError } from '../../lib/socket/acknowledgement.js'
import { captured, split, tableOf } from './message.js'

type Said = readonly [code: string, reason: string, path?: string, attribute?: string]
const beyond = 'Attribute failed policy validation'

const expected: Readonly<Record<string, Said>> = {
  'vxlan twice': ['EEXIST', 'A VXLAN device with the specified VNI already exists'],
  'name in use': ['EEXIST', 'File exists'],
  'peer name in use': ['EEXIST', 'File exists'],
  'macvlan without a lower device': ['EINVAL', 'Invalid argument'],
  'mtu out of range': ['EINVAL', 'mtu less than device minimum'],
  'moving a bridge': ['EINVAL', 'The interface netns is immutable'],
  'moving lo': ['EINVAL', 'The interface netns is immutable'],
  'unknown kind': ['EOPNOTSUPP', 'Unknown device type'],
  'master that is none': ['EOPNOTSUPP', 'Operation not supported'],
  'get a missing link': ['ENODEV', 'No such device'],
  'address twice': ['EEXIST', 'ipv4: Address already assigned'],
  'route without a reachable gateway': ['ENETUNREACH', 'Nexthop has invalid gateway'],
  'route twice': ['EEXIST', 'File exists'],
  'route that is not there': ['ESRCH', 'No such process'],
  'route to nowhere': ['ENETUNREACH', 'Network is unreachable'],
  'rule goto backwards': ['EINVAL', 'Backward goto not supported'],
  'neighbour without an address': ['EINVAL', 'No link layer address given'],
  'fdb entry of a link outside a bridge': ['EOPNOTSUPP', 'Operation not supported'],
  'by hand: vxlan id of 25 bits': ['ERANGE', 'VXLAN ID must be lower than 16777216', 'linkinfo.data.id', 'IFLA_VXLAN_ID'],
  'by hand: vxlan localbypass out of range': [
    'ERANGE',
    'integer out of range (allowed: 0 to 1)',
    'linkinfo.data.localbypass',
    'IFLA_VXLAN_LOCALBYPASS',
  ],
  'by hand: vxlan source ports reversed': ['EINVAL', 'Invalid source port range', 'linkinfo.data.portRange', 'IFLA_VXLAN_PORT_RANGE'],
  'by hand: link name too long': ['ERANGE', `${beyond} (at most 15 bytes)`, 'ifname', 'IFLA_IFNAME'],
  'by hand: link name with a slash': ['EINVAL', 'Invalid argument'],
  'by hand: peer name too long': ['ERANGE', `${beyond} (at most 15 bytes)`, 'linkinfo.data.peer.ifname', 'IFLA_IFNAME'],
  'by hand: mtu of two bytes': ['ERANGE', `${beyond} (allowed: 0 to 4294967295)`, 'mtu', 'IFLA_MTU'],
  'by hand: bridge with a multicast address': ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  'by hand: bridge forward mask': ['EINVAL', 'Invalid argument'],
  'by hand: macvlan mode unknown': ['EINVAL', 'Invalid argument'],
  'by hand: IPv4 prefix of 33 bits': ['EINVAL', 'ipv4: Invalid prefix length'],
  'by hand: IPv4 address without an address': ['EINVAL', 'ipv4: Local address is not supplied'],
  'by hand: IPv4 address on no link': ['ENODEV', 'ipv4: Device not found'],
  'by hand: route with bits beyond its prefix': ['EINVAL', 'Invalid prefix for given prefix length'],
  'by hand: route by an unknown nexthop': ['EINVAL', 'Nexthop id does not exist'],
  'by hand: neighbour on no link': ['ENODEV', 'No such device'],
  'by hand: namespace id without a namespace': ['EINVAL', 'Peer netns reference is missing'],
}

describe('refusals', () => {
  const entries = captured('refused')
  test('each captured refusal is expected', () => {
    expect(entries.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort())
  })
  for (const { name, request, reply } of entries)
    test(name, () => {
      const [sent] = split(request)
      const [answer] = split(reply ?? '')
      if (!sent || !answer) throw new Error('nothing captured')
      const { type, flags, whole } = answer
      const framed = { type, flags, sequence: 0, from: 16, to: whole.length }
      const acknowledgement = readAcknowledgement(viewOf(whole), framed)
      const { code, reason, path, attribute } = toError(
        acknowledgement,
        { codec: tableOf(sent.type), context: { operation: 'try' } },
        Uint8Array.from(Buffer.from(request, 'hex')),
      )
      expect([code, reason, path, attribute]).toEqual([...(expected[name] ?? []), undefined, undefined].slice(0, 4))
    })
})
