// What Networks.create() takes and refuses before it looks at the machine.
import { describe, expect, test } from 'vitest'
import { driverSettings } from '../../lib/network/driver-options.js'
import { configured, type NetworkCreate, networkSpec } from '../../lib/network/options.js'
import { refusal, thrown } from './codec-helpers.js'

const wrong = (given: object) => given as NetworkCreate
const refused = (given: object) => refusal(() => networkSpec(wrong(given)))

test('a name is enough', () => {
  const { driver, subnets, ipv6, internal, options, labels } = networkSpec({ name: 'a' })
  expect({ driver, subnets, ipv6, internal, options, labels }).toEqual({
    driver: 'bridge',
    subnets: [],
    ipv6: false,
    internal: false,
    options: {},
    labels: {},
  })
})

test("short names and Docker's say the same", () => {
  const short = networkSpec({ name: 'a', bridge: 'br7', icc: true, masquerade: false, hostBinding: '10.0.0.1', mtu: 1400 })
  const docker = networkSpec({
    name: 'a',
    options: {
      'com.docker.network.bridge.name': 'br7',
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'false',
      'com.docker.network.bridge.host_binding_ipv4': '10.0.0.1',
      'com.docker.network.driver.mtu': '1400',
      'com.docker.network.bridge.default_bridge': 'false',
    },
  })
  const settings = { bridge: 'br7', icc: true, masquerade: false, hostBinding: '10.0.0.1', mtu: 1400 }
  expect(driverSettings('bridge', short.options)).toEqual(settings)
  expect(driverSettings('bridge', docker.options)).toEqual(settings)
})

test("options are kept by Docker's names, whichever they were given by", () => {
  const { options } = networkSpec({ name: 'a', options: { mtu: '1400', 'com.docker.network.bridge.enable_icc': 'False' } })
  expect(options).toEqual({ 'com.docker.network.driver.mtu': '1400', 'com.docker.network.bridge.enable_icc': 'False' })
  const wrongly = { name: 'a', options: JSON.parse('{"__proto__":"x"}') as Record<string, string> }
  expect(refused(wrongly)[0]).toBe('ERR_NETLOOM_UNKNOWN_OPTION')
})

test('one subnet in the open, or several in a list', () => {
  const flat = networkSpec({ name: 'a', subnet: '10.0.0.0/24', gateway: '10.0.0.9', auxAddresses: { router: '10.0.0.7' } })
  const listed = networkSpec({
    name: 'a',
    subnets: [{ subnet: '10.0.0.0/24', gateway: '10.0.0.9', auxAddresses: { router: '10.0.0.7' } }],
  })
  expect(flat.subnets).toEqual(listed.subnets)
  expect([flat.listed, listed.listed]).toEqual([false, true])
})

describe('refused, with the field', () => {
  test.each<[object, string, string]>([
    [{}, 'ERR_NETLOOM_MISSING_OPTION', 'name'],
    [{ name: '-a' }, 'ERR_NETLOOM_INVALID_NAME', 'name'],
    [{ name: '../a' }, 'ERR_NETLOOM_INVALID_NAME', 'name'],
    [{ name: 'a'.repeat(256) }, 'ERR_NETLOOM_INVALID_NAME', 'name'],
    [{ name: 'a', subnt: '10.0.0.0/8' }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'subnt'],
    [{ name: 'a', driver: 'brigde' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'driver'],
    [{ name: 'a', driver: 'overlay' }, 'ERR_NETLOOM_UNSUPPORTED_OPTION', 'driver'],
    [{ name: 'a', scope: 'swarm' }, 'ERR_NETLOOM_UNSUPPORTED_OPTION', 'scope'],
    [{ name: 'a', ingress: true }, 'ERR_NETLOOM_UNSUPPORTED_OPTION', 'ingress'],
    [{ name: 'a', ipam: { driver: 'dhcp' } }, 'ERR_NETLOOM_UNSUPPORTED_OPTION', 'ipam.driver'],
    [{ name: 'a', ipam: { options: { foo: '1' } } }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'ipam.options.foo'],
    [{ name: 'a', mtu: '1400' }, 'ERR_NETLOOM_INVALID_NUMBER', 'mtu'],
    [{ name: 'a', mtu: 60 }, 'ERR_NETLOOM_OUT_OF_RANGE', 'mtu'],
    [{ name: 'a', icc: 'no' }, 'ERR_NETLOOM_INVALID_BOOLEAN', 'icc'],
    [{ name: 'a', bridge: 'a-name-that-is-too-long' }, 'ERR_NETLOOM_INVALID_NAME', 'bridge'],
    [{ name: 'a', hostBinding: '300.0.0.1' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'hostBinding'],
    [{ name: 'a', parent: 'eth0' }, 'ERR_NETLOOM_INVALID_OPTION', 'parent'],
    [{ name: 'a', driver: 'macvlan', icc: false }, 'ERR_NETLOOM_INVALID_OPTION', 'icc'],
    [{ name: 'a', driver: 'macvlan', ipvlanMode: 'l3' }, 'ERR_NETLOOM_INVALID_OPTION', 'ipvlanMode'],
    [{ name: 'a', driver: 'ipvlan', ipvlanMode: 'l4' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'ipvlanMode'],
    [{ name: 'a', driver: 'ipvlan', options: { ipvlan_flag: 'none' } }, 'ERR_NETLOOM_UNKNOWN_NAME', 'options.ipvlan_flag'],
    [{ name: 'a', driver: 'ipvlan', options: { macvlan_mode: 'bridge' } }, 'ERR_NETLOOM_INVALID_OPTION', 'options.macvlan_mode'],
    [{ name: 'a', options: { speed: '9' } }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'options.speed'],
    [{ name: 'a', options: { 'com.docker.network.driver.mtu': 9 } }, 'ERR_NETLOOM_INVALID_STRING', 'options.com.docker.network.driver.mtu'],
    [
      { name: 'a', options: { 'com.docker.network.bridge.enable_icc': 'maybe' } },
      'ERR_NETLOOM_INVALID_BOOLEAN',
      'options.com.docker.network.bridge.enable_icc',
    ],
    [
      { name: 'a', options: { 'com.docker.network.bridge.default_bridge': 'true' } },
      'ERR_NETLOOM_UNSUPPORTED_OPTION',
      'options.com.docker.network.bridge.default_bridge',
    ],
    [
      { name: 'a', options: { mtu: '1400', 'com.docker.network.driver.mtu': '1500' } },
      'ERR_NETLOOM_INVALID_OPTION',
      'options.com.docker.network.driver.mtu',
    ],
    [
      { name: 'a', mtu: 1400, options: { 'com.docker.network.driver.mtu': '1400' } },
      'ERR_NETLOOM_INVALID_OPTION',
      'options.com.docker.network.driver.mtu',
    ],
    [{ name: 'a', gateway: '10.0.0.1' }, 'ERR_NETLOOM_MISSING_OPTION', 'subnet'],
    [{ name: 'a', gateway: '10.0.0.1', subnets: [] }, 'ERR_NETLOOM_INVALID_OPTION', 'gateway'],
    [{ name: 'a', subnets: [{ gateway: '10.0.0.1' }] }, 'ERR_NETLOOM_MISSING_OPTION', 'subnets[0].subnet'],
    [{ name: 'a', subnets: [{ subnet: '10.0.0.0/8', router: 1 }] }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'subnets[0].router'],
    [{ name: 'a', labels: ['x'] }, 'ERR_NETLOOM_INVALID_OBJECT', 'labels'],
    [{ name: 'a', labels: { tier: 1 } }, 'ERR_NETLOOM_INVALID_STRING', 'labels.tier'],
    [{ name: 'a', driver: 'host', subnet: '10.0.0.0/8' }, 'ERR_NETLOOM_INVALID_OPTION', 'subnet'],
    [{ name: 'a', configFrom: 'b', subnet: '10.0.0.0/8' }, 'ERR_NETLOOM_INVALID_OPTION', 'subnet'],
    [{ name: 'a', configFrom: 'b', configOnly: true }, 'ERR_NETLOOM_INVALID_OPTION', 'configFrom'],
  ])('%j', (given, code, path) => {
    expect(refused(given).slice(0, 2)).toEqual([code, path])
  })

  test('and the options that there are', () => {
    expect(thrown(() => networkSpec({ name: 'a', driver: 'macvlan', options: { x: '' } })).message).toContain('macvlan_mode')
  })
})

describe('a configuration for other networks', () => {
  const config = networkSpec({ name: 'c', configOnly: true, subnet: '10.0.0.0/24', ipv6: true, mtu: 1400, labels: { a: 'b' } })
  test('is taken over', () => {
    const spec = configured(networkSpec({ name: 'a', configFrom: 'c', internal: true }), config)
    expect(spec).toMatchObject({ name: 'a', configFrom: 'c', configOnly: false, internal: true, ipv6: true, labels: { a: 'b' } })
    expect(spec.subnets).toEqual(config.subnets)
    expect(driverSettings('bridge', spec.options)).toEqual({ mtu: 1400 })
  })
  test('must be one', () => {
    expect(refusal(() => configured(networkSpec({ name: 'a', configFrom: 'b' }), networkSpec({ name: 'b' })))[1]).toBe('configFrom')
  })
})
