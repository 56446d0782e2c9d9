// Errors of arguments: class, code, and a path that grows on the way out.
import { describe, expect, test } from 'vitest'
import { argumentError, inside, isArgumentError, MalformedError, rangeError, relabel, shown } from '../../lib/codec/errors.js'
import { link } from '../../lib/protocol/link.js'
import { route } from '../../lib/protocol/route.js'
import { encode, refusal, thrown } from './codec-helpers.js'

const wrong = (value: unknown) => value as never

test('class, code, message and path', () => {
  const type = argumentError('ERR_NETLOOM_X', 'is odd')
  expect(type).toBeInstanceOf(TypeError)
  expect(type).toMatchObject({ code: 'ERR_NETLOOM_X', message: 'is odd', detail: 'is odd' })
  expect(type.path).toBeUndefined()
  expect(rangeError('ERR_NETLOOM_X', 'is odd', 'a.b')).toBeInstanceOf(RangeError)
  expect(rangeError('ERR_NETLOOM_X', 'is odd', 'a.b').message).toBe('a.b: is odd')
  expect(relabel(rangeError('ERR_NETLOOM_X', 'is odd', 'a'), 'options.a').message).toBe('options.a: is odd')
})
test('containers put their name in front', () => {
  const error = argumentError('ERR_NETLOOM_X', 'is odd')
  for (const name of ['gateway', '[1]', 'nexthops', 'route']) inside(error, name)
  expect(error.message).toBe('route.nexthops[1].gateway: is odd')
})
test('errors of others pass untouched', () => {
  for (const error of [new TypeError('x'), Object.assign(new Error('x'), { code: 'ENOENT', detail: '' }), 'text', undefined]) {
    expect(isArgumentError(error)).toBe(false)
    expect(inside(error, 'name')).toBe(error)
  }
  expect(new MalformedError('x')).toMatchObject({ name: 'MalformedError', code: 'ERR_NETLOOM_MALFORMED' })
})
test('values in messages are short and never fail', () => {
  expect([1, 'a', null, undefined, 1n, [], {}, Object.create(null), () => 1, Symbol('s')].map(shown)).toEqual([
    '1',
    '"a"',
    'null',
    'undefined',
    '1',
    'an array',
    'an object',
    'an object',
    'a function',
    'Symbol(s)',
  ])
  expect(shown('x'.repeat(1000)).length).toBeLessThan(90)
})

describe('paths from real tables', () => {
  const peer = (value: object) => ({ linkinfo: { kind: 'veth', data: { peer: value } } })
  test.each([
    ['mtu', { mtu: -1 }, 'ERR_NETLOOM_OUT_OF_RANGE'],
    ['mut', { mut: 1 }, 'ERR_NETLOOM_UNKNOWN_ATTRIBUTE'],
    ['flags', { flags: { upp: true } }, 'ERR_NETLOOM_UNKNOWN_FLAG'],
    ['index', { index: 2 ** 31 }, 'ERR_NETLOOM_OUT_OF_RANGE'],
    ['linkinfo', { linkinfo: null }, 'ERR_NETLOOM_INVALID_OBJECT'],
    ['linkinfo.data.peer.ifname', peer({ ifname: 'a\0b' }), 'ERR_NETLOOM_INVALID_STRING'],
    ['linkinfo.data.peer.mtu', peer({ mtu: '1400' }), 'ERR_NETLOOM_INVALID_NUMBER'],
    ['linkinfo.data.peer.family', peer({ family: 'inet7' }), 'ERR_NETLOOM_UNKNOWN_NAME'],
    ['linkinfo.data.peer.address', peer({ address: `02${':00'.repeat(32)}` }), 'ERR_NETLOOM_INVALID_MAC'],
    ['propList[1]', { propList: ['a', 5] }, 'ERR_NETLOOM_INVALID_STRING'],
    ['afSpec.inet.conf[2]', { afSpec: { inet: { conf: [0, 0, 1.5] } } }, 'ERR_NETLOOM_INVALID_NUMBER'],
    ['afSpec.vlanInfo[1].vid', { family: 'bridge', afSpec: { vlanInfo: [{}, { vid: 65536 }] } }, 'ERR_NETLOOM_OUT_OF_RANGE'],
    ['afSpec.vlanInfo[0]', { family: 'bridge', afSpec: { vlanInfo: [{ vdi: 1 }] } }, 'ERR_NETLOOM_UNKNOWN_MEMBER'],
    ['unknown[0]', { unknown: [null] }, 'ERR_NETLOOM_INVALID_OBJECT'],
    ['unknown[0].type', { unknown: [{ type: 0x8001, data: new Uint8Array() }] }, 'ERR_NETLOOM_OUT_OF_RANGE'],
    ['unknown[0]', { unknown: [{ type: 1 }] }, 'ERR_NETLOOM_INVALID_BYTES'],
  ])('%s', (path, value, code) => {
    expect(refusal(() => encode(link, wrong(value))).slice(0, 2)).toEqual([code, path])
  })
  test('entries of a multipath route', () => {
    const error = thrown(() => encode(route, wrong({ multipath: [{}, { gateway: '10.0.0.256' }] })))
    expect(error.message).toBe('multipath[1].gateway: "10.0.0.256" is not an IPv4 or IPv6 address')
  })
  test('what is no object', () => {
    for (const value of [null, undefined, 1, 'mtu', []])
      expect(refusal(() => encode(link, wrong(value)))[0]).toBe('ERR_NETLOOM_INVALID_OBJECT')
  })
})
