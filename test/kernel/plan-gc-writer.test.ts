// gc() asks whether the writer of a record is dead: only "there is no such process" means that it is.
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { expect, test, vi } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { RecordFile } from '../../lib/namespace/record-file.js'
import { bootId } from '../../lib/plan/intent.js'
import type { IntentRecord } from '../../lib/plan/record-format.js'
import { useHost } from '../helpers/host.js'

const answers = vi.hoisted(() => new Map<string, 'ENOENT' | 'ESRCH' | 'EMFILE' | 'EACCES'>())
vi.mock('node:fs/promises', async original => {
  const real = await original<typeof import('node:fs/promises')>()
  const readFile = (async (path: string, ...rest: [BufferEncoding]) => {
    const code = answers.get(path)
    if (code !== undefined) throw Object.assign(new Error(code), { code, errno: -constants.errno[code], syscall: 'open' })
    return real.readFile(path, ...rest)
  }) as typeof real.readFile
  return { ...real, readFile }
})

useHost()
// Larger than any process's.
const pid = 2 ** 22 + 1

test.each([
  ['ENOENT', true],
  ['ESRCH', true],
  ['EMFILE', false],
  ['EACCES', false],
] as const)('a look at it that says %s', async (code, dead) => {
  const id = randomBytes(8).toString('hex')
  const record: IntentRecord = {
    netloom: 1,
    operation: 'apply',
    boot: bootId(),
    writer: { pid, start: '1' },
    mark: `netloom 1 plan ${id}\n`,
    names: [],
    existing: [],
    links: [],
  }
  await (await RecordFile.create(id, [JSON.stringify(record)])).close()
  answers.set(`/proc/${pid}/stat`, code)
  if (!dead) await expect(Namespace.gc()).rejects.toMatchObject({ code, leftovers: [`plan ${id}`], subject: `process ${pid}` })
  answers.clear()
  expect(await Namespace.gc()).toEqual({ removed: [], left: [] })
  expect(await RecordFile.take(id)).toBeUndefined()
})
