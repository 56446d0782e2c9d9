// The message to the process that prepares mounts: nothing of it is lost, and the user's variables do nothing on the way.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { packRequest, unpackRequest } from '../../lib/namespace/exec-request.js'

const text = fc.string({ unit: 'grapheme' }).map(value => value.replaceAll('\0', ''))

test('what is packed is unpacked', () =>
  fc.assert(
    fc.property(
      text,
      fc.array(text),
      fc.array(text),
      fc.option(text, { nil: undefined }),
      fc.option(fc.nat(), { nil: undefined }),
      (command, args, env, argv0, uid) => {
        const request = {
          command,
          args,
          env,
          descriptors: [0, 1, 2],
          ...(argv0 !== undefined && { argv0 }),
          ...(uid !== undefined && { uid }),
        }
        const packed = packRequest(request, '/opt/lib')
        expect(unpackRequest(packed.args, packed.env)).toEqual(request)
      },
    ),
  ))

test("the user's variables are values only, but for PATH", () => {
  const env = [
    'NODE_OPTIONS=--inspect',
    'LD_PRELOAD=/x.so',
    'LD_LIBRARY_PATH=/theirs',
    'PATH=/their/bin',
    'NETLOOM_EXEC={}',
    'NETLOOM_EXEC_0=x',
  ]
  const packed = packRequest({ command: 'true', args: [], env, descriptors: [] }, '/ours')
  expect(packed.env).toMatchObject({ PATH: '/their/bin', LD_LIBRARY_PATH: '/ours' })
  expect(
    Object.keys(packed.env)
      .filter(name => !name.startsWith('NETLOOM_EXEC'))
      .sort(),
  ).toEqual(['LD_LIBRARY_PATH', 'PATH'])
  expect(unpackRequest(packed.args, packed.env)?.env).toEqual(env)
})

test('without a request there is nothing to do', () => {
  expect(unpackRequest([], {})).toBeUndefined()
  expect(unpackRequest(['true'], {})).toBeUndefined()
})
