// Records of work in progress and marks of ownership: who may take a record, what it says, and what lies underneath a mounted namespace.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createPrepared, prepareNames } from '../../lib/namespace/lifecycle.js'
import { planMark, readMarks } from '../../lib/namespace/marks.js'
import { listRecords, RecordFile, recordDirectory } from '../../lib/namespace/record-file.js'
import { useHost } from '../helpers/host.js'
import { run } from '../helpers/readers.js'

const host = useHost()
const id = () => Array.from({ length: 16 }, () => Math.floor(Math.random() * 16).toString(16)).join('')

test('a record is there with its first line, and taken only when its writer has let go of it', async () => {
  const one = id()
  const record = await RecordFile.create(one, ['{"first":1}'])
  expect(await listRecords()).toContain(one)
  expect((await stat(recordDirectory)).mode & 0o777).toBe(0o700)
  expect((await stat(`${recordDirectory}/${one}.json`)).mode & 0o777).toBe(0o600)
  expect(await RecordFile.take(one)).toBeUndefined()
  await record.append(['second', 'third'])
  await record.append(['fourth'])
  await expect(RecordFile.create(one, ['another'])).rejects.toMatchObject({ code: 'EEXIST' })
  await record.close()
  const taken = await RecordFile.take(one)
  expect(await taken?.read()).toEqual(['{"first":1}', 'second', 'third', 'fourth'])
  await taken?.remove()
  expect(await listRecords()).not.toContain(one)
  expect(await RecordFile.take(one)).toBeUndefined()
  await taken?.remove()
})

test('a line that was not written to its end does not count', async () => {
  const one = id()
  await (await RecordFile.create(one, ['whole'])).close()
  await writeFile(`${recordDirectory}/${one}.json`, 'whole\nhal')
  const taken = await RecordFile.take(one)
  expect(await taken?.read()).toEqual(['whole'])
  await taken?.remove()
})

test('marks are read underneath, as nobody else sees them', async () => {
  const [ours, theirs] = [host.named('ours'), host.named('theirs')]
  await prepareNames()
  const { handle } = await createPrepared(ours, planMark('0123456789abcdef'))
  handle.close()
  await run(undefined, 'ip', 'netns', 'add', theirs)
  try {
    expect(await readMarks([ours, theirs, host.named('none')])).toEqual(['netloom 1 plan 0123456789abcdef\n', '', undefined])
    expect(await run(undefined, 'ip', 'netns', 'list')).toContain(ours)
    expect((await run(undefined, 'sh', '-c', `umount /run/netns/${ours} && cat /run/netns/${ours}`)).trim()).toBe(
      'netloom 1 plan 0123456789abcdef',
    )
    expect(await readMarks([ours])).toEqual([await readFile(`/run/netns/${ours}`, 'utf8')])
  } finally {
    await run(undefined, 'rm', `/run/netns/${ours}`)
    await run(undefined, 'ip', 'netns', 'delete', theirs)
  }
})
