// The addon is loaded on first use, and an error says what to do where it cannot be.

import { afterEach, expect, test, vi } from 'vitest'

const { platform } = process

afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform })
  vi.unstubAllEnvs()
  vi.resetModules()
})

async function fresh() {
  vi.resetModules()
  return import('../../lib/socket/native.js')
}

test('off Linux the module can be imported, and the first use says that it works on Linux only', async () => {
  const { native } = await fresh()
  Object.defineProperty(process, 'platform', { value: 'darwin' })
  expect(() => native()).toThrow(expect.objectContaining({ code: 'ERR_NETLOOM_UNSUPPORTED_PLATFORM' }))
})

test('without a build that fits, the error names the command that makes one', async () => {
  const { native } = await fresh()
  vi.stubEnv('NETLOOM_PREBUILD', '/nowhere')
  expect(() => native()).toThrow(
    expect.objectContaining({
      code: 'ERR_NETLOOM_NATIVE_UNAVAILABLE',
      message: expect.stringContaining('node scripts/build-native.mjs'),
      cause: expect.any(Error),
    }),
  )
  vi.unstubAllEnvs()
  expect(native().currentNamespace().inode).toBeGreaterThan(0)
})

test('an error of the caller in the middle of the arguments is an exception like any other', async () => {
  const { native } = await fresh()
  const here = native().currentNamespace()
  for (const name of ['receiveBuffer', 'groups', 'allNamespaces']) {
    const options = Object.defineProperty({}, name, {
      get: () => {
        throw new RangeError('on purpose')
      },
    })
    expect(() => native().openNetlink(here, 0, options)).toThrow('on purpose')
  }
  const groups = Object.defineProperty([1, 2], 1, {
    get: () => {
      throw new RangeError('on purpose')
    },
  })
  expect(() => native().openNetlink(here, 0, { groups })).toThrow('on purpose')
  expect(() => native().openNetlink(here, 0, { groups: ['1' as unknown as number] })).toThrow(TypeError)
  expect(() => native().openNamespace('a\0b')).toThrow(TypeError)
  expect(() => native().openPacket(here, 2, 3, 1, [[1, 2] as unknown as [number, number, Uint8Array]])).toThrow(TypeError)
  expect(() => native().runInside(here, undefined as unknown as () => void)).toThrow(TypeError)
  here.close()
})
