// A topology as text for a terminal: a box for each namespace, its links as a tree, and the cables that leave it.
import { styleText } from 'node:util'
import {
  type CableEnd,
  describeLink,
  isLoopback,
  placeOf,
  routeText,
  type Topology,
  type TopologyLink,
  type TopologyNamespace,
  titleOf,
} from './topology.js'

export interface TopologyTextOptions {
  /** Adds colours, for terminals. Default false. */
  readonly colours?: boolean
}

/**
 * Draws a topology with lines and boxes. A namespace that has one cable and nothing else stands at the end of that cable; all others have a
 * box. Link-local addresses are left out, since every link has one.
 *
 * @example
 * process.stdout.write(topologyText(await readTopology([host, blue, green]), { colours: process.stdout.isTTY }))
 */
export function topologyText(topology: Topology, { colours = false }: TopologyTextOptions = {}): string {
  const ends = endsOf(topology)
  const folded = foldedOf(topology, ends)
  const paint: Paint = (format, text) => (colours ? styleText(format, text, { validateStream: false }) : text)
  const boxes = topology.namespaces
    .filter(({ id }) => !folded.has(id))
    .map(namespace => box(namespace, rowsOf(namespace, ends, farOf(topology, folded)), paint))
  return boxes.map(lines => `${lines.join('\n')}\n`).join('\n')
}

type Paint = (format: Parameters<typeof styleText>[0], text: string) => string
/** What is at the other end, by namespace and link. */
type Ends = ReadonlyMap<string, CableEnd>
interface Row {
  readonly tree: string
  readonly name: string
  readonly facts: string
  /** The other end of the cable: where it is, and what is known of it there. */
  readonly far?: { readonly place: string; readonly facts: readonly string[] }
}

const keyOf = (namespace: string | undefined, link: string) => JSON.stringify([namespace, link])

function endsOf({ cables }: Topology): Ends {
  return new Map(
    cables.flatMap(({ ends: [a, b] }) => [
      [keyOf(a.namespace, a.link), b],
      [keyOf(b.namespace, b.link), a],
    ]),
  )
}

/** The namespaces that need no box of their own. Of two that only have each other, the first has the box. */
function foldedOf({ namespaces }: Topology, ends: Ends): Set<string> {
  const order = new Map(namespaces.map(({ id }, i) => [id, i]))
  const onlyPeer = ({ id, links }: TopologyNamespace) => {
    const [only, ...more] = links.filter(link => !isLoopback(link))
    const place = only && more.length === 0 ? ends.get(keyOf(id, only.name))?.namespace : undefined
    return place === id ? undefined : order.get(place ?? '')
  }
  const isFolded = (namespace: TopologyNamespace, i: number) => {
    const peer = onlyPeer(namespace)
    return peer !== undefined && (peer < i || onlyPeer(namespaces[peer]!) === undefined)
  }
  return new Set(namespaces.filter(isFolded).map(({ id }) => id))
}

function farOf(topology: Topology, folded: ReadonlySet<string>) {
  const known = new Map(topology.namespaces.map(namespace => [namespace.id, namespace]))
  return (end: CableEnd, here: TopologyNamespace): NonNullable<Row['far']> => {
    const namespace = known.get(end.namespace ?? '')
    const link = namespace?.links.find(({ name }) => name === end.link)
    if (!namespace || !link) return { place: safe(placeOf(end)), facts: [safe(end.link)] }
    const routes = folded.has(namespace.id) ? namespace.defaultRoutes.map(routeText) : []
    return { place: namespace === here ? 'here' : safe(titleOf(namespace)), facts: [...describeLink(link), ...routes].map(safe) }
  }
}

function rowsOf(namespace: TopologyNamespace, ends: Ends, far: ReturnType<typeof farOf>): Row[] {
  const { id, links, defaultRoutes } = namespace
  const row = (link: TopologyLink, tree: string): Row => {
    const [name = '', ...facts] = describeLink(link).map(safe)
    const other = ends.get(keyOf(id, link.name))
    return { tree, name, facts: facts.join('  '), ...(other && { far: far(other, namespace) }) }
  }
  const isInside = ({ master, lower }: TopologyLink) => links.some(({ name }) => name === (master ?? lower))
  const branch = (link: TopologyLink, tree: string, above: string): Row[] => {
    const inside = links.filter(({ master, lower }) => (master ?? lower) === link.name)
    const more = inside.flatMap((child, i) => {
      const last = i === inside.length - 1
      return branch(child, `${above}${last ? '└─ ' : '├─ '}`, `${above}${last ? '   ' : '│  '}`)
    })
    return [row(link, tree), ...more]
  }
  return [
    ...links.filter(link => !isInside(link)).flatMap(link => branch(link, '', '')),
    ...defaultRoutes.map(route => ({
      tree: '',
      name: safe([routeText(route), route.via && route.link && `dev ${route.link}`].filter(Boolean).join(' ')),
      facts: '',
    })),
  ]
}

function box({ id, ...namespace }: TopologyNamespace, rows: readonly Row[], paint: Paint): string[] {
  const title = safe(titleOf({ id, ...namespace }))
  const identity = title === id ? '' : `  ${id}`
  const column = Math.max(0, ...rows.filter(({ facts }) => facts !== '').map(({ tree, name }) => widthOf(tree + name))) + 2
  const lengthOf = ({ tree, name, facts }: Row) => (facts === '' ? widthOf(tree + name) : column + widthOf(facts))
  const inner = Math.max(widthOf(title + identity) + 1, ...rows.map(lengthOf)) + 1
  const places = Math.max(0, ...rows.map(({ far }) => widthOf(far?.place ?? '')))
  // The other ends in columns, as they mostly have the same sorts of facts.
  const farColumn = (i: number) => Math.max(0, ...rows.map(({ far }) => widthOf(far?.facts[i] ?? '')))
  const inColumns = (facts: readonly string[]) =>
    facts.map((fact, i) => (i === facts.length - 1 ? fact : fact + ' '.repeat(farColumn(i) - widthOf(fact)))).join('  ')
  const line = (text: string) => paint('gray', text)
  const body = rows.map(row => {
    const { tree, name, facts, far } = row
    const gap = facts === '' ? '' : ' '.repeat(column - widthOf(tree + name))
    const left = `${line(tree)}${name}${gap}${paint('cyan', facts)}`
    const room = inner - lengthOf(row)
    if (!far) return `${line('│')} ${left}${' '.repeat(room)}${line('│')}`
    const place = `${paint('bold', far.place)}${' '.repeat(places - widthOf(far.place))}`
    return `${line('│')} ${left}${line(` ${'─'.repeat(room - 1)}┼───`)} ${place}  ${paint('cyan', inColumns(far.facts))}`
  })
  return [
    `${line('┌─')} ${paint('bold', title)}${line(identity)} ${line(`${'─'.repeat(inner - 2 - widthOf(title + identity))}┐`)}`,
    ...body,
    line(`└${'─'.repeat(inner + 1)}┘`),
  ]
}

/** Names may hold whatever others put there: what a terminal would obey, or turn around, is spelt out. */
const safe = (text: string) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, character => `\\u{${character.codePointAt(0)?.toString(16)}}`)

const wide = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/gu
/** Columns on a terminal, as far as the usual ones agree. */
const widthOf = (text: string) => [...text.replace(/\p{Mn}/gu, '').replace(wide, '  ')].length
