// Removing many entries of the file system, off the event loop, for the price of one.
import { isSystemCallError, systemError } from '../socket/error.js'
import { native } from '../socket/native.js'

/** A file; a folder where the path ends with a slash; with a target a symbolic link, which goes only if it leads there. */
export type Entry = readonly [path: string, target?: string]

/**
 * Removes one after the other. Gives which were removed: those stay that are not there, lead elsewhere, or are folders with something in them. Rejects at the first
 * that cannot be removed, and leaves those after it alone.
 */
export async function removeEntries(entries: readonly Entry[]): Promise<boolean[]> {
  const paths = entries.map(([path]) => path)
  const targets = entries.map(([, target = '']) => target)
  try {
    return await native().removeEntries(paths, targets)
  } catch (error) {
    throw systemError(error, { operation: 'remove file', subject: isSystemCallError(error) ? error.path : undefined })
  }
}
