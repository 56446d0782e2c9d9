// The walk of scenario S7 with a real Docker beside it: the same addresses, routes and reachability, and every difference is in the documentation.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { differences, neighbour, type Seen, walk } from '../helpers/container-walk.js'
import { dockerFeatures } from '../helpers/docker.js'
import { dockerEngine, netloomEngine } from '../helpers/engines.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'

const host = useOpenHost()

interface Row {
  readonly text: string
  readonly path: RegExp
  readonly docker: RegExp
  readonly here: RegExp
}

/** The table "Field by field": where it is, what Docker says, what is said here; a star stands for anything. */
async function documented(): Promise<Row[]> {
  const text = await readFile(new URL('../../docs/networks-docker.md', import.meta.url), 'utf8')
  const pattern = (glob = '') => new RegExp(`^${glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`)
  return [...text.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \| \S.* \|$/gm)].map(([row, path, docker, here]) => ({
    text: row,
    path: pattern(path),
    docker: pattern(docker),
    here: pattern(here),
  }))
}

async function walkOf(kind: 'docker' | 'netloom'): Promise<Seen> {
  const name = host.named(kind)
  await using machine = await Namespace.create(name, { loopback: true })
  await using outside = await neighbour(machine, host.named(`${kind}-outside`))
  await using engine = await (kind === 'docker' ? dockerEngine(`/run/netns/${name}`) : netloomEngine(machine, host.named))
  return await walk(engine, { namespace: machine, where: name }, outside)
}

test('the walk with Docker and without: what differs is documented, and what is documented differs', {
  timeout: patience(180_000),
}, async context => {
  await needs(context, ...dockerFeatures, 'nftables', 'tool:ping')
  const docker = await walkOf('docker')
  const here = await walkOf('netloom')
  // Nothing may be the same because it is missing on both sides.
  expect(here).toMatchObject({
    'at first: list': ['bridge bridge local', 'host host local', 'none null local'],
    'connected: inspect my-net': { Containers: { web: { MacAddress: '02:42:ac:1c:05:00', IPv4Address: '172.28.5.0/16' } } },
    'connected: entries of web': { 'my-net': { Gateway: '172.28.5.254', IPAddress: '172.28.5.0', IPPrefixLen: 16 } },
    'connected: inside web': { interfaces: { eth1: { mac: '02:42:ac:1c:05:00', mtu: 1500, addresses: ['172.28.5.0/16'] } } },
    'static address: entries of api': { 'my-net': { IPAMConfig: { IPv4Address: '172.28.5.10' }, IPAddress: '172.28.5.10' } },
    'other networks: entries of other': { 'other-net': { IPv6Gateway: 'fd90::1', GlobalIPv6Address: 'fd90::2', GlobalIPv6PrefixLen: 64 } },
    'all: reach': {
      'web to api 172.28.5.10 tcp': '172.28.5.0',
      'web to api 172.28.5.10 udp': '172.28.5.0',
      'web to other 10.90.0.2 tcp': 'nothing',
      'other to web 172.28.5.0 udp': 'nothing',
      'api to outside 192.0.2.2 tcp': '192.0.2.1',
      'outside to published 192.0.2.1 tcp': '192.0.2.2',
      'outside to published 192.0.2.1 udp': '192.0.2.2',
      'outside to unpublished 192.0.2.1 tcp': 'refused',
      'outside to web 172.28.5.0 tcp': 'nothing',
      'host to api 172.28.5.10 tcp': '172.28.5.254',
    },
    'on both: ping': { v4: 1, v6: 1 },
    'disconnected from bridge: inside web': { interfaces: {}, routes: {} },
    'disconnected from bridge: entries of web': {},
    'in use: remove': 'refused',
    'unused: remove': 'removed',
    'unused: prune': ['sealed'],
  })
  const rows = await documented()
  const found = differences(docker, here)
  const fits = (row: Row) => (one: (typeof found)[number]) =>
    row.path.test(one.path) && row.docker.test(one.docker) && row.here.test(one.here)
  expect(found.filter(one => !rows.some(row => fits(row)(one))).map(one => JSON.stringify(one))).toEqual([])
  expect(rows.filter(row => !found.some(fits(row))).map(({ text }) => text)).toEqual([])
  expect(rows.length).toBeGreaterThan(10)
})
