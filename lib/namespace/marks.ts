// Marks of ownership: what the file under a name contains, written before the namespace is mounted over it and readable underneath.
import { native } from '../socket/native.js'
import { failure } from './failure.js'
import { namespaceDirectory } from './info.js'

/** Of a namespace that netloom made by itself: whoever finds the file without its namespace knows whose it is. */
export const ownershipMark = 'netloom 1\n'

/** Of one that a plan made. */
export const planMark = (id: string): string => `netloom 1 plan ${id}\n`

/** Whether a file bears that mark. Its line may lack its end: then the process died that was making it. */
export const bears = (content: string | undefined, mark: string): boolean => content !== undefined && `${content.trimEnd()}\n` === mark

/** Of a file that somebody was making who died, or is still at it: then it is locked. */
export const isUnfinished = (content: string): boolean => /^netloom 1( plan [0-9a-f]{16})?$/.test(content) && !content.endsWith('\n')

/** What the files of those names contain underneath their namespaces; undefined for names that are not there. Needs CAP_SYS_ADMIN. */
export async function readMarks(names: readonly string[]): Promise<(string | undefined)[]> {
  if (names.length === 0) return []
  try {
    return await native().readUnderneath(namespaceDirectory, names)
  } catch (error) {
    const known = failure(
      error,
      { operation: 'read marks', subject: namespaceDirectory },
      {
        EPERM: { hint: 'looking underneath mounts needs CAP_SYS_ADMIN: run as root, or in a user namespace of your own' },
        EINVAL: { hint: `${namespaceDirectory} was mounted by another user namespace: look from there` },
      },
    )
    // No name was ever made.
    if (known instanceof Error && 'code' in known && known.code === 'ENOENT') return names.map(() => undefined)
    throw known
  }
}
