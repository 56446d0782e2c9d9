// What has no faster way: the live verbs, with the plan's links and namespaces in the place of its references.
import type { LinkChange, LinkCreate } from '../kernel/link-request.js'
import { linkVerbs } from '../kernel/links.js'
import { type LinkRef, type Scope, scoped } from '../kernel/scope.js'
import { held, type NamespaceSource } from '../namespace/source.js'
import { NetloomError } from '../socket/error.js'
import { partiesOf } from './compile.js'
import { type CreateItem, creates, endsOf, policyOf } from './compile-link.js'
import type { State, Used } from './execute-state.js'
import type { Item, PlanLinkRef } from './items.js'
import { linkBefore } from './undo-before.js'

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
      const restore = await linkBefore(scope, index, wanted)
      this.#state.done.push({ undo: 'restore', in: place, what: this.#item.path, run: there => restore(there) })
    }
    await linkVerbs(scope).update(ref, 'master' in change ? wanted : (rest as LinkChange))
  }

  async #move({ in: place, link, to, options }: Extract<Item, { verb: 'links.move' }>): Promise<void> {
    const here = this.#scope(place)
    const there = this.#scope(to.number)
    const { index, ifname = '' } = await here.getLink(this.#ref(link, place))
    const restore = this.#isOurs(link) ? undefined : await linkBefore(here, index, { up: true })
    await linkVerbs(here).move(index, sourceOf(there), options)
    const name = options?.name ?? ifname
    const at = await there.indexOf(name)
    const { done } = this.#state
    if (restore) {
      const run = async (target: Scope, open: (number: number) => Promise<Scope>) => {
        const home = await open(place)
        await linkVerbs(target).move(name, sourceOf(home), { name: ifname })
        await restore(home, await home.indexOf(ifname))
      }
      done.push({ undo: 'restore', in: to.number, what: this.#item.path, run })
      return
    }
    const made = this.#state.linkOf(link, place)!
    this.#state.forget(made)
    const known = done.findIndex(one => one.undo === 'link' && one.in === place && one.index === index)
    const moved = { undo: 'link', in: to.number, index: at, name, falls: false } as const
    const staying = this.#state.isPlanned(to.number) ? [] : [moved]
    if (known >= 0) done.splice(known, 1, ...staying)
    else done.push(...staying)
    Object.assign(made, { in: to.number, index: at, name })
  }

  async #delete({ in: place, link }: Extract<Item, { verb: 'links.delete' }>): Promise<void> {
    const scope = this.#scope(place)
    const { index, ifname = '' } = await scope.getLink(this.#ref(link, place))
    const ours = this.#isOurs(link)
    if (!ours && !this.#state.isPlanned(place)) {
      // Before it goes: nothing can make it again with all that was on it.
      const reason = 'the plan deleted it, and a deleted link cannot be made again'
      const run = () => Promise.reject(new NetloomError('EOPNOTSUPP', { operation: 'undo delete link', subject: ifname, reason }))
      await linkVerbs(scope).delete(index)
      this.#state.done.push({ undo: 'restore', in: place, what: `link ${ifname} (deleted)`, run })
      return
    }
    await linkVerbs(scope).delete(index)
    const made = this.#state.linkOf(link, place)
    if (made) this.#state.forget(made)
    const { done } = this.#state
    const known = done.findIndex(one => one.undo === 'link' && one.in === place && one.index === index)
    if (known >= 0) done.splice(known, 1)
  }

  #isOurs(link: PlanLinkRef): boolean {
    return this.#state.linkOf(link, this.#item.in) !== undefined
  }
}

/** A namespace as the live verbs take it. */
function sourceOf(scope: Scope): NamespaceSource {
  const { device, inode } = scope.handle
  return { device, inode, [held]: scope.handle, [scoped]: scope } as NamespaceSource
}

interface MadeBy {
  readonly index: number
  readonly name: string
  readonly peer?: { readonly link: { readonly index: number; readonly name: string } }
}
