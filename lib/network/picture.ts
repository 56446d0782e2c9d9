// The picture of a network: what the kernel has of its bridge, its endpoints' cables and interfaces, and nothing else of their namespaces.
import type { Namespace } from '../kernel/namespace.js'
import { readTopology } from '../topology/read.js'
import type { Topology, TopologyNamespace } from '../topology/topology.js'
import { openRecorded } from './namespaces.js'
import type { EndpointRecord, NetworkRecord } from './records.js'

/** Reads the part of the machine that a network is. Endpoints whose namespaces cannot be opened any more are left out. */
export async function networkTopology(host: Namespace, { device }: NetworkRecord, endpoints: readonly EndpointRecord[]): Promise<Topology> {
  const opened: { readonly record: EndpointRecord; readonly namespace: Namespace }[] = []
  try {
    for (const record of endpoints) {
      const namespace = await openRecorded(record.namespace)
      if (namespace) opened.push({ record, namespace })
    }
    const { namespaces, cables } = await readTopology([host, ...opened.map(one => one.namespace)])
    const hostId = String(host)
    const ends = new Set(opened.map(({ record }) => record.hostInterface))
    const only = (one: TopologyNamespace): TopologyNamespace => {
      if (one.id === hostId) return { ...one, links: one.links.filter(({ name }) => name === device?.name || ends.has(name)) }
      const record = opened.find(({ namespace }) => String(namespace) === one.id)?.record
      const defaultRoutes = one.defaultRoutes.filter(({ link }) => link === record?.interface)
      return {
        ...one,
        ...(record?.name !== undefined && { name: record.name }),
        defaultRoutes,
        links: one.links.filter(({ name }) => name === record?.interface),
      }
    }
    return {
      namespaces: namespaces.map(only),
      cables: cables.filter(cable => cable.ends.some(end => end.namespace === hostId && ends.has(end.link))),
    }
  } finally {
    for (const { namespace } of opened) await namespace.close()
  }
}
