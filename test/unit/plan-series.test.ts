// Which steps of a plan make a series, and what one line of a record says of all of them.
import { expect, test } from 'vitest'
import type { EntryItem } from '../../lib/plan/compile-entry.js'
import type { Place } from '../../lib/plan/execute-outcome.js'
import { addSeries } from '../../lib/plan/execute-series.js'
import { seriesValue, unfolded, withValue } from '../../lib/plan/series.js'

const route = (to: string): EntryItem => ({ verb: 'routes.add', route: { to, via: '10.0.0.1' }, in: 0, path: 'routes[0]' })
const address = (cidr: string): EntryItem => ({ verb: 'addresses.add', link: 'lo', cidr, in: 0, path: 'addresses[0]' })

test('IPv4 routes and addresses that are added differ in one value', () => {
  expect(seriesValue(route('10.1.0.0/16'))).toBe('10.1.0.0/16')
  expect(seriesValue(address('10.1.0.1/16'))).toBe('10.1.0.1/16')
  expect(seriesValue(route('fd00::/64'))).toBeUndefined()
  expect(seriesValue(address('fd00::1/64'))).toBeUndefined()
  expect(seriesValue({ ...route('10.1.0.0/16'), verb: 'routes.replace' } as EntryItem)).toBeUndefined()
  expect(withValue(route('10.1.0.0/16'), '10.2.0.0/16')).toEqual(route('10.2.0.0/16'))
  expect(withValue(address('10.1.0.1/16'), '10.2.0.1/16')).toEqual(address('10.2.0.1/16'))
})

test('a line of a record says as much as a note for each', () => {
  const there = { to: '10.2.0.0/16', metric: 5 }
  const common = { in: 3, sort: 'routes', indexes: [7] } as const
  const keyOf = (sort: string, item: EntryItem, indexes: readonly number[]) => `${sort} ${seriesValue(item)} ${indexes}`
  const series = {
    note: 'series',
    ...common,
    item: route('10.1.0.0/16'),
    values: ['10.1.0.0/16', '10.2.0.0/16'],
    before: [[1, [there]]],
  } as const
  expect(unfolded(series, keyOf)).toEqual([
    { note: 'entry', ...common, key: 'routes 10.1.0.0/16 7', item: route('10.1.0.0/16'), before: [] },
    { note: 'entry', ...common, key: 'routes 10.2.0.0/16 7', item: route('10.2.0.0/16'), before: [there] },
  ])
  const other = { note: 'gone', in: 0, what: 'link a' } as const
  expect(unfolded(other, keyOf)).toEqual([other])
})

test('what is under way when a later entry cannot be said is written down as done', async () => {
  const items: EntryItem[] = Array.from({ length: 1100 }, (_, i) => route(`10.1.${i >> 8}.${i & 255}`))
  items[1050] = Object.defineProperty({ ...items[1050]! }, 'route', {
    get: () => {
      throw new Error('broken')
    },
  })
  const done: unknown[] = []
  const state = {
    ...{ data: { items }, item: (number: number) => items[number], skips: () => false, done, progress: { add: () => undefined } },
    ...{ before: new Map([['0 routes', { byKey: new Map() }]]), journal: { note: () => undefined, written: async () => undefined } },
  }
  const batchWritten = () => new Promise(resolve => setTimeout(resolve, 20, []))
  const place = { state, number: 0, scope: { label: 'here', connection: async () => ({ batchWritten }) } } as unknown as Place
  const steps = items.map((_, item) => ({ does: 'entry', item }) as const)
  await expect(addSeries(place, steps, { indexes: [], stays: true })).rejects.toThrow('broken')
  expect(done).toHaveLength(1024)
})
