// Pictures of fixed topologies: text, Mermaid and DOT, also when names hold what those languages would read as their own.

import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { topologyDot } from '../../lib/topology/dot.js'
import { topologyMermaid } from '../../lib/topology/mermaid.js'
import { topologyText } from '../../lib/topology/text.js'
import type { Cable, Topology, TopologyLink, TopologyNamespace } from '../../lib/topology/topology.js'

const link = (index: number, name: string, fields: Partial<TopologyLink> = {}): TopologyLink => ({
  ...{ index, name, type: 'ether', mtu: 1500, up: true, carrier: true, addresses: [] },
  ...fields,
})
const loopback = link(1, 'lo', { type: 'loopback', mtu: 65_536, addresses: ['127.0.0.1/8', '::1/128'] })
const veth = (index: number, name: string, ...addresses: string[]) => link(index, name, { kind: 'veth', addresses })
const namespace = (number: number, fields: Partial<TopologyNamespace>): TopologyNamespace => ({
  ...{ id: `net:[${4026532000 + number}]`, current: false, links: [loopback], defaultRoutes: [] },
  ...fields,
})
const cable = (a: TopologyNamespace, from: string, b: TopologyNamespace, to: string): Cable => {
  const end = ({ id, name }: TopologyNamespace, link: string) => ({
    namespace: id,
    ...(name !== undefined && { namespaceName: name }),
    link,
  })
  return { ends: [end(a, from), end(b, to)] }
}

const blue = namespace(1, { name: 'blue', links: [loopback, veth(2, 'eth0', '10.0.0.1/24', 'fe80::1/64')] })
const green = namespace(2, { name: 'green', links: [loopback, veth(2, 'eth0', '10.0.0.2/24', 'fe80::2/64')] })
const pair: Topology = { namespaces: [blue, green], cables: [cable(blue, 'eth0', green, 'eth0')] }

const host = namespace(3, {
  current: true,
  links: [
    loopback,
    link(2, 'br0', { kind: 'bridge', addresses: ['10.0.1.254/24'], ports: ['web-1', 'web-2', 'tap0'] }),
    link(3, 'web-1', { kind: 'veth', master: 'br0' }),
    link(4, 'web-2', { kind: 'veth', master: 'br0' }),
    link(5, 'tap0', { kind: 'tun', master: 'br0', up: false, carrier: false }),
    link(6, 'out', { kind: 'veth' }),
    link(7, 'out.5', { kind: 'vlan', lower: 'out', addresses: ['10.0.5.1/24'], carrier: false }),
  ],
  defaultRoutes: [{ family: 4, via: '10.0.1.1', link: 'br0' }],
})
const defaultRoutes = [{ family: 4, via: '10.0.1.254', link: 'eth0' }] as const
const web1 = namespace(4, { name: 'web-1', links: [loopback, veth(2, 'eth0', '10.0.1.1/24')], defaultRoutes })
const web2 = namespace(5, { links: [loopback, { ...veth(2, 'eth0', '10.0.1.2/24'), up: false }], defaultRoutes })
const bridge: Topology = {
  namespaces: [web1, host, web2],
  cables: [
    cable(host, 'web-1', web1, 'eth0'),
    cable(web2, 'eth0', host, 'web-2'),
    { ends: [{ namespace: host.id, link: 'out' }, { link: 'in' }] },
  ],
}

const lines = (text: string) => text.split('\n')

test('two namespaces and a cable as text', () => {
  expect(lines(topologyText(pair))).toEqual([
    '┌─ blue  net:[4026532001] ┐',
    '│ lo                      │',
    '│ eth0  10.0.0.1/24 ──────┼─── green  eth0  10.0.0.2/24',
    '└─────────────────────────┘',
    '',
  ])
})

test('a bridge as text: ports below it, what has one cable only at the end of that cable', () => {
  expect(lines(topologyText(bridge))).toEqual([
    '┌─ this namespace  net:[4026532003] ──────┐',
    '│ lo                                      │',
    '│ br0       bridge  10.0.1.254/24         │',
    '│ ├─ web-1 ───────────────────────────────┼─── web-1                 eth0  10.0.1.1/24  default via 10.0.1.254',
    '│ ├─ web-2 ───────────────────────────────┼─── net:[4026532005]      eth0  10.0.1.2/24  down                    default via 10.0.1.254',
    '│ └─ tap0   tun  down                     │',
    '│ out ────────────────────────────────────┼─── an unknown namespace  in',
    '│ └─ out.5  vlan  10.0.5.1/24  no carrier │',
    '│ default via 10.0.1.1 dev br0            │',
    '└─────────────────────────────────────────┘',
    '',
  ])
})

test('colours only when they are asked for', () => {
  const plain = topologyText(bridge)
  const coloured = topologyText(bridge, { colours: true })
  expect(stripVTControlCharacters(plain)).toBe(plain)
  expect(coloured).not.toBe(plain)
  expect(stripVTControlCharacters(coloured)).toBe(plain)
})

test('nothing at all is an empty text', () => {
  expect(topologyText({ namespaces: [], cables: [] })).toBe('')
})

test('every namespace is drawn, folded or not', () => {
  const ring = [1, 2, 3].map(number => namespace(number, { name: `r${number}`, links: [veth(2, 'left'), veth(3, 'right')] }))
  const [a, b, c] = ring as [TopologyNamespace, TopologyNamespace, TopologyNamespace]
  const cables = [cable(a, 'right', b, 'left'), cable(b, 'right', c, 'left'), cable(c, 'right', a, 'left')]
  expect(topologyText({ namespaces: ring, cables }).match(/┌─ r\d/g)).toEqual(['┌─ r1', '┌─ r2', '┌─ r3'])
  const both = namespace(4, { name: 'both', links: [veth(2, 'v0'), veth(3, 'v1')] })
  expect(topologyText({ namespaces: [both], cables: [cable(both, 'v0', both, 'v1')] })).toContain('┼─── here  v1')
  const alone = namespace(5, { name: 'alone', links: [veth(2, 'v0')] })
  expect(topologyText({ namespaces: [alone], cables: [] })).toContain('│ v0')
})

test('Mermaid: a box for each namespace, a line for each plug and each cable', () => {
  expect(lines(topologyMermaid(bridge))).toEqual([
    'flowchart LR',
    '  subgraph n0["web-1<br/>default via 10.0.1.254"]',
    '    n0_2["eth0<br/>10.0.1.1/24"]',
    '  end',
    '  subgraph n1["this namespace<br/>default via 10.0.1.1"]',
    '    n1_2{{"br0<br/>bridge<br/>10.0.1.254/24"}}',
    '    n1_3["web-1"]',
    '    n1_4["web-2"]',
    '    n1_5["tap0<br/>tun<br/>down"]',
    '    n1_6["out"]',
    '    n1_7["out.5<br/>vlan<br/>10.0.5.1/24<br/>no carrier"]',
    '  end',
    '  subgraph n2["net:#91;4026532005#93;<br/>default via 10.0.1.254"]',
    '    n2_2["eth0<br/>10.0.1.2/24<br/>down"]',
    '  end',
    '  elsewhere_0["in<br/>in an unknown namespace"]',
    '  n1_2 --- n1_3',
    '  n1_2 --- n1_4',
    '  n1_2 --- n1_5',
    '  n1_6 -.- n1_7',
    '  n1_3 === n0_2',
    '  n2_2 === n1_4',
    '  n1_6 === elsewhere_0',
    '',
  ])
})

test('DOT: a cluster for each namespace', () => {
  expect(lines(topologyDot({ namespaces: [host, namespace(9, { name: 'empty' })], cables: [cable(host, 'web-1', web1, 'eth0')] }))).toEqual(
    [
      'graph netloom {',
      '  graph [rankdir=LR]',
      '  node [shape=box]',
      '  subgraph cluster_n0 {',
      '    label="this namespace\\ndefault via 10.0.1.1"',
      '    n0_2 [label="br0\\nbridge\\n10.0.1.254/24", shape=hexagon]',
      '    n0_3 [label="web-1"]',
      '    n0_4 [label="web-2"]',
      '    n0_5 [label="tap0\\ntun\\ndown"]',
      '    n0_6 [label="out"]',
      '    n0_7 [label="out.5\\nvlan\\n10.0.5.1/24\\nno carrier"]',
      '  }',
      '  subgraph cluster_n1 {',
      '    label="empty"',
      '    n1 [style=invis]',
      '  }',
      '  elsewhere_0 [label="eth0\\nin web-1", style=dashed]',
      '  n0_2 -- n0_3',
      '  n0_2 -- n0_4',
      '  n0_2 -- n0_5',
      '  n0_6 -- n0_7 [style=dotted]',
      '  n0_3 -- elsewhere_0 [style=bold]',
      '}',
      '',
    ],
  )
})

const odd = [
  '"quoted"',
  'a]b[c',
  '<b>&amp;',
  '`md`#1;',
  'ü漢字',
  'back\\slash',
  'end',
  '\u001b[31m',
  '\u202eltr',
  'two\nlines',
  '**x**',
  '1. list',
  '- item',
]

test.each(odd)('a name like %j stays a name', name => {
  const strange = namespace(1, { name, links: [veth(2, name), link(3, `${name}2`, { kind: 'bridge' })] })
  const topology: Topology = { namespaces: [strange, green], cables: [cable(strange, name, green, 'eth0')] }

  const mermaid = topologyMermaid(topology)
  const labels = [...mermaid.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text)
  const unescaped = labels.map(text => text.split('<br/>')[0]?.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))))
  expect(unescaped).toEqual([name, name, `${name}2`, 'green', 'eth0'])
  // Outside of the quotes there is nothing but what the syntax is made of.
  expect(mermaid.replace(/"[^"]*"/g, '')).toMatch(/^[\w\s[\]{}=-]*$/)
  for (const label of labels) {
    expect(label.replaceAll('<br/>', '').replace(/#\d+;/g, '')).toMatch(/^[\p{L}\p{N} .:/,-]*$/u)
    expect(label).not.toMatch(/[.-] /)
  }

  const dot = topologyDot(topology)
  const quoted = [...dot.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text)
  expect(quoted).toHaveLength(5)
  expect(quoted[0]?.replaceAll('\\"', '"').replaceAll('\\\\', '\\').replaceAll('&amp;', '&')).toBe(name.replace(/\p{Cc}/gu, ' '))
  expect(dot.replace(/"(?:[^"\\]|\\.)*"/g, '')).toMatch(/^[\w\s[\]{}=,-]*$/)

  // Nothing that a terminal would obey, and no line more.
  const text = topologyText(topology)
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  expect(lines(text)).toHaveLength(5)
})

test('wide characters keep the box closed', () => {
  const strange = namespace(1, { name: '漢字', links: [link(2, '漢字', { kind: 'dummy' })] })
  expect(lines(topologyText({ namespaces: [strange], cables: [] }))).toEqual([
    '┌─ 漢字  net:[4026532001] ┐',
    '│ 漢字  dummy             │',
    '└─────────────────────────┘',
    '',
  ])
})
