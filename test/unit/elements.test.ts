// Slices one by one: in order whoever asks, to the end, to an error, or to where the reader leaves.
import { expect, test } from 'vitest'
import { Elements } from '../../lib/socket/elements.js'

const log: string[] = []
async function* slices(...parts: (number[] | Error)[]): AsyncGenerator<number[], string, void> {
  try {
    for (const part of parts) {
      await Promise.resolve()
      if (part instanceof Error) throw part
      yield part
    }
    return 'all'
  } finally {
    log.push('closed')
  }
}

test('all of them, in order, and what the list says at its end', async () => {
  const elements = new Elements(slices([1, 2], [3], [], [4, 5]))
  const seen: number[] = []
  let next = await elements.next()
  for (; !next.done; next = await elements.next()) seen.push(next.value)
  expect(seen).toEqual([1, 2, 3, 4, 5])
  expect(next.value).toBe('all')
  expect(await elements.next()).toEqual({ done: true, value: undefined })
})

test('calls that do not wait for each other get one each, and all of them the end', async () => {
  const elements = new Elements(slices([1, 2], [3], [4, 5, 6]))
  const results = await Promise.all(Array.from({ length: 8 }, () => elements.next()))
  expect(results.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 'all', 'all'])
})

test('leaving the loop closes the list', async () => {
  log.length = 0
  for await (const element of new Elements(slices([1, 2, 3], [4]))) if (element === 2) break
  expect(log).toEqual(['closed'])
})

test('after return() nothing comes any more, not even what was there', async () => {
  const elements = new Elements(slices([1, 2, 3]))
  expect(await elements.next()).toEqual({ done: false, value: 1 })
  expect(await elements.return('left')).toEqual({ done: true, value: 'left' })
  expect(await elements.next()).toEqual({ done: true, value: undefined })
})

test('it can be declared with await using', async () => {
  log.length = 0
  {
    await using elements = new Elements(slices([1, 2, 3]))
    await elements.next()
  }
  expect(log).toEqual(['closed'])
})

test('an error comes after what was there, once', async () => {
  const elements = new Elements(slices([1, 2], new Error('broken'), [3]))
  expect((await elements.next()).value).toBe(1)
  expect((await elements.next()).value).toBe(2)
  await expect(elements.next()).rejects.toThrow('broken')
  expect(await elements.next()).toEqual({ done: true, value: undefined })
})
