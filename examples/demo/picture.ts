// The demo's last look: everything that it made, read back from the kernel and drawn.
import { type Namespace, readTopology, type Topology, topologyMermaid, topologyText } from 'netloom'
import type { Network } from './bridge.js'
import { coloured, faint, heading, indented, say, step, thousands } from './show.js'

/** More than these make a picture that nobody looks at. */
const mostDrawn = 40
const drawnOfMany = 8

export async function drawPicture(pair: readonly Namespace[], { host, members }: Network): Promise<void> {
  heading('What is there now, read back from the kernel')
  const topology = await readTopology([...pair, host, ...members.map(({ namespace }) => namespace)])
  const links = topology.namespaces.reduce((sum, namespace) => sum + namespace.links.length, 0)
  const { namespaces, cables } = topology
  step(`${thousands(namespaces.length)} namespaces, ${thousands(links)} links, ${thousands(cables.length)} cables`)
  const few = members.length <= mostDrawn
  const drawn = few ? topology : part(topology, new Set(members.slice(drawnOfMany).map(({ namespace }) => String(namespace))))
  if (!few) say(`    ${faint(`the first ${drawnOfMany} of ${thousands(members.length)} are drawn`)}`)
  say()
  indented(topologyText(drawn, { colours: coloured }))
  say()
  step('the same for GitHub, GitLab and mermaid.live')
  say()
  indented(['```mermaid', topologyMermaid(drawn), '```'].join('\n').replaceAll('\n\n', '\n'))
}

/** A topology is plain data: here without some namespaces, and without the ports that lead to them. */
function part({ namespaces, cables }: Topology, without: ReadonlySet<string>): Topology {
  const isGone = (namespace: string | undefined) => namespace !== undefined && without.has(namespace)
  const gone = cables.filter(({ ends }) => ends.some(({ namespace }) => isGone(namespace)))
  const ports = new Set(gone.flatMap(({ ends }) => ends.map(({ namespace, link }) => `${namespace} ${link}`)))
  return {
    namespaces: namespaces
      .filter(({ id }) => !isGone(id))
      .map(namespace => ({ ...namespace, links: namespace.links.filter(({ name }) => !ports.has(`${namespace.id} ${name}`)) })),
    cables: cables.filter(cable => !gone.includes(cable)),
  }
}
