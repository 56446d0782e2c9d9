// Every option of every kind of link: what a call accepts changes the bytes that are sent, and comes back as what it was; the rest is refused.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Writer } from '../../lib/codec/writer.js'
import { isKind, type Kind, portRule, portTable, ruleOf, rules, tables } from '../../lib/kernel/link-kinds.js'
import { fieldOf, kindAttributes, portAttributes } from '../../lib/kernel/link-message.js'
import { fromWire, settable } from '../../lib/kernel/link-options.js'
import { linkInfo } from '../../lib/protocol/link.js'
import { portSamples, type Sample, samples } from '../helpers/link-samples.js'

type Info = Parameters<typeof linkInfo.write>[1]
type Options = Readonly<Record<string, unknown>>
const kinds = Object.keys(rules).filter(isKind)

function encode(info: unknown): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  linkInfo.write(writer, info as Info)
  return writer.copy()
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const decode = (bytes: Uint8Array) =>
  linkInfo.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength) as Readonly<Record<string, Options>>

/** What is set by options, and how it reads when the kernel gives it back as it was sent. */
const forms = {
  ...Object.fromEntries(
    kinds.map(kind => [
      kind,
      {
        names: settable(ruleOf(kind), tables[kind]!),
        samples: samples[kind] as Readonly<Record<string, Sample>>,
        send: (options: Options) => encode(kindAttributes({ kind, options })),
        read: (bytes: Uint8Array) => fromWire(ruleOf(kind), decode(bytes).data ?? {}),
      },
    ]),
  ),
  port: {
    names: settable(portRule, portTable),
    samples: portSamples as Readonly<Record<string, Sample>>,
    send: (options: Options) => encode(portAttributes(options, 'port')),
    read: (bytes: Uint8Array) => fromWire(portRule, decode(bytes).slaveData ?? {}),
  },
}
/** The peer of a veth is an option of the kernel's, and stands beside the options here. */
const tested = Object.entries(forms).filter(([form]) => form !== 'veth')
/** `false` is said by leaving these out: they are present or absent. */
const presence = ['flush', 'groupPolicy', 'genericProtocol', 'remoteChecksumNoPartial', 'ttlInherit']

const refused = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return error as Error & { code?: string; path?: string }
  }
  throw new Error('was accepted')
}

describe.each(tested)('%s', (form, { names, samples: table, send, read }) => {
  const path = form === 'port' ? 'port' : 'options'
  const without = hex(send({}))

  test('there is a sample of every option that can be set', () => {
    expect(Object.keys(table).sort()).toEqual([...names].sort())
  })
  test('every option changes the bytes, each value in its own way, and reads as what it was', () => {
    for (const name of names) {
      const [first, second] = table[name]!.values
      expect(hex(send({ [name]: first })), name).not.toBe(without)
      expect(hex(send({ [name]: first })), name).not.toBe(hex(send({ [name]: second })))
      if (!presence.includes(name)) expect(hex(send({ [name]: second })), name).not.toBe(without)
      expect(read(send({ [name]: first }))[name], name).toEqual(first)
    }
  })
  test('any choice of options reads as what it was', () => {
    const choice = fc
      .subarray([...names])
      .chain(chosen => fc.record(Object.fromEntries(chosen.map(name => [name, fc.constantFrom(...table[name]!.values)]))))
    fc.assert(
      fc.property(choice, options => {
        const given = Object.entries(options).filter(([name, value]) => !(presence.includes(name) && value === false))
        expect(read(send(options))).toMatchObject(Object.fromEntries(given))
      }),
      { numRuns: 200 },
    )
  })
  test('undefined is not sent', () => {
    expect(hex(send(Object.fromEntries(names.map(name => [name, undefined]))))).toBe(without)
  })
  test('values of another type are refused by the option’s name', () => {
    for (const name of names) {
      for (const wrong of [Symbol.iterator, () => 1, null, { not: 'it' }, 'no such value']) {
        const error = refused(() => send({ [name]: wrong }))
        expect(error.code, `${name}: ${String(wrong)}`).toMatch(/^ERR_NETLOOM_/)
        expect(error.path?.startsWith(`${path}.${name}`), `${name}: ${error.message}`).toBe(true)
        expect(error.message).not.toMatch(/IFLA_|BRIDGE_/)
      }
    }
  })
  test('unknown options are refused with those that there are', () => {
    for (const name of ['foo', 'mcastSnooping', 'IFLA_BR_PRIORITY', 'unknown', 'group6', 'constructor', '__proto__x']) {
      const error = refused(() => send({ [name]: 1 }))
      expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: `${path}.${name}` })
      for (const other of names) expect(error.message).toContain(other)
    }
  })
  test('what the kernel only reports is refused', () => {
    const { readOnly = [] } = form === 'port' ? portRule : ruleOf(form)
    for (const name of readOnly)
      expect(refused(() => send({ [name]: 1 }))).toMatchObject({ code: 'ERR_NETLOOM_READ_ONLY', path: `${path}.${name}` })
  })
  test('options that are no object are refused', () => {
    for (const wrong of [1, 'x', [], null])
      expect(refused(() => send(wrong as unknown as Options))).toMatchObject({ name: 'TypeError', path })
  })
})

test('numbers out of range are refused by the option’s name', () => {
  const cases: [Kind, Options, string][] = [
    ['bridge', { priority: 65536 }, 'options.priority'],
    ['bridge', { ageingTime: -1 }, 'options.ageingTime'],
    ['bridge', { ageingTime: 2 ** 32 }, 'options.ageingTime'],
    ['bridge', { multicastIgmpVersion: 256 }, 'options.multicastIgmpVersion'],
    ['vxlan', { id: -1 }, 'options.id'],
    ['vxlan', { id: 2 ** 32 }, 'options.id'],
    ['vxlan', { portRange: { low: 1, high: 65536 } }, 'options.portRange.high'],
    ['vlan', { id: 65536 }, 'options.id'],
    [
      'vlan',
      {
        egressQos: [
          { from: 1, to: 2 },
          { from: -1, to: 2 },
        ],
      },
      'options.egressQos[1].from',
    ],
    ['macvlan', { macAddresses: ['02:00:00:00:00:01', 'nonsense'] }, 'options.macAddresses[1]'],
  ]
  for (const [kind, options, path] of cases) expect(refused(() => kindAttributes({ kind, options }))).toMatchObject({ path })
})

test('an address chooses its attribute by its family', () => {
  const v4 = decode(encode(kindAttributes({ kind: 'vxlan', options: { id: 1, group: '239.1.1.1', local: '10.0.0.1' } })))
  expect(v4.data).toEqual({ id: 1, group: '239.1.1.1', local: '10.0.0.1' })
  const v6 = decode(encode(kindAttributes({ kind: 'vxlan', options: { id: 1, group: 'ff02::1', local: 'fd00::1' } })))
  expect(v6.data).toEqual({ id: 1, group6: 'ff02::1', local6: 'fd00::1' })
  expect(fromWire(rules.vxlan, v6.data ?? {})).toEqual({ id: 1, group: 'ff02::1', local: 'fd00::1' })
})

test('no public name is an abbreviation of the kernel’s', () => {
  const short = /mcast|bcast|Cnt|Intvl|Fwd|Addr$|^fdb|Csum|Ifaddr|bc[A-Z]|^num[A-Z]|Hdr|Mac[aA]ddr(?!ess)/
  const allowed = ['vnetHdr']
  for (const [, { names }] of tested) expect(names.filter(name => short.test(name) && !allowed.includes(name))).toEqual([])
})

test('the way back from a field of the message to the caller’s', () => {
  const bridge = fieldOf('bridge')
  expect(bridge(['linkinfo', 'data', 'mcastSnooping'])).toBe('options.multicastSnooping')
  expect(bridge(['linkinfo', 'data', 'multiBoolopt', 'noLlLearn'])).toBe('options.noLinkLocalLearning')
  expect(bridge(['linkinfo', 'data', 'multiBoolopt'])).toBe('options')
  expect(bridge(['linkinfo', 'slaveData', 'unicastFlood'])).toBe('port.flood')
  expect(bridge(['linkinfo', 'kind'])).toBe('kind')
  expect(bridge(['linkinfo'])).toBe('kind')
  expect(bridge(['ifname'])).toBe('name')
  expect(bridge(['netNsFd'])).toBe('namespace')
  expect(bridge(['afSpec', 'inet6', 'addrGenMode'])).toBe('ipv6')
  expect(bridge(['propList', '1'])).toBe('altNames[1]')
  expect(bridge([])).toBeUndefined()
  expect(fieldOf('vxlan')(['linkinfo', 'data', 'link'])).toBe('link')
  expect(fieldOf('vxlan')(['linkinfo', 'data', 'group6'])).toBe('options.group')
  expect(fieldOf('veth')(['linkinfo', 'data', 'peer', 'address'])).toBe('peer.mac')
  expect(fieldOf('veth')(['linkinfo', 'data', 'peer'])).toBe('peer')
  expect(fieldOf('veth', 'peer')(['master'])).toBe('peer.master')
  expect(fieldOf('veth', 'peer')(['linkinfo', 'slaveData', 'cost'])).toBe('peer.port.cost')
  expect(fieldOf(undefined)(['mtu'])).toBe('mtu')
})
