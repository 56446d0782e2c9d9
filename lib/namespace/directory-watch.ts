// Which names under /run/netns may have changed: the file system says that something happened, the reader finds out what.
import { type FSWatcher, watch } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { namespaceDirectory } from './info.js'

/** A name appears a little before the namespace is mounted on it, and nothing tells of the mount: such a name is looked at again. */
const retryAfter = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]

/**
 * Changes that come in one turn of the event loop. After a long block of it there may have been more than the kernel keeps (fs.inotify.max_queued_events),
 * of which Node says nothing; so that after so many of them it is no longer trusted that these were all.
 */
const longestBurst = 1_000

export class DirectoryWatch {
  #watcher: FSWatcher | undefined
  #closed = false
  #holdsProcess = false
  #touched = new Set<string>()
  #everything = false
  #wake: (() => void) | undefined
  #error: unknown
  #burst = 0
  readonly #retries = new Map<string, { attempt: number; timer?: NodeJS.Timeout | undefined }>()

  /** Looks from now on. The folder is made with the first name; until then its parent is watched. */
  async start(): Promise<void> {
    const there = await access(namespaceDirectory).then(
      () => true,
      () => false,
    )
    if (this.#closed) return
    const watched = there ? namespaceDirectory : dirname(namespaceDirectory)
    this.#watcher?.close()
    this.#watcher = watch(watched, (_, name) => {
      if (there) this.#touch(name)
      else if (name === null || name === basename(namespaceDirectory)) this.#restart()
    })
    if (!this.#holdsProcess) this.#watcher.unref()
    this.#watcher.on('error', error => this.#fail(error))
    // Made between the look and the watch.
    if (
      !there &&
      (await access(namespaceDirectory).then(
        () => true,
        () => false,
      ))
    )
      await this.start()
  }

  /** Waits for the next changes: names to look at, or 'all' when it is not known which. */
  async next(): Promise<ReadonlySet<string> | 'all'> {
    while (this.#touched.size === 0 && !this.#everything && this.#error === undefined)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    if (this.#error !== undefined) throw this.#error
    const touched = this.#everything ? ('all' as const) : this.#touched
    this.#touched = new Set()
    this.#everything = false
    return touched
  }

  /** The name is a plain file as yet: it comes up again, later and later, until something is mounted on it or it has been a file for long. */
  later(name: string): void {
    let { attempt = 0, timer } = this.#retries.get(name) ?? {}
    const delay = retryAfter[attempt]
    if (delay === undefined || !this.#watcher) return
    clearTimeout(timer)
    timer = setTimeout(() => this.#touch(name), delay).unref()
    this.#retries.set(name, { attempt: attempt + 1, timer })
  }

  /** The name has been understood. */
  settled(name: string): void {
    clearTimeout(this.#retries.get(name)?.timer)
    this.#retries.delete(name)
  }

  /** Keeps the process alive from now on. */
  ref(): void {
    this.#holdsProcess = true
    this.#watcher?.ref()
  }

  /** Lets the process end, as it does to begin with. */
  unref(): void {
    this.#holdsProcess = false
    this.#watcher?.unref()
  }

  close(): void {
    this.#closed = true
    this.#watcher?.close()
    this.#watcher = undefined
    for (const { timer } of this.#retries.values()) clearTimeout(timer)
    this.#retries.clear()
  }

  #restart(): void {
    this.start().then(
      () => this.#touch(null),
      error => this.#fail(error),
    )
  }

  #touch(name: string | null): void {
    if (this.#burst++ === 0)
      setImmediate(() => {
        this.#burst = 0
      })
    if (name === null || this.#burst > longestBurst) this.#everything = true
    else this.#touched.add(name)
    this.#wake?.()
  }

  #fail(error: unknown): void {
    this.#error = error
    this.#wake?.()
  }
}
