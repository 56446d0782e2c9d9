// Which namespace is meant by the number that ours knows it by: found once, and made sure of at every use for the price of opening one file.

import { pick } from '../codec/table.js'
import { type NamespaceInfo, type OpenNamespace, sameNamespace } from '../namespace/info.js'
import { listNamespaces } from '../namespace/list.js'
import { openSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import { nsidsOf, numberOurselves } from './nsid.js'
import { type Scope, skipProtocolStatistics } from './scope.js'

interface Known {
  readonly info: NamespaceInfo
  /** A number is a namespace's for as long as it lives, so that the same cookie is enough. Unknown on kernels before 5.14. */
  readonly cookie: bigint | undefined
}

/** Links are asked for what the kernel does when it tells of them, not for what they are. */
const nothing = { type: rtm.newLink, codec: pick(linkTable, []) }
/** Namespaces that a search holds open at a time. */
const openAtOnce = 64
const gone = (error: unknown) =>
  error instanceof NetloomError && ['ENOENT', 'ESTALE', 'ESRCH', 'EACCES', 'EINVAL', 'ENOTDIR'].includes(error.code)

export class NsidMap {
  readonly #scope: Scope
  readonly #known = new Map<number, Known>()
  /** What the calls that wait for a search are looking for. */
  readonly #wanted = new Map<number, number>()
  #searching: Promise<void> | undefined
  #numbered: Promise<void> | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** Best before many numbers are given. */
  prepare(): Promise<void> {
    this.#numbered ??= numberOurselves(this.#scope)
    return this.#numbered
  }

  /** Remembers a namespace that can be opened again. */
  learn(nsid: number, info: NamespaceInfo, cookie: bigint | undefined): void {
    if (waysTo(info).length) this.#known.set(nsid, { info, cookie })
  }

  /** The namespace of that number; undefined if no name and no process leads to it. */
  async find(nsid: number): Promise<NamespaceInfo | undefined> {
    const hit = this.#known.get(nsid)
    if (hit && (await this.#holds(hit, nsid))) return hit.info
    if (this.#known.get(nsid) === hit) this.#known.delete(nsid)
    this.#wanted.set(nsid, (this.#wanted.get(nsid) ?? 0) + 1)
    try {
      // A search that began before may have passed by where this namespace now is: then one more.
      const joined = this.#searching
      await this.#search()
      if (joined && !this.#known.has(nsid)) await this.#search()
      return this.#known.get(nsid)?.info
    } finally {
      const others = this.#wanted.get(nsid)! - 1
      if (others) this.#wanted.set(nsid, others)
      else this.#wanted.delete(nsid)
    }
  }

  /** Does the number still mean this namespace? */
  async #holds({ info, cookie }: Known, nsid: number): Promise<boolean> {
    const opened = await this.#open(info)
    if (!opened) return false
    try {
      if (cookie !== undefined) return opened.handle.cookie === cookie
      const [answer] = await nsidsOf(this.#scope, [opened.handle.fd])
      return answer === nsid
    } finally {
      opened.handle.close()
    }
  }

  /** By the first way that still leads there. */
  async #open(info: NamespaceInfo): Promise<OpenNamespace | undefined> {
    for (const way of waysTo(info)) {
      try {
        const opened = await openSource(way)
        if (sameNamespace(opened.info, info)) return opened
        opened.handle.close()
      } catch (error) {
        if (!gone(error)) throw error
      }
    }
    return undefined
  }

  #search(): Promise<void> {
    this.#searching ??= this.#searchAll().finally(() => {
      this.#searching = undefined
    })
    return this.#searching
  }

  async #searchAll(): Promise<void> {
    await this.prepare()
    const connection = await this.#scope.connection()
    // Every link that is read gets its peer's namespace a number: so that one search serves all of them.
    const context = { operation: 'find peer', namespace: this.#scope.label }
    const value = { extMask: skipProtocolStatistics }
    await connection.dump({ type: rtm.getLink, codec: linkTable, value, context }, nothing, () => undefined)
    // Names that have not been seen yet come first: usually there is one, and looking through all processes is dear.
    const seen = new Map([...this.#known.values()].map(({ info }) => [info.name, info]))
    const isNew = (info: NamespaceInfo) => !seen.has(info.name) || !sameNamespace(seen.get(info.name)!, info)
    const isOther = (info: NamespaceInfo) => !sameNamespace(info, this.#scope.info)
    await this.#note((await listNamespaces()).filter(info => isOther(info) && isNew(info)))
    if ([...this.#wanted.keys()].every(nsid => this.#known.has(nsid))) return
    await this.#note((await listNamespaces({ processes: true })).filter(isOther))
  }

  async #note(candidates: readonly NamespaceInfo[]): Promise<void> {
    for (let i = 0; i < candidates.length; i += openAtOnce) {
      const group = candidates.slice(i, i + openAtOnce)
      const opened = await Promise.all(group.map(async info => ({ info, opened: await this.#open(info) })))
      try {
        const held = opened.flatMap(({ info, opened }) => (opened ? [{ info, handle: opened.handle }] : []))
        const numbers = await nsidsOf(
          this.#scope,
          held.map(({ handle }) => handle.fd),
        )
        numbers.forEach((nsid, k) => {
          if (nsid !== undefined) this.learn(nsid, held[k]!.info, held[k]!.handle.cookie)
        })
      } finally {
        for (const { opened: one } of opened) one?.handle.close()
      }
    }
  }
}

/** How a namespace can be opened directly. */
function waysTo({ name, path, pids = [] }: NamespaceInfo): ({ name: string } | { path: string } | { pid: number })[] {
  return [...(name === undefined ? (path === undefined ? [] : [{ path }]) : [{ name }]), ...pids.map(pid => ({ pid }))]
}
