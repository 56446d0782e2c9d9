// Reading a topology back from the kernel: what is really there, not what somebody meant to build.
import { argumentError, shown } from '../codec/errors.js'
import type { Link } from '../kernel/link-object.js'
import { Namespace } from '../kernel/namespace.js'
import { formatIdentity } from '../namespace/info.js'
import { NetloomError } from '../socket/error.js'
import type { Cable, CableEnd, DefaultRoute, Topology, TopologyLink, TopologyNamespace } from './topology.js'

/** Namespaces, and cables of one of them, that are read at a time. */
const atOnce = 32

/**
 * Reads what is in these namespaces and how they are connected. What changes meanwhile may be seen half; a link that vanishes is left out.
 *
 * @example
 * const topology = await readTopology([Namespace.current(), blue, green])
 * console.log(topologyText(topology))
 */
export async function readTopology(namespaces: Iterable<Namespace>): Promise<Topology> {
  const given = [...checked(namespaces)]
  const distinct = new Map(given.map(namespace => [idOf(namespace), namespace]))
  const current = String(await Namespace.identify('self'))
  const read = await inBatches([...distinct.values()], async namespace => ({ namespace, links: await namespace.links.list() }))
  return {
    namespaces: await inBatches(read, ({ namespace, links }) => describe(namespace, links, idOf(namespace) === current)),
    cables: await readCables(read),
  }
}

function* checked(namespaces: Iterable<Namespace>): Generator<Namespace> {
  const refuse = (value: unknown, path: string) =>
    argumentError('ERR_NETLOOM_INVALID_NAMESPACE', `${shown(value)} is not an open namespace: Namespace.open() gives one`, path)
  if (typeof namespaces !== 'object' || namespaces === null || !(Symbol.iterator in namespaces)) throw refuse(namespaces, 'namespaces')
  let number = 0
  for (const namespace of namespaces) {
    if (!(namespace instanceof Namespace)) throw refuse(namespace, `namespaces[${number}]`)
    number++
    yield namespace
  }
}

interface Read {
  readonly namespace: Namespace
  readonly links: readonly Link[]
}

async function describe(namespace: Namespace, links: readonly Link[], current: boolean): Promise<TopologyNamespace> {
  const [addresses, routes] = await Promise.all([namespace.addresses.list(), namespace.routes.list({ table: 'main' })])
  const names = new Map(links.map(({ index, name }) => [index, name]))
  const nameOf = (index: number | undefined) => (index === undefined ? undefined : names.get(index))
  const defaultRoutes = routes
    .filter(({ to }) => to === 'default')
    .flatMap(({ family, via, link, nexthops }): DefaultRoute[] =>
      (nexthops ?? [{ via, link }]).map(hop => ({ family, ...present({ via: hop.via, link: nameOf(hop.link) }) })),
    )
  return {
    id: idOf(namespace),
    ...present({ name: namespace.name }),
    current,
    links: [...links]
      .sort((a, b) => a.index - b.index)
      .map((link): TopologyLink => {
        const { index, name, kind, type, mac, mtu, up, carrier } = link
        const ports = kind === 'bridge' ? links.filter(({ master }) => master === index).map(port => port.name) : undefined
        // A veth's `link` is its peer, which a cable shows.
        const lower = kind === 'veth' || link.linkNsid !== undefined ? undefined : nameOf(link.link)
        return {
          ...{ index, name, type, mtu, up, carrier },
          addresses: addresses.filter(address => address.link === index).map(({ cidr }) => cidr),
          ...present({ kind, mac, master: nameOf(link.master), ports, lower }),
        }
      }),
    defaultRoutes,
  }
}

async function readCables(read: readonly Read[]): Promise<Cable[]> {
  const found: Cable[] = []
  const done = new Set<string>()
  const key = (id: string | undefined, index: number) => `${id} ${index}`
  const vethsOf = ({ links }: Read) => links.filter(({ kind }) => kind === 'veth')
  // The namespace with the most ends first: the others are then known without another search through all namespaces.
  for (const one of [...read].sort((a, b) => vethsOf(b).length - vethsOf(a).length)) {
    const here = one.namespace
    const ends = vethsOf(one).filter(({ index }) => !done.has(key(idOf(here), index)))
    const peers = await inBatches(ends, async link => ({ link, peer: await peerOf(here, link) }))
    for (const { link, peer } of peers) {
      if (peer === undefined || done.has(key(idOf(here), link.index))) continue
      const { namespace: there } = peer
      const id = there && formatIdentity(there.inode)
      if (id !== undefined) done.add(key(id, peer.link.index))
      const name = read.find(({ namespace }) => idOf(namespace) === id)?.namespace.name ?? there?.name
      found.push({ ends: [end(idOf(here), here.name, link.name), end(id, name, peer.link.name)] })
    }
  }
  return found
}

const end = (namespace: string | undefined, namespaceName: string | undefined, link: string): CableEnd => ({
  ...present({ namespace, namespaceName }),
  link,
})

async function peerOf(namespace: Namespace, link: Link) {
  try {
    return await namespace.links.peer(link)
  } catch (error) {
    // The pair, or the namespace of its other end, was removed since the links were listed.
    if (error instanceof NetloomError && error.code === 'ENODEV') return undefined
    throw error
  }
}

const idOf = (namespace: Namespace): string => String(namespace)

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
/** Without what is undefined: toEqual, JSON and a look at the data then agree. */
const present = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let i = 0; i < items.length; i += atOnce) results.push(...(await Promise.all(items.slice(i, i + atOnce).map(work))))
  return results
}
