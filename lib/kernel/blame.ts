// Which field a refusal is about, where the kernel says it in words only.
import { NetloomError } from '../socket/error.js'

/** What the kernel's words or the error's name have in them → the field that is meant; undefined where the caller gave no such field. */
export type Culprits = readonly (readonly [words: RegExp, path: string | undefined])[]

/** The request's result; an error without a path gets that of the first culprit whose words fit. */
export async function blaming<T>(request: Promise<T>, culprits: Culprits): Promise<T> {
  try {
    return await request
  } catch (error) {
    if (!(error instanceof NetloomError) || error.path !== undefined) throw error
    const { code, operation, subject, namespace, reason = '', hint, cause } = error
    const path = culprits.find(([words, field]) => field !== undefined && words.test(`${code} ${reason}`))?.[1]
    if (path === undefined) throw error
    throw new NetloomError(error.errno ?? code, { operation, subject, namespace, path, reason, hint, cause })
  }
}
