// Names that callers give: what is taken, what is refused, and that the refusal says why.
import { posix } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkInterfaceName, checkNamespaceName, sysctlPath } from '../../lib/namespace/names.js'

const refusal = (run: () => unknown): Error & { code?: string } => {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('was accepted')
}

describe('namespace names', () => {
  test.each(['blue', 'a', 'with space', 'ns.1', '...', '-rf', 'ü'.repeat(127), '日本', 'x'.repeat(255)])('%j is taken', name =>
    expect(checkNamespaceName(name)).toBe(name),
  )
  test.each([
    ['', 'empty'],
    ['.', 'directory'],
    ['..', 'directory'],
    ['a/b', "contains '/'"],
    ['../blue', "contains '/'"],
    ['a\0b', 'NUL'],
    ['x'.repeat(256), '256 bytes'],
    ['ü'.repeat(128), '256 bytes'],
    ['\ud800', 'surrogate'],
    [undefined, 'not a string'],
    [null, 'not a string'],
    [7, 'not a string'],
    [Symbol('s'), 'not a string'],
    [Object.create(null), 'not a string'],
  ])('%j is refused', (name, why) => {
    const error = refusal(() => checkNamespaceName(name, 'name'))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: 'ERR_NETLOOM_INVALID_NAME', path: 'name' })
    expect(error.message).toContain(why)
  })
})

describe('interface names', () => {
  test.each(['lo', 'eth0.1', 'x'.repeat(15), '日本語日本', '-', '...', 'a@b'])('%j is taken', name =>
    expect(checkInterfaceName(name)).toBe(name),
  )
  test.each([
    ['', 'empty'],
    ['.', 'directory'],
    ['..', 'directory'],
    ['x'.repeat(16), '16 bytes'],
    ['日本語日本x', '16 bytes'],
    ['a/b', "contains '/'"],
    ['eth0:1', "contains ':'"],
    ['veth%d', 'pattern'],
    ['100%', 'pattern'],
    ['a b', 'white space'],
    ['a\tb', 'white space'],
    ['a\n', 'white space'],
    ['à', 'byte a0'],
    ['a\0', 'NUL'],
    [3, 'not a string'],
  ])('%j is refused', (name, why) => {
    const error = refusal(() => checkInterfaceName(name, 'peer.name'))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: 'ERR_NETLOOM_INVALID_NAME', path: 'peer.name' })
    expect(error.message).toMatch(/^peer\.name: /)
    expect(error.message).toContain(why)
  })
})

describe('sysctl keys', () => {
  test.each([
    ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net/ipv4/conf/eth0.1/forwarding', '/proc/sys/net/ipv4/conf/eth0.1/forwarding'],
    ['net.ipv4.conf.eth0/1.forwarding', '/proc/sys/net/ipv4/conf/eth0.1/forwarding'],
    ['net/core/somaxconn', '/proc/sys/net/core/somaxconn'],
  ])('%s', (key, path) => expect(sysctlPath(key)).toBe(path))
  test.each([
    '',
    'net',
    'net.',
    '.net.ipv4',
    '/net/ipv4/ip_forward',
    '/proc/sys/net/ipv4/ip_forward',
    'kernel.hostname',
    'vm/swappiness',
    'netx.a',
    'net..ipv4',
    'net/../kernel/hostname',
    'net.//.kernel.hostname',
    'net/./ipv4',
    'net.ipv4.',
    'net/ipv4/',
    'net.ipv4\0',
    `net.${'x'.repeat(256)}`,
    undefined,
    4,
  ])('%j is refused', key => {
    const error = refusal(() => sysctlPath(key, 'key'))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: 'ERR_NETLOOM_INVALID_SYSCTL', path: 'key' })
  })
  test('nothing leads out of /proc/sys/net', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('net', '.', '/', '..', '\0', 'ipv4', '%', ' '), { maxLength: 8 }), parts => {
        try {
          const path = sysctlPath(parts.join(''))
          expect(posix.normalize(path)).toBe(path)
          expect(path).toMatch(/^\/proc\/sys\/net\/./)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_NETLOOM_INVALID_SYSCTL' })
        }
      }),
      { numRuns: 3000 },
    ))
})
