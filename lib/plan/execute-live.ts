// What has no faster way: the live verbs, with the plan's links and namespaces in the place of its references.
import type { LinkChange, LinkCreate } from '../kernel/link-request.js'
import { linkVerbs } from '../kernel/links.js'
import { type LinkRef, type Scope, sourceOf } from '../kernel/scope.js'
import { NetloomError } from '../socket/error.js'
import { partiesOf } from './compile.js'
import { type CreateItem, creates, endsOf, policyOf } from './compile-link.js'
import type { State, Used } from './execute-state.js'
import type { Item, PlanLinkRef } from './items.js'
import type { Note } from './journal.js'
import type { Done } from './undo.js'
import { ofBefore } from './undo-before.js'
import { type LinkBefore, linkBefore, moveBack, restoreLink } from './undo-link.js'

/** Carries out one item with the verb that it is named after. */
export async function runLive(state: State, number: number): Promise<void> {
  const item = state.data.items[number]!
  const opened = new Map<number, Used>()
  try {
    for (const party of new Set([item.in, ...partiesOf(item)])) opened.set(party, await state.use(party))
    await new Live(state, number, item, opened).run()
    state.progress.add()
  } finally {
    for (const used of opened.values()) used.close()
  }
}

class Live {
  readonly #state: State
  readonly #number: number
  readonly #item: Item
  readonly #opened: ReadonlyMap<number, Used>

  constructor(state: State, number: number, item: Item, opened: ReadonlyMap<number, Used>) {
    this.#state = state
    this.#number = number
    this.#item = item
    this.#opened = opened
  }

  async run(): Promise<void> {
    const item = this.#item
    if (creates(item)) return this.#create(item)
    if (item.verb === 'links.update') return this.#update(item)
    if (item.verb === 'links.move') return this.#move(item)
    if (item.verb === 'links.delete') return this.#delete(item)
    throw new NetloomError('EOPNOTSUPP', { operation: item.verb, reason: 'a plan cannot do this' })
  }

  #scope(number: number): Scope {
    return this.#opened.get(number)!.scope
  }

  #ref(ref: PlanLinkRef, namespace: number): LinkRef {
    const made = this.#state.linkOf(ref, namespace)
    const found = made?.index ?? made?.name ?? (typeof ref === 'object' ? undefined : ref)
    if (found !== undefined) return found
    throw new NetloomError('ENODEV', { operation: this.#item.verb, reason: 'the link has not been made' })
  }

  async #create(item: CreateItem): Promise<void> {
    const { data } = this.#state
    const ends = endsOf(item)
    const fieldsOf = (i: number) => {
      const end = ends[i]!
      const { master } = end.fields
      return {
        ...(item.spec.kind === 'veth' ? { txQueues: 1, rxQueues: 1 } : {}),
        ...end.fields,
        ipv6: policyOf(data, end.fields),
        ...(master === undefined ? {} : { master: this.#ref(master, end.in) }),
        namespace: sourceOf(this.#scope(end.in)),
      }
    }
    const { link } = item.spec
    const spec = {
      ...fieldsOf(0),
      ...(ends.length === 2 ? { peer: fieldsOf(1) } : {}),
      ...(link === undefined ? {} : { link: this.#ref(link, item.in) }),
    } as unknown as LinkCreate
    const created = (await linkVerbs(this.#scope(item.in)).create(spec)) as MadeBy
    const found = [created, created.peer?.link]
    const inPlanned = ends.some(end => this.#state.isPlanned(end.in))
    for (const [i, end] of ends.entries()) {
      const { index, name } = found[i]!
      this.#state.learn(this.#number, i === 1, { in: end.in, index, name, kind: item.spec.kind })
      if (!this.#state.isPlanned(end.in)) this.#state.done.push({ undo: 'link', in: end.in, index, name, falls: inPlanned })
    }
  }

  async #update({ in: place, link, change }: Extract<Item, { verb: 'links.update' }>): Promise<void> {
    const scope = this.#scope(place)
    const ref = this.#ref(link, place)
    const { master, ...rest } = change
    const wanted = { ...rest, ...(master == null ? { master } : { master: this.#ref(master, place) }) } as LinkChange
    if (!this.#isOurs(link)) {
      const index = await scope.indexOf(ref)
      const before = await this.#before(scope, place, index, wanted)
      await this.#restorable({ note: 'link', in: place, link: before }, place, there => restoreLink(there, before))
    }
    const made = this.#state.linkOf(link, place)
    await linkVerbs(scope).update(ref, 'master' in change ? wanted : (rest as LinkChange))
    if (made && rest.name !== undefined)
      this.#state.rename(made, { in: place, name: rest.name, ...(made.index !== undefined && { index: made.index }) })
    if (made && rest.altNames) this.#state.alsoKnown(made, rest.altNames)
  }

  async #move({ in: place, link, to, options }: Extract<Item, { verb: 'links.move' }>): Promise<void> {
    const here = this.#scope(place)
    const there = this.#scope(to.number)
    const { index, ifname = '' } = await here.getLink(this.#ref(link, place))
    const { done } = this.#state
    const name = options?.name ?? ifname
    if (!this.#isOurs(link)) {
      const before = await this.#before(here, place, index, { up: true })
      const run = async (target: Scope, open: (number: number) => Promise<Scope>) => moveBack(target, await open(place), name, before)
      const note: Note = { note: 'move', in: place, to: to.number, name, link: before }
      await this.#restorable(note, to.number, run)
      await linkVerbs(here).move(index, sourceOf(there), options)
      return
    }
    await linkVerbs(here).move(index, sourceOf(there), options)
    const at = await there.indexOf(name)
    const made = this.#state.linkOf(link, place)!
    const known = done.findIndex(one => one.undo === 'link' && one.in === place && one.index === index)
    const moved = { undo: 'link', in: to.number, index: at, name, falls: false } as const
    const staying = this.#state.isPlanned(to.number) ? [] : [moved]
    if (known >= 0) done.splice(known, 1, ...staying)
    else done.push(...staying)
    this.#state.rename(made, { in: to.number, index: at, name })
  }

  async #delete({ in: place, link }: Extract<Item, { verb: 'links.delete' }>): Promise<void> {
    const scope = this.#scope(place)
    const { index, ifname = '' } = await scope.getLink(this.#ref(link, place))
    const ours = this.#isOurs(link)
    if (!ours && !this.#state.isPlanned(place)) {
      // Before it goes: nothing can make it again with all that was on it.
      const reason = 'the plan deleted it, and a deleted link cannot be made again'
      const run = () => Promise.reject(new NetloomError('EOPNOTSUPP', { operation: 'undo delete link', subject: ifname, reason }))
      const what = `link ${ifname} (deleted)`
      const note: Note = { note: 'gone', in: place, what }
      await this.#note(note)
      await linkVerbs(scope).delete(index)
      this.#state.done.push({ undo: 'restore', in: place, what, run, notes: () => [note] })
      return
    }
    await linkVerbs(scope).delete(index)
    const made = this.#state.linkOf(link, place)
    if (made) this.#state.forget(made)
    const { done } = this.#state
    const known = done.findIndex(one => one.undo === 'link' && one.in === place && one.index === index)
    if (known >= 0) done.splice(known, 1)
  }

  /** An undo that is tried again comes after that of the plan's entries, and must not bring them back. */
  async #before(scope: Scope, place: number, index: number, change: LinkChange): Promise<LinkBefore> {
    const before = await linkBefore(scope, index, change)
    const [addresses, routes] = [
      ofBefore(this.#state, place, 'addresses', before.addresses),
      ofBefore(this.#state, place, 'routes', before.routes),
    ]
    return { ...before, addresses, routes }
  }

  async #note(note: Note): Promise<void> {
    this.#state.journal.note(note)
    await this.#state.journal.written()
  }

  /** To be called before the change. */
  async #restorable(note: Note, place: number, run: Extract<Done, { undo: 'restore' }>['run']): Promise<void> {
    await this.#note(note)
    this.#state.done.push({ undo: 'restore', in: place, what: this.#item.path, run, notes: () => [note] })
  }

  #isOurs(link: PlanLinkRef): boolean {
    return this.#state.linkOf(link, this.#item.in) !== undefined
  }
}

interface MadeBy {
  readonly index: number
  readonly name: string
  readonly peer?: { readonly link: { readonly index: number; readonly name: string } }
}
