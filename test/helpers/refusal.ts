// What a call that must be refused was refused with.

import { NetloomError } from '../../lib/index.js'

/** The NetloomError of a promise that must reject with one; toMatchObject says the rest. */
export async function refusal(work: Promise<unknown>): Promise<NetloomError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof NetloomError) return error
  throw error ?? new Error('was not refused')
}
