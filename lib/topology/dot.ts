// A topology in DOT, the language of Graphviz: a cluster for each namespace, a line for each cable and each plug in a bridge.
import { graphOf, type Node } from './graph.js'
import type { Topology } from './topology.js'

const styles = { cable: ' [style=bold]', plug: '', on: ' [style=dotted]' } as const

/**
 * The source of an undirected Graphviz graph.
 *
 * @example
 * await writeFile('network.dot', topologyDot(await readTopology([host, blue, green]))) // then: dot -Tsvg network.dot
 */
export function topologyDot(topology: Topology): string {
  const { clusters, outside, lines } = graphOf(topology)
  return [
    'graph netloom {',
    '  graph [rankdir=LR]',
    '  node [shape=box]',
    ...clusters.flatMap(({ id, label, nodes }) => [
      `  subgraph cluster_${id} {`,
      `    label=${quote(label)}`,
      ...nodes.map(node => `    ${nodeText(node)}`),
      // A cluster without any node is not drawn.
      ...(nodes.length === 0 ? [`    ${id} [style=invis]`] : []),
      '  }',
    ]),
    ...outside.map(node => `  ${nodeText(node, ', style=dashed')}`),
    ...lines.map(({ sort, from, to }) => `  ${from} -- ${to}${styles[sort]}`),
    '}',
    '',
  ].join('\n')
}

const nodeText = ({ id, label, shape }: Node, style = '') =>
  `${id} [label=${quote(label)}${shape === 'bridge' ? ', shape=hexagon' : ''}${style}]`

/** Graphviz reads backslashes, HTML entities and line ends in quoted text. */
const quote = (lines: readonly string[]) =>
  `"${lines
    .map(line =>
      line
        .replace(/\p{Cc}/gu, ' ')
        .replaceAll('&', '&amp;')
        .replaceAll('\\', '\\\\')
        .replaceAll('"', '\\"'),
    )
    .join('\\n')}"`
