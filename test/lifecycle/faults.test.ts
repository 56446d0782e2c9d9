// The fault table: each system call that the addon makes fails in turn, while the library does each thing that it can. Afterwards: a clear error, or the
// work is done all the same; nothing is left over; and the next call works. A sample each time, another one; NETLOOM_FAULTS=all for all of it.
import { writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { furnish, unfurnish } from '../helpers/crowds.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { attempt, run } from '../helpers/readers.js'
import { descriptors, mountPoints, namedNamespaces, threadNamespaces } from '../helpers/state.js'
import { random, seed, settle } from './ending.js'
import { errorsOf, reasons } from './faulty/errors.js'
import { type Faulty, faulty } from './faulty/faulty.js'
import { Table } from './faulty/table.js'
import { type Work, works } from './faulty/works.js'
import { furtherWorks } from './faulty/works-more.js'

const host = useOpenHost()
const all = process.env.NETLOOM_FAULTS === 'all'
const chance = random(seed())
const table = new Table()
let faults: Faulty

beforeAll(async () => {
  await furnish(host.name)
  faults = faulty()
}, 60_000)
afterAll(async () => {
  await unfurnish(host.name)
  process.stdout.write(`${table.text()}\n`)
  if (process.env.NETLOOM_FAULTS_TABLE) writeFileSync(process.env.NETLOOM_FAULTS_TABLE, table.summary() + table.markdown())
})

/** Far more than any of it takes: it only names what hangs. */
const patience = 20_000

test('every system call that the addon makes is in the table, or told why it is not', async context => {
  if (process.env.NETLOOM_SANITIZER !== undefined) context.skip('a sanitizer has functions of its own for some of them')
  if (process.env.NETLOOM_COVERAGE !== undefined) context.skip('the counting of coverage writes files of its own')
  const { stdout } = await attempt(undefined, 'objdump', ['-T', faults.path])
  const imported = [...stdout.matchAll(/\*UND\*.*\s(\w+)$/gm)].map(([, name = '']) => name.replace(/64$/, ''))
  const systemCalls = imported.filter(name => name in reasons || name in errorsOf)
  const unknown = imported.filter(name => !(name in errorsOf) && !(name in reasons) && !/^(napi_|_Z|_ITM|__)/.test(name))
  expect(unknown).toEqual([])
  expect(systemCalls.filter(name => name in errorsOf).sort()).toEqual([...faults.calls].sort())
})

const names = [
  'create a namespace',
  'create a link',
  'list links and addresses',
  'watch',
  'apply a plan of 7 namespaces',
  'take that plan back',
  'serve and connect',
  'ping',
  'write and read a setting',
  'write 300 settings',
  'create a tun device',
  'change nftables',
  'remove files',
  'start a process',
  'first use in a worker thread',
]
test.for(names)('%s', { timeout: 3_600_000 }, async (name, context) => {
  if (name.includes('tun')) await needs(context, 'tap')
  if (name.includes('nftables')) await needs(context, 'nftables')
  const work = [...works(host.namespace, host.name, host.named), ...furtherWorks(host.namespace, host.name, host.named)].find(
    one => one.name === name,
  )!
  const { before, made } = await rehearse(work)
  const wrong: string[] = []
  for (const [call, times] of Object.entries(made)) {
    const errors = errorsOf[call]!
    const last = Math.min(times, (work.spared?.[call] ?? Number.POSITIVE_INFINITY) - 1)
    for (const error of all ? errors : [errors[Math.floor(chance() * errors.length)]!])
      for (const place of places(last, all && !name.includes('plan'))) {
        const complaints = await fail(work, call, error, place, before)
        wrong.push(...complaints.map(complaint => `${call} ${place} of ${times}, ${error}: ${complaint}`))
      }
    table.count(name, call, times)
  }
  expect(wrong).toEqual([])
})

/** Which of so many calls fails: the first, the last and one in between; or any one, where each takes long. */
function places(last: number, several: boolean): number[] {
  if (last < 1) return []
  const any = 1 + Math.floor(chance() * last)
  return several ? [...new Set([1, last, any])] : [any]
}

/** What there is when nothing has failed, and which calls the work makes. */
async function rehearse(work: Work): Promise<{ before: State; made: Record<string, number> }> {
  for (let round = 0; round < 3; round++) expect(await doOnce(work)).toBeUndefined()
  const before = await look()
  await work.prepare?.()
  faults.arm('none', 0, 0)
  const result = await work.work()
  const made = faults.disarm()
  expect(await work.done(result)).toBeUndefined()
  return { before, made }
}

async function doOnce(work: Work): Promise<string | undefined> {
  await work.prepare?.()
  return work.done(await work.work())
}

async function fail(work: Work, call: string, error: string, place: number, before: State): Promise<string[]> {
  await work.prepare?.()
  faults.arm(call, constants.errno[error as 'EIO'], place)
  const outcome = await within(work.work())
  const met = (faults.disarm()[call] ?? 0) >= place
  const complaints: (string | undefined)[] = []
  if ('error' in outcome) {
    complaints.push(unclear(outcome.error, [error, work.instead?.[error]]), await work.failed?.())
    table.add(work.name, call, error, 'refused')
  } else {
    complaints.push(await work.done(outcome.value))
    if (met) table.add(work.name, call, error, 'done')
  }
  complaints.push(await leftOver(before))
  complaints.push(await doOnce(work).catch((later: unknown) => `the next call fails: ${later}`))
  return complaints.filter(complaint => complaint !== undefined)
}

async function within<T>(doing: Promise<T>): Promise<{ value: T } | { error: unknown }> {
  let timer: NodeJS.Timeout | undefined
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing for ${patience / 1000} s`)), patience)
  })
  return Promise.race([doing, hangs])
    .then(
      value => ({ value }),
      (error: unknown) => ({ error }),
    )
    .finally(() => clearTimeout(timer))
}

function unclear(error: unknown, expected: readonly (string | undefined)[]): string | undefined {
  const { name, code, operation, message } = error as { name?: string; code?: string; operation?: string; message?: string }
  return name === 'NetloomError' && expected.includes(code) && operation && message?.includes(String(code))
    ? undefined
    : `unclear: ${name} ${message}`
}

type State = Awaited<ReturnType<typeof look>>

/** All that could be left over, in the host, beside it and in this process. */
async function look() {
  const [host_, settings] = await Promise.all([
    run(host.name, 'sh', '-c', 'ip -o link; ip -o address; ip route show table all; ip rule; ip neighbour show nud permanent; ip -6 rule'),
    run(host.name, 'sysctl', 'net.ipv4.ip_forward', 'net.ipv4.ip_default_ttl'),
  ])
  const folder = '/run/netloom/plans'
  const records = await Promise.all(
    (await readdir(folder).catch(() => [])).map(file => readFile(`${folder}/${file}`, 'utf8').catch(() => '')),
  )
  return {
    // Devices come back under other indexes, and what is gone leaves in its own time.
    host: host_
      .replace(/^\d+: /gm, '')
      .split('\n')
      .sort(),
    settings,
    names: await namedNamespaces(host.named('')),
    mounts: (await mountPoints('/run/netns')).filter(point => point.includes(`/${host.named('')}`)),
    records: records.filter(text => text.includes(host.named(''))),
    threads: await threadNamespaces(),
    descriptors: await descriptors(),
  }
}

/** undefined if everything is as it was, but for descriptors that are no longer there: a failed socket is not used again. */
async function leftOver(before: State): Promise<string | undefined> {
  const plain = async () => {
    const now = await look()
    const more = Object.entries(now.descriptors).filter(([sort, count]) => count > (before.descriptors[sort] ?? 0))
    return { ...now, descriptors: more }
  }
  const wanted = { ...before, descriptors: [] as [string, number][] }
  const now = await settle(plain, wanted, 5000)
  const different = Object.entries(now).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(wanted[key as keyof State]))
  return different.length === 0 ? undefined : `left over: ${different.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join('; ')}`
}
