// Many namespaces made and furnished in one call to the addon, and many names taken away in one.
import { NETLINK_ROUTE } from '../protocol/netlink.js'
import { errnoNumbers } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import { type Job, type NamespaceHandle, native, type Performed, type SystemCallError } from '../socket/native.js'
import { type NamespaceInfo, namePath, namespaceDevice } from './info.js'
import { creationFailure, removalFailure } from './lifecycle.js'
import { sysctlFailure } from './sysctl.js'

/** Does one job after the other until something fails; rtnetlink messages. `mark`: what the files under new names contain. */
export const perform = (jobs: readonly Job[], mark: string): Promise<Performed> => native().perform(jobs, mark, NETLINK_ROUTE)

/** Up to so many namespaces without a name; fewer where the kernel refuses one. */
export const createNamespaces = (count: number): Promise<NamespaceHandle[]> => native().createNamespaces(count)

/** What a job ended with before its first step: a namespace of that name could not be made. */
export const notMade = (error: SystemCallError, name: string): Promise<unknown> => creationFailure(error, name)

/** What a job ended with in a setting. */
export const notSet = (error: SystemCallError, key: string, text: string, namespace: string | undefined): unknown =>
  sysctlFailure(error, { operation: 'set sysctl', subject: key, namespace }, text)

/** What the addon says of names that are gone, or are somebody else's by now. */
const gone = new Set([errnoNumbers.ENOENT, errnoNumbers.ESTALE])

/**
 * Takes away names that still lead to those namespaces, and gives an error for each that could not be: a name that is gone, or that somebody
 * has given to another namespace since, is none.
 */
export async function deleteNames(infos: readonly (NamespaceInfo & { readonly name: string })[]): Promise<unknown[]> {
  const paths = infos.map(({ name }) => namePath(name))
  const errors = await native().removeNamespaces(
    paths,
    infos.map(({ inode }) => inode),
    await namespaceDevice(),
  )
  return infos.map(({ name }, i) => {
    const error = errors[i]
    if (!error || (isSystemCallError(error) && gone.has(error.errno))) return undefined
    return removalFailure(error, name)
  })
}
