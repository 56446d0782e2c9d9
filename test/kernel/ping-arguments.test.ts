// What ping refuses before it sends anything.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenNamespace } from '../../lib/namespace/info.js'
import { createAnonymous } from '../../lib/namespace/lifecycle.js'
import { type PingOptions, ping } from '../../lib/namespace/ping.js'

let green: OpenNamespace
beforeAll(async () => {
  green = await createAnonymous()
})
afterAll(() => green.handle.close())

const rejection = (from: OpenNamespace, address: string, options: PingOptions = {}) =>
  ping(from, address, options).then(
    result => {
      throw new Error(`was accepted: ${JSON.stringify(result)}`)
    },
    (error: unknown) => error as Error & { code: string; path?: string },
  )

describe('wrong arguments are told before anything is sent', () => {
  test.each([
    '',
    'localhost',
    '10.0.0',
    '010.0.0.1',
    '10.0.0.256',
    '10.0.0.1/24',
    '10.0.0.1%eth0',
    '::g',
    '::1%lo',
    'fd00::1%eth0',
    '::ffff:10.0.0.1',
    'fe80::1%',
    'fe80::1%a b',
    undefined,
    4,
  ])('address %j', async address => {
    const error = await rejection(green, address as string)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.code).toMatch(/^ERR_NETLOOM_INVALID_(ADDRESS|NAME)$/)
  })
  test.each<[string, unknown]>([
    ['count', 0],
    ['count', 65536],
    ['count', 1.5],
    ['count', '3'],
    ['interval', -1],
    ['interval', Number.NaN],
    ['timeout', Number.POSITIVE_INFINITY],
    ['timeout', null],
    ['size', -1],
    ['size', 65508],
    ['signal', {}],
  ])('%s: %j', async (path, value) => {
    const error = await rejection(green, '10.0.2.1', { [path]: value } as PingOptions)
    expect(error).toMatchObject({ code: 'ERR_NETLOOM_INVALID_OPTION', path })
  })
  test('a closed namespace', async () => {
    const gone = await createAnonymous()
    gone.handle.close()
    expect(await rejection(gone, '127.0.0.1')).toMatchObject({ code: 'EBADF', hint: expect.stringContaining('Namespace.open') })
  })
})
