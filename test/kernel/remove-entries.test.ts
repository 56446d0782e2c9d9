// Many entries of the file system removed in one call: what stays, and where it ends.
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeEntries } from '../../lib/namespace/remove-entries.js'

let folder = ''
const at = (name: string) => join(folder, name)
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-entries-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('files, links that lead where they should, and empty folders go; the rest stays', async () => {
  await writeFile(at('file'), 'text')
  for (const name of ['mine', 'longer', 'shorter', 'any'])
    await symlink(name === 'longer' ? 'owner2' : name === 'shorter' ? 'own' : 'owner', at(name))
  for (const name of ['empty', 'full', 'full/inside', 'emptied']) await mkdir(at(name))
  await writeFile(at('emptied/file'), '')
  const removed = await removeEntries([
    [at('file')],
    [at('mine'), 'owner'],
    [at('longer'), 'owner'],
    [at('shorter'), 'owner'],
    [at('any')],
    [at('empty/')],
    [at('full/')],
    [at('emptied/file')],
    [at('emptied/')],
    [at('there-is-none')],
    [at('there-is-none'), 'owner'],
    [at('there-is-none/')],
    [at('longer/below')],
  ])
  expect(removed).toEqual([true, true, false, false, true, true, false, true, true, false, false, false, false])
  expect((await readdir(folder)).sort()).toEqual(['full', 'longer', 'shorter'])
  // A file that is no link leads nowhere.
  await writeFile(at('file'), 'owner')
  expect(await removeEntries([[at('file'), 'owner']])).toEqual([false])
  expect(await removeEntries([])).toEqual([])
})

test('it ends at the first that cannot be removed, and says which', async () => {
  await mkdir(at('folder'))
  for (const name of ['before', 'after']) await writeFile(at(name), '')
  const refused = await removeEntries([[at('before')], [at('folder')], [at('after')]]).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'EISDIR', operation: 'remove file', subject: at('folder') })
  expect((await readdir(folder)).sort()).toEqual(['after', 'folder'])
})
