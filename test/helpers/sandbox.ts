// A machine of its own for a test that needs one: a network namespace, a /run and a /sys that no other test file shares.

import { fileURLToPath } from 'node:url'
import { start, type Where } from './readers.js'

export interface Sandbox extends AsyncDisposable {
  /** What the readers take: run(box.where, 'ip', 'netns', 'list'); ip(box.where, '-n', 'blue', 'link', 'show'). */
  readonly where: Exclude<Where, string | undefined>
  /** The process that keeps it: /proc/<pid>/root is its view of the files. */
  readonly pid: number
}

const isolated = fileURLToPath(new URL('../../scripts/isolated.mjs', import.meta.url))

/** Everything in it goes with it at the end of the scope, but for processes that were started inside: those are their starters' to end. */
export async function sandbox(): Promise<Sandbox> {
  // cat ends when this process does, however it ends: its input is a pipe from here.
  const keeper = await start(undefined, 'env', ['-u', 'LD_PRELOAD', process.execPath, isolated, '--fresh', 'sh', '-c', 'echo $$; exec cat'])
  const pid = Number((await keeper.lines.next()).value)
  return { where: { pid, mounts: true }, pid, [Symbol.asyncDispose]: () => keeper.stop() }
}
