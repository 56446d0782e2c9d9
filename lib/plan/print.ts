// A plan as the `ip` commands that would do the same, in the order in which it was said.
import { labelOfNamespace } from './check-world.js'
import type { ActionOf, Item, NamespaceRef, PlanData, PlanLinkRef } from './items.js'
import { addressWords, neighbourWords, routeWords, ruleWords } from './print-entry.js'
import { fieldWords, portWordsOf, type Said, typeWords } from './print-link.js'

/** What a plan's link is called now, where it is and what it is. */
interface Named {
  name: string
  home: number
  readonly kind?: string
}
interface End {
  readonly name?: string
  readonly up?: boolean
  readonly alias?: string
  readonly altNames?: readonly string[]
  readonly ipv6?: PlanData['ipv6']
  readonly port?: object
  readonly master?: PlanLinkRef | null
  readonly namespace?: NamespaceRef
  readonly link?: PlanLinkRef
  readonly options?: unknown
}
type In<V extends Item['verb']> = ActionOf<V> & Pick<Item, 'in' | 'path'>

/** A word as sh takes it for one. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$|^\$\$$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
/** `ip` takes a name of letters alone for one of its own words. */
const announced = (word: string, name: string) => (name !== 'lo' && /^[a-z]+$/i.test(name) ? [word, name] : [name])

export function print(data: PlanData): string {
  return new Printer(data).print()
}

class Printer {
  readonly #data: PlanData
  readonly #lines: string[] = []
  readonly #made = new Map<number, { readonly main: Named; readonly peer?: Named }>()
  /** 'number name' → the link of the plan that has it. */
  readonly #byName = new Map<string, Named>()

  constructor(data: PlanData) {
    this.#data = data
  }

  print(): string {
    for (const [number, item] of this.#data.namespaces.entries()) {
      if (!('make' in item)) continue
      this.#line(['ip', 'netns', 'add', this.#nameOf(number)], item.make.name === undefined ? 'has no name' : undefined)
      if (item.make.loopback) this.#ip(number, ['link', 'set', 'lo', 'up'])
    }
    for (const [number, item] of this.#data.items.entries()) (this.#verbs[item.verb] as (item: Item, number: number) => void)(item, number)
    return this.#lines.length ? `${this.#lines.join('\n')}\n` : ''
  }

  readonly #verbs: { readonly [V in Item['verb']]: (item: In<V>, number: number) => void } = {
    'links.create': (item, number) => this.#create(item, number),
    'links.update': item => this.#update(item),
    'links.move': item => {
      const link = this.#linkOf(item.link, item.in)
      const { name } = item.options ?? {}
      this.#ip(item.in, [
        'link',
        'set',
        ...announced('dev', this.#text(item.link, item.in)),
        'netns',
        this.#reference(item.to.number),
        ...(name === undefined ? [] : ['name', name]),
      ])
      if (link) this.#place(link, item.to.number, name ?? link.name)
    },
    'links.delete': item => this.#ip(item.in, ['link', 'delete', ...announced('dev', this.#text(item.link, item.in))]),
    'addresses.add': item => this.#address('add', item),
    'addresses.replace': item => this.#address('replace', item),
    'addresses.delete': item => this.#address('delete', item),
    'routes.add': item => this.#route('add', item),
    'routes.replace': item => this.#route('replace', item),
    'routes.delete': item => this.#route('delete', item),
    'neighbours.add': item => this.#neighbour('add', item),
    'neighbours.replace': item => this.#neighbour('replace', item),
    'neighbours.delete': item => this.#neighbour('delete', item),
    'rules.add': item => this.#rule('add', item),
    'rules.delete': item => this.#rule('delete', item),
    'sysctl.set': ({ in: here, key, value }) => this.#sysctl(here, key, value),
  }

  #create({ spec, path, in: here }: In<'links.create'>, number: number): void {
    const { kind } = spec
    const given = spec as End & { readonly peer?: End }
    const home = given.namespace?.number ?? here
    const main: Named = { name: given.name ?? path, home, kind }
    const peerHome = given.peer?.namespace?.number ?? here
    const peer: Named | undefined = kind === 'veth' ? { name: given.peer?.name ?? `${path}.peer`, home: peerHome, kind } : undefined
    const lower = given.link === undefined ? [] : [kind === 'vxlan' ? 'dev' : 'link', this.#text(given.link, here)]
    const said = typeWords(kind, given.options)
    const words = [...(kind === 'tun' ? tunWords(given) : this.#addWords(given, home === here ? [] : ['netns', this.#reference(home)]))]
    if (kind === 'tun') this.#ip(here, words)
    else {
      const at = kind === 'vxlan' ? [] : lower
      words.splice(2, 0, ...at)
      const rest = [...said.words, ...(kind === 'vxlan' ? lower : []), ...(given.peer ? this.#peerWords(given.peer, here) : [])]
      this.#ip(here, [...words, ...rest], said.unsaid)
    }
    this.#made.set(number, { main, ...(peer && { peer }) })
    this.#place(main, home, main.name)
    if (peer) this.#place(peer, peerHome, peer.name)
    this.#settle(main, given)
    if (peer) this.#settle(peer, given.peer ?? {})
  }

  /** What `ip link add` does not take, or not for the peer. */
  #settle({ name, home }: Named, end: End): void {
    const ipv6 = end.ipv6 ?? this.#data.ipv6
    this.#policy(home, name, ipv6 === 'kernel' ? undefined : ipv6)
    const set = [
      ...(end.master === undefined || end.master === null ? [] : ['master', this.#text(end.master, home)]),
      ...(end.alias ? ['alias', end.alias] : []),
      ...(end.up ? ['up'] : []),
    ]
    if (set.length) this.#ip(home, ['link', 'set', ...announced('dev', name), ...set])
    this.#port(home, name, end)
    this.#altNames(home, name, end)
  }

  #addWords(end: End, netns: readonly string[]): string[] {
    return ['link', 'add', ...(end.name === undefined ? [] : announced('name', end.name)), ...fieldWords(end as never), ...netns]
  }

  #peerWords(end: End, here: number): string[] {
    const name = end.name === undefined ? [] : ['name', end.name]
    const home = end.namespace?.number ?? here
    const words = [...name, ...fieldWords(end as never), ...(home === here ? [] : ['netns', this.#reference(home)])]
    return words.length ? ['peer', ...words] : []
  }

  #update({ link, change, in: here }: In<'links.update'>): void {
    const end = change as End
    const named = this.#linkOf(link, here)
    const before = this.#text(link, here)
    this.#policy(here, before, end.ipv6)
    const set = [
      ...fieldWords(change as never),
      ...(end.master === undefined ? [] : end.master === null ? ['nomaster'] : ['master', this.#text(end.master, here)]),
      ...(end.alias === undefined ? [] : ['alias', end.alias]),
      ...(end.name === undefined ? [] : ['name', end.name]),
      ...(end.up === undefined ? [] : [end.up ? 'up' : 'down']),
    ]
    if (set.length) this.#ip(here, ['link', 'set', ...announced('dev', before), ...set])
    if (named && end.name !== undefined) this.#place(named, here, end.name)
    const name = end.name ?? before
    if (end.options !== undefined) {
      const { words, unsaid } = named?.kind ? typeWords(named.kind, end.options) : { words: ['type', '?'], unsaid: ['options'] }
      this.#ip(here, ['link', 'set', ...announced('dev', name), ...words], unsaid)
    }
    this.#port(here, name, end)
    this.#altNames(here, name, end)
  }

  #policy(here: number, name: string, policy: PlanData['ipv6'] | undefined): void {
    if (policy === undefined) return
    if (policy !== 'none') this.#ip(here, ['link', 'set', ...announced('dev', name), 'addrgenmode', policy === 'static' ? 'none' : 'eui64'])
    else this.#sysctl(here, `net/ipv6/conf/${name}/disable_ipv6`, 1)
  }

  #port(here: number, name: string, { port }: End): void {
    if (!port || !Object.keys(port).length) return
    const { words, unsaid } = portWordsOf(port)
    this.#ip(here, ['link', 'set', ...announced('dev', name), ...words], unsaid)
  }

  #altNames(here: number, name: string, { altNames }: End): void {
    if (altNames?.length) this.#ip(here, ['link', 'property', 'add', 'dev', name, ...altNames.flatMap(one => ['altname', one])])
  }

  #address(what: string, { link, cidr, options, in: here }: In<'addresses.add'>): void {
    const isVeth = this.#linkOf(link, here)?.kind === 'veth'
    this.#ip(here, ['address', what, ...addressWords(cidr, options, this.#text(link, here), isVeth && what !== 'delete')])
  }

  #route(what: string, { route, in: here }: In<'routes.add'>): void {
    this.#said(
      here,
      ['route', what],
      routeWords(route, ref => this.#text(ref, here)),
    )
  }

  #neighbour(what: string, { entry, in: here }: In<'neighbours.add'>): void {
    this.#ip(here, ['neighbour', what, ...neighbourWords(entry, this.#text(entry.link ?? '', here), what === 'delete')])
  }

  #rule(what: string, { rule, in: here }: In<'rules.add'>): void {
    this.#said(here, ['rule', what], ruleWords(rule))
  }

  /** With `-6` in front of the object where only that says which family is meant. */
  #said(here: number, command: readonly string[], { words, ipv6, unsaid }: Said & { readonly ipv6: boolean }): void {
    this.#ip(here, [...(ipv6 ? ['-6'] : []), ...command, ...words], unsaid)
  }

  #sysctl(here: number, key: string, value: string | number): void {
    const inside = this.#enter(here) ?? (this.#isCurrent(here) ? [] : ['ip', 'netns', 'exec', this.#nameOf(here)])
    this.#line([...inside, 'sysctl', '-qw', `${key}=${value}`])
  }

  #ip(here: number, words: readonly string[], unsaid: readonly string[] = []): void {
    const enter = this.#enter(here)
    const inside = enter ? [...enter, 'ip'] : ['ip', ...(this.#isCurrent(here) ? [] : ['-n', this.#nameOf(here)])]
    this.#line([...inside, ...words], unsaid.length ? `cannot say ${unsaid.join(', ')}` : undefined)
  }

  /** The way into a namespace that `ip` knows no name for. */
  #enter(here: number): string[] | undefined {
    const item = this.#data.namespaces[here]!
    if (!('use' in item)) return undefined
    if ('path' in item.use) return ['nsenter', `--net=${item.use.path}`]
    return 'pid' in item.use ? ['nsenter', '--net', '--target', String(item.use.pid)] : undefined
  }

  #line(words: readonly string[], note?: string): void {
    this.#lines.push(`${words.map(quoted).join(' ')}${note === undefined ? '' : ` # ${note}`}`)
  }

  #isCurrent(here: number): boolean {
    const item = this.#data.namespaces[here]!
    return 'use' in item && 'current' in item.use
  }

  #nameOf(number: number): string {
    return labelOfNamespace(this.#data.namespaces[number]!, number)
  }

  /** As the argument of `netns`: a name, a file or a process. */
  #reference(number: number): string {
    const item = this.#data.namespaces[number]!
    if ('use' in item && 'pid' in item.use) return String(item.use.pid)
    // The shell that runs the commands.
    return this.#isCurrent(number) ? '$$' : this.#nameOf(number)
  }

  #linkOf(ref: PlanLinkRef, here: number): Named | undefined {
    if (typeof ref !== 'object') return this.#byName.get(`${here} ${ref}`)
    const both = this.#made.get(ref.item)
    return ref.peer ? both?.peer : both?.main
  }

  #text(ref: PlanLinkRef, here: number): string {
    if (typeof ref === 'object') return this.#linkOf(ref, here)?.name ?? '?'
    return typeof ref === 'number' ? `if${ref}` : ref
  }

  #place(link: Named, home: number, name: string): void {
    this.#byName.delete(`${link.home} ${link.name}`)
    link.home = home
    link.name = name
    this.#byName.set(`${home} ${name}`, link)
  }
}

function tunWords({ name, options }: End): string[] {
  const { type, owner, group, pi, vnetHdr, multiQueue } = options as Readonly<Record<string, unknown>>
  const switches = { pi, vnet_hdr: vnetHdr, multi_queue: multiQueue }
  return [
    ...['tuntap', 'add', ...(name === undefined ? [] : ['dev', name]), 'mode', String(type)],
    ...Object.entries({ user: owner, group }).flatMap(([word, value]) => (value === undefined ? [] : [word, String(value)])),
    ...Object.entries(switches).flatMap(([word, value]) => (value ? [word] : [])),
  ]
}
