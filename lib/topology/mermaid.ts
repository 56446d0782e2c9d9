// A topology as a Mermaid flowchart, which GitHub and GitLab draw: a box for each namespace, a line for each cable and each plug in a bridge.
import { graphOf, type Node } from './graph.js'
import type { Topology } from './topology.js'

const strokes = { cable: '===', plug: '---', on: '-.-' } as const
const brackets = { bridge: ['{{', '}}'], link: ['[', ']'] } as const

/**
 * The source of a Mermaid flowchart. Mermaid itself draws at most 500 lines unless it is told otherwise (`maxEdges`).
 *
 * @example
 * await writeFile('network.mmd', topologyMermaid(await readTopology([host, blue, green])))
 */
export function topologyMermaid(topology: Topology): string {
  const { clusters, outside, lines } = graphOf(topology)
  return [
    'flowchart LR',
    ...clusters.flatMap(({ id, label, nodes }) => [
      `  subgraph ${id}[${quote(label)}]`,
      ...nodes.map(node => `    ${nodeText(node)}`),
      '  end',
    ]),
    ...outside.map(node => `  ${nodeText(node)}`),
    ...lines.map(({ sort, from, to }) => `  ${from} ${strokes[sort]} ${to}`),
    '',
  ].join('\n')
}

function nodeText({ id, label, shape }: Node): string {
  const [open, close] = brackets[shape]
  return `${id}${open}${quote(label)}${close}`
}

/** Everything but letters, digits and harmless punctuation goes in by number: names may hold quotes, brackets, tags and Markdown, '1. ' being a list. */
const quote = (lines: readonly string[]) =>
  `"${lines.map(line => line.replace(/[^\p{L}\p{N} .:/,-]|[.-](?= )/gu, character => `#${character.codePointAt(0)};`)).join('<br/>')}"`
