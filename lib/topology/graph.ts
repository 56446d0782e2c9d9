// A topology as the nodes and lines that every drawing language has: the parts that Mermaid and DOT share.
import { type CableEnd, describeLink, isLoopback, placeOf, routeText, type Topology, titleOf } from './topology.js'

export interface Graph {
  readonly clusters: readonly Cluster[]
  /** Ends of cables in namespaces that are not in the topology. */
  readonly outside: readonly Node[]
  readonly lines: readonly Line[]
}
export interface Cluster {
  readonly id: string
  readonly label: readonly string[]
  readonly nodes: readonly Node[]
}
export interface Node {
  /** Letters, digits and '_' only, whatever the link is called. */
  readonly id: string
  readonly label: readonly string[]
  readonly shape: 'bridge' | 'link'
}
/** 'cable': a veth pair; 'plug': a port and its bridge; 'on': a vlan or a macvlan and the device that it sits on. */
export interface Line {
  readonly sort: 'cable' | 'plug' | 'on'
  readonly from: string
  readonly to: string
}

export function graphOf(topology: Topology): Graph {
  const ids = new Map<string, string>()
  const idOf = (namespace: string | undefined, link: string) => ids.get(JSON.stringify([namespace, link]))
  const lines: Line[] = []
  const draw = (sort: Line['sort'], from: string | undefined, to: string | undefined) => {
    if (from !== undefined && to !== undefined) lines.push({ sort, from, to })
  }
  // Loopback devices are connected to nothing.
  const drawn = topology.namespaces.map(namespace => ({ ...namespace, links: namespace.links.filter(link => !isLoopback(link)) }))
  drawn.forEach(({ id, links }, i) => {
    for (const { name, index } of links) ids.set(JSON.stringify([id, name]), `n${i}_${index}`)
  })
  const clusters = drawn.map((namespace, i) => {
    const nodes = namespace.links.map((link): Node => {
      const id = `n${i}_${link.index}`
      if (link.master !== undefined) draw('plug', idOf(namespace.id, link.master), id)
      if (link.lower !== undefined) draw('on', idOf(namespace.id, link.lower), id)
      return { id, label: describeLink(link), shape: link.kind === 'bridge' ? 'bridge' : 'link' }
    })
    return { id: `n${i}`, label: [titleOf(namespace), ...namespace.defaultRoutes.map(routeText)], nodes }
  })
  const outside: Node[] = []
  const nodeOf = (end: CableEnd): string => {
    const known = idOf(end.namespace, end.link)
    if (known !== undefined) return known
    const id = `elsewhere_${outside.length}`
    outside.push({ id, label: [end.link, `in ${placeOf(end)}`], shape: 'link' })
    return id
  }
  for (const { ends } of topology.cables) draw('cable', nodeOf(ends[0]), nodeOf(ends[1]))
  return { clusters, outside, lines }
}
