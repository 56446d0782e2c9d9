// Carries out steps in one namespace in their order, with as many of their messages in one exchange as the order allows.
import { forbidIpv6 } from '../kernel/link-ipv6.js'
import { linkReply, type RawLink, type Scope } from '../kernel/scope.js'
import { getSysctl, setSysctl } from '../namespace/sysctl.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import type { Step } from './compile.js'
import { asksForKind, type EntryItem, entryRequest, explainEntry, linksOf } from './compile-entry.js'
import {
  type CreateItem,
  createRequest,
  type End,
  endsOf,
  finishRequests,
  getRequest,
  homeEnd,
  type LinkKey,
  linkContext,
  linkHints,
  policyOf,
  prefixed,
  snoopRequest,
} from './compile-link.js'
import { runLive } from './execute-live.js'
import { explainLink, type Pending, type Place, settle } from './execute-outcome.js'
import { addSeries, leastInSeries, seriesLength } from './execute-series.js'
import type { MadeLink, State } from './execute-state.js'
import type { PlanLinkRef } from './items.js'
import type { Note } from './journal.js'
import { beforeAdd, beforeChange } from './undo-before.js'
import { unheardEntries } from './unheard.js'

type Finish = Extract<Step, { does: 'finish' }>
/** Ends of links that are finished together. */
const mostMade = 256
/** Requests in one exchange: bounds the memory, and the time until the next look at the signal. */
const mostPending = 1024

export class Run {
  readonly #state: State
  readonly #number: number
  readonly #scope: Scope
  readonly #planned: boolean
  #pending: Pending[] = []
  /** Of names in this namespace; good until a link changes. */
  readonly #indexes = new Map<string, RawLink>()

  constructor(state: State, number: number, scope: Scope) {
    this.#state = state
    this.#number = number
    this.#scope = scope
    this.#planned = state.isPlanned(number)
  }

  get #place(): Place {
    return { state: this.#state, number: this.#number, scope: this.#scope }
  }

  /** Sets lo up together with what comes first. */
  loopback(): void {
    const context: Context = { operation: 'update link', subject: 'lo', namespace: this.#scope.label }
    const request = { type: rtm.newLink, codec: linkTable, value: { index: 1, flags: { up: true } }, context }
    this.#pending.push({ item: undefined, request })
  }

  /** In their order, but that links are finished together with those that are made next after them, in namespaces that were there. */
  async steps(steps: readonly Step[]): Promise<void> {
    let made: Finish[] = []
    // Where there is no series, nobody looks for one again and again.
    let plainUntil = 0
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at]!
      if (step.does === 'finish' && !this.#planned) {
        made.push(step)
        continue
      }
      if (made.length > 0 && !this.#joins(step, made)) {
        await this.ports(made)
        made = []
      }
      if (this.#skips(step)) continue
      if (step.does === 'entry' && !this.#planned && at >= plainUntil) {
        const many = seriesLength(this.#state.data.items, steps, at)
        plainUntil = at + many
        const done = many < leastInSeries ? 0 : await this.#series(steps.slice(at, at + many))
        if (done > mostPending / 8) plainUntil = at + done
        if (done > 0) {
          at += done - 1
          continue
        }
      }
      try {
        await this.#step(step)
      } catch (error) {
        this.#state.fail(step.item, error)
      }
      if (this.#pending.length >= mostPending) await this.flush()
    }
    await this.ports(made)
  }

  /** Not after one with other names, by which the next may mean it: these are given when it is finished. */
  #joins(step: Step, made: readonly Finish[]): boolean {
    const ends = endsOf(this.#state.data.items[made.at(-1)!.item]!)
    return step.does === 'create' && made.length < mostMade && ends.every(({ fields }) => fields.altNames === undefined)
  }

  /** Bridge ports and the like whose links are there: all IPv6 switches first, then everything else in one exchange. */
  async ports(steps: readonly Finish[]): Promise<void> {
    await this.flush()
    const there = steps.filter(step => !this.#skips(step))
    await Promise.all(
      there.map(async step => {
        const end = this.#endOf(step)
        if (policyOf(this.#state.data, end.fields) !== 'none') return
        const made = this.#state.made(step.item, step.peer)
        if (made) await this.#forbidIpv6(made).catch(error => this.#state.fail(step.item, error))
      }),
    )
    for (const step of there) {
      if (this.#state.hasFailed(step.item)) continue
      try {
        await this.#finish(step, true)
      } catch (error) {
        this.#state.fail(step.item, error)
      }
    }
    await this.flush()
  }

  async flush(): Promise<void> {
    const pending = this.#pending
    if (pending.length === 0) return
    this.#pending = []
    const connection = await this.#scope.connection()
    await this.#state.journal.written()
    const requests = pending.map(({ request }) => request)
    const outcomes = await connection.batch(requests, { reply: linkReply, quiet: true }).catch((error: unknown) => {
      // The answer is lost, and with it what has been done. Links are found by their mark.
      this.#state.done.push(...unheardEntries(pending.flatMap(({ note }) => note ?? [])))
      throw error
    })
    await settle(this.#place, pending, outcomes)
  }

  /** The index of a link that is there, if it was looked up before. */
  known(name: string): number | undefined {
    return this.#indexes.get(name)?.index
  }

  #skips({ item: number }: Step): boolean {
    if (this.#state.hasFailed(number)) return true
    const needs = this.#state.missing(number)
    if (needs === undefined) return false
    this.#state.fail(number, this.#needs(needs))
    return true
  }

  #needs(failed: string, path?: string): NetloomError {
    const reason = `${failed}, which it needs, has failed`
    return new NetloomError('ECANCELED', { operation: 'apply plan', namespace: this.#scope.label, path, reason })
  }

  async #step(step: Step): Promise<void> {
    switch (step.does) {
      case 'create':
        return this.#create(step.item)
      case 'finish':
        return this.#finish(step, false)
      case 'entry':
        return this.#entry(step.item)
      case 'sysctl':
        return this.#sysctl(step.item)
      case 'snoop':
        return this.#snoop(step.item)
      case 'live':
        await this.flush()
        this.#indexes.clear()
        return runLive(this.#state, step.item)
    }
  }

  // ---- links

  async #create(number: number): Promise<void> {
    const { data } = this.#state
    const item = data.items[number] as CreateItem
    const ends = endsOf(item)
    const homeAt = homeEnd(data, item)
    const home = ends[homeAt]!
    const otherAt = ends.length === 2 ? 1 - homeAt : undefined
    const far = otherAt === undefined ? undefined : ends[otherAt]!
    const context = linkContext(item, home, this.#scope.label)
    const base = this.#planned ? await this.#state.firstIndex(this.#scope) : 0
    const index = home.fields.index ?? (this.#planned ? this.#state.takeIndex(this.#number, base) : undefined)
    const policy = policyOf(data, home.fields)
    const master = await this.#masterOf(home)
    const lower = item.spec.link === undefined ? undefined : (await this.#find(item.spec.link, 'link')).index
    const away = far && far.in !== this.#number ? await this.#state.use(far.in) : undefined
    const farIndex = far && (far.fields.index ?? (this.#state.isPlanned(far.in) ? this.#state.takeIndex(far.in, base) : undefined))
    const learn = (peer: boolean, end: End, at: number | undefined, name: string | undefined) =>
      this.#state.learn(number, peer, { in: end.in, kind: item.spec.kind, ...(at && { index: at }), ...(name !== undefined && { name }) })
    try {
      const up = home.fields.up === true && policy === 'kernel'
      const other = far && { end: far, fd: away?.scope.handle.fd, index: farIndex }
      const quiet = this.#state.isQuiet(number)
      const request = createRequest({ item, home, index, master, lower, up, quiet, ...(other && { other }), context })
      const explain = (error: NetloomError) => explainLink(this.#place, error, home, far)
      const succeeded = () => this.#state.progress.add()
      this.#pending.push({ item: number, request, explain, succeeded })
      learn(homeAt === 1, home, index, home.fields.name)
      if (far) learn(otherAt === 1, far, farIndex, far.fields.name)
      const asks = !this.#planned || (far !== undefined && !this.#state.isPlanned(far.in))
      if (asks)
        this.#ask(number, item, index === undefined ? { ifname: home.fields.name! } : { index }, context, learn, [homeAt === 1, home], far)
      // The descriptor of one that was opened for it has to be open while the kernel looks at it; and what comes next under an index that
      // somebody chose must not meet another's link in its place. So must what follows in a namespace that others use: steps() sees to it.
      if (home.fields.index !== undefined || (away && this.#state.isPlanned(away.number))) await this.flush()
    } finally {
      away?.close()
    }
  }

  #ask(
    number: number,
    item: CreateItem,
    key: LinkKey,
    context: Context,
    learn: (peer: boolean, end: End, at: number | undefined, name: string | undefined) => void,
    [homeIsPeer, home]: readonly [boolean, End],
    far: End | undefined,
  ): void {
    const succeeded = (link: RawLink | undefined) => {
      if (!link) return
      learn(homeIsPeer, home, link.index, link.ifname)
      if (far) learn(!homeIsPeer, far, link.link ?? undefined, far.fields.name)
      const record = (end: End, at: number, name: string, falls: boolean) => {
        if (!this.#state.isPlanned(end.in)) this.#state.done.push({ undo: 'link', in: end.in, index: at, name, falls })
      }
      record(home, link.index, link.ifname ?? item.path, false)
      if (far && link.link) record(far, link.link, far.fields.name ?? item.path, this.#planned)
    }
    this.#pending.push({ item: number, request: getRequest(key, context), succeeded })
  }

  async #finish({ item: number, peer }: { readonly item: number; readonly peer: boolean }, ipv6Done: boolean): Promise<void> {
    const { data } = this.#state
    const item = data.items[number] as CreateItem
    const end = this.#endOf({ item: number, peer })
    const made = this.#state.made(number, peer)
    if (!made) return
    const policy = policyOf(data, end.fields)
    const late = homeEnd(data, item) !== (peer ? 1 : 0)
    if (policy === 'none' && !ipv6Done) {
      await this.flush()
      if (this.#state.hasFailed(number)) return
      await this.#forbidIpv6(made)
    }
    const key: LinkKey = made.index === undefined ? { ifname: made.name! } : { index: made.index }
    const master = await this.#masterOf(end)
    const context = { ...linkContext(item, end, this.#scope.label), field: prefixed(item.spec.kind, end) }
    const explain = (error: NetloomError) => explainLink(this.#place, error, end, undefined, made.index)
    for (const request of finishRequests(end, key, policy, late, master, context)) this.#pending.push({ item: number, request, explain })
  }

  #snoop(number: number): void {
    const { index, name } = this.#state.made(number, false) ?? {}
    const item = this.#state.data.items[number] as CreateItem
    const context = linkContext(item, endsOf(item)[0]!, this.#scope.label)
    this.#pending.push({ item: number, request: snoopRequest(index === undefined ? { ifname: name! } : { index }, context) })
  }

  async #forbidIpv6({ name, index = 0 }: MadeLink): Promise<void> {
    await forbidIpv6(this.#scope, { ifname: name ?? (await this.#scope.getLink(index)).ifname ?? '' })
  }

  #endOf({ item, peer }: { readonly item: number; readonly peer: boolean }): End {
    return endsOf(this.#state.data.items[item]!)[peer ? 1 : 0]!
  }

  async #masterOf({ fields: { master }, path }: End): Promise<number | undefined> {
    return master === undefined ? undefined : (await this.#find(master, path ? `${path}.master` : 'master')).index
  }

  // ---- the rest

  /** Adds entries that are like the first; gives how many steps that was. */
  async #series(steps: readonly Step[]): Promise<number> {
    const links = linksOf(this.#state.data.items[steps[0]!.item] as EntryItem)
    const indexes: number[] = []
    try {
      for (const { ref, path } of links) indexes.push((await this.#find(ref, path)).index)
    } catch (error) {
      this.#state.fail(steps[0]!.item, error)
      return 1
    }
    const stays = !links.some(({ ref }) => this.#state.linkOf(ref, this.#number))
    await this.flush()
    return addSeries(this.#place, steps as Extract<Step, { does: 'entry' }>[], { indexes, stays })
  }

  async #entry(number: number): Promise<void> {
    const item = this.#state.data.items[number] as EntryItem
    const links = linksOf(item)
    const found: RawLinkish[] = []
    for (const { ref, path } of links) found.push(await this.#find(ref, path))
    const indexes = found.map(({ index }) => index)
    const noDad = asksForKind(item) && found[0]?.kind === 'veth'
    const adds = item.verb.endsWith('.add')
    if (!this.#planned && !adds) {
      await this.flush()
      await beforeChange(this.#state, this.#scope, number, indexes)
    }
    const request = entryRequest(item, indexes, this.#scope.label, noDad)
    // What is on a link of the plan goes with it.
    const stays = !this.#planned && adds && !links.some(({ ref }) => this.#state.linkOf(ref, this.#number))
    const note = stays ? (await beforeAdd(this.#state, this.#scope, number, indexes)).note : undefined
    this.#pending.push({
      item: number,
      request,
      note,
      explain: explainEntry(item),
      succeeded: () => {
        this.#state.progress.add()
        if (stays) this.#state.done.push({ undo: 'entry', item: number, indexes })
      },
    })
  }

  async #sysctl(number: number): Promise<void> {
    await this.flush()
    const { key, value } = this.#state.data.items[number] as { readonly key: string; readonly value: string | number }
    if (!this.#planned) {
      const old = await getSysctl(this.#scope, key)
      const note: Note = { note: 'sysctl', in: this.#number, key, old, set: String(value) }
      const run = (scope: Scope) => unlessGone(setSysctl(scope, key, old))
      this.#state.done.push({ undo: 'restore', in: this.#number, what: `sysctl ${key}`, run, notes: () => [note] })
      this.#state.journal.note(note)
      await this.#state.journal.written()
    }
    await setSysctl(this.#scope, key, value)
    this.#state.progress.add()
  }

  /** A link of this namespace: one that the plan has made, or one that is there. */
  async #find(ref: PlanLinkRef, path: string): Promise<RawLinkish> {
    const made = this.#state.linkOf(ref, this.#number)
    if (made?.failed !== undefined) throw this.#needs(made.failed, path)
    if (made?.index !== undefined) return { index: made.index, kind: made.kind }
    if (typeof ref === 'number') return { index: ref, kind: undefined }
    if (ref === 'lo') return { index: 1, kind: undefined }
    const name = typeof ref === 'string' ? ref : made?.name
    if (name === undefined)
      throw new NetloomError('ENODEV', { operation: 'find link', namespace: this.#scope.label, path, reason: 'it has not been made' })
    const known = this.#indexes.get(name)
    if (known) return { index: known.index, kind: known.linkinfo?.kind }
    await this.flush()
    const link = await this.#scope.getLink(name, { field: () => path, hints: linkHints }).catch((error: unknown) => {
      if (!(error instanceof NetloomError) || error.code !== 'ENODEV') throw error
      const { operation, subject, namespace, hint } = error
      throw new NetloomError('ENODEV', { operation, subject, namespace, path, reason: `there is no link ${name}`, hint })
    })
    this.#indexes.set(name, link)
    return { index: link.index, kind: link.linkinfo?.kind }
  }
}

interface RawLinkish {
  readonly index: number
  readonly kind: string | undefined
}

/** A setting of a link that is gone has nothing to be restored to. */
async function unlessGone(restoring: Promise<void>): Promise<void> {
  try {
    await restoring
  } catch (error) {
    if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
  }
}
