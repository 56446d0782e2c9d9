// The built addon loads on the oldest systems that the package promises, shows nothing but its entry points, and says so when it cannot be loaded.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { symbolVersions } from '../../scripts/symbol-versions.mjs'
import { needs } from '../helpers/features.js'

const addon = fileURLToPath(new URL('../../build/Release/netloom.node', import.meta.url))
const execute = promisify(execFile)

test('no symbol is newer than GLIBC_2.28 and GLIBCXX_3.4.21', async context => {
  await needs(context, 'tool:objdump')
  const { newest, tooNew } = symbolVersions(addon)
  expect(tooNew).toEqual([])
  expect(Object.keys(newest)).toEqual(expect.arrayContaining(['GLIBC', 'GLIBCXX']))
})

test('it exports what Node looks for, and nothing else', async context => {
  await needs(context, 'tool:objdump')
  const { stdout } = await execute('objdump', ['-T', addon])
  const exported = stdout.split('\n').filter(line => / [gw] .*\.\w+\s/.test(line) && !line.includes('*UND*'))
  expect(exported.map(line => line.trim().split(/\s+/).at(-1)).sort()).toEqual([
    'napi_register_module_v1',
    'node_api_module_get_api_version_v1',
  ])
})
