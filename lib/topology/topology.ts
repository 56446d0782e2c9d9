// What a picture shows: namespaces, their links, bridges with their ports, and the cables between them, as plain data.

/** What readTopology() found. Plain data: JSON keeps all of it. */
export interface Topology {
  readonly namespaces: readonly TopologyNamespace[]
  /** Every veth pair that has at least one end in these namespaces, once. */
  readonly cables: readonly Cable[]
}

export interface TopologyNamespace {
  /** 'net:[4026531956]': what the ends of cables refer to. */
  readonly id: string
  readonly name?: string
  /** It is the one that the reader itself was in. */
  readonly current: boolean
  /** In the order of their indexes. */
  readonly links: readonly TopologyLink[]
  readonly defaultRoutes: readonly DefaultRoute[]
}

export interface TopologyLink {
  readonly index: number
  readonly name: string
  /** 'veth', 'bridge' …; hardware and loopback have none. */
  readonly kind?: string
  /** 'ether', 'loopback', 'none' … */
  readonly type: string
  readonly mac?: string
  /** Largest payload of a frame, in bytes. */
  readonly mtu: number
  readonly up: boolean
  readonly carrier: boolean
  /** '10.0.1.2/24' */
  readonly addresses: readonly string[]
  /** The bridge that it is plugged into. */
  readonly master?: string
  /** What is plugged into this bridge. */
  readonly ports?: readonly string[]
  /** The device of the same namespace that it sits on, as a vlan and a macvlan do. */
  readonly lower?: string
}

export interface DefaultRoute {
  readonly family: 4 | 6
  /** Address of the next router. */
  readonly via?: string
  readonly link?: string
}

/** A veth pair. */
export interface Cable {
  readonly ends: readonly [CableEnd, CableEnd]
}

export interface CableEnd {
  /** Its id, which is that of one of the topology's namespaces unless the end is elsewhere; absent when nobody can tell where it is. */
  readonly namespace?: string
  /** The name of that namespace. */
  readonly namespaceName?: string
  readonly link: string
}

/** What to call a namespace in a picture. */
export function titleOf({ name, current, id }: Pick<TopologyNamespace, 'name' | 'current' | 'id'>): string {
  return name ?? (current ? 'this namespace' : id)
}

/** What to call the namespace of a cable's end. */
export const placeOf = ({ namespace, namespaceName }: CableEnd): string => namespaceName ?? namespace ?? 'an unknown namespace'

/** Addresses worth a place in a picture: every IPv6 link has a link-local one, every loopback 127.0.0.1 and ::1. */
export const shownAddresses = ({ addresses }: TopologyLink): string[] =>
  addresses.filter(address => !/^fe[89ab]/.test(address) && address !== '127.0.0.1/8' && address !== '::1/128')

/** 'down', 'no carrier', or nothing to say. */
export function troubleOf({ up, carrier }: TopologyLink): string | undefined {
  if (!up) return 'down'
  return carrier ? undefined : 'no carrier'
}

/** 'default via 10.0.1.1' */
export const routeText = ({ via, link }: DefaultRoute): string =>
  ['default', via && `via ${via}`, !via && link && `dev ${link}`].filter(Boolean).join(' ')

/** The lines that say what a link is, its name first. */
export function describeLink(link: TopologyLink): string[] {
  const { name, kind } = link
  // A cable says "veth" by itself.
  const facts = [kind === 'veth' ? undefined : kind?.replace(/^other:/, ''), ...shownAddresses(link), troubleOf(link)]
  return [name, ...facts.filter(fact => fact !== undefined)]
}

export const isLoopback = ({ type }: TopologyLink): boolean => type === 'loopback'
