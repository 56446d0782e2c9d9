// Container networks by Docker and by netloom behind the same few words, so that one walk can be taken with both.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Endpoint, Namespace, type NetworkCreate, Networks, type Publish } from '../../lib/index.js'
import { type Docker, startDocker } from './docker.js'
import type { Where } from './readers.js'

export interface Wanted {
  readonly name: string
  readonly subnet?: string
  readonly ipRange?: string
  readonly gateway?: string
  readonly aux?: Readonly<Record<string, string>>
  /** An IPv6 subnet. */
  readonly subnet6?: string
  readonly internal?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly options?: Readonly<Record<string, string>>
}
export interface Place {
  readonly ip?: string
  readonly ip6?: string
  readonly alias?: string
  /** '8080:80/tcp' */
  readonly publish?: readonly string[]
}
/** The fields of `docker network inspect` that the walk itself reads. */
export interface Inspected {
  readonly Containers: Readonly<Record<string, { readonly Name: string }>>
}

/** A namespace as the library and as the readers want it. */
export interface Container {
  readonly namespace: Namespace
  readonly where: Where
}

export interface Engine extends AsyncDisposable {
  create(network: Wanted): Promise<void>
  /** A container on a network. */
  start(name: string, network: string, place?: Place): Promise<Container>
  connect(network: string, name: string, place?: Place): Promise<void>
  disconnect(network: string, name: string): Promise<void>
  remove(network: string): Promise<'removed' | 'refused'>
  prune(): Promise<string[]>
  list(): Promise<string[]>
  inspect(network: string): Promise<Inspected>
  /** A container's own entries, by network. */
  entries(name: string): Promise<Record<string, unknown>>
  /** As `docker ps` prints them. */
  ports(name: string): Promise<string>
}

const pairs = (flag: string, values: Readonly<Record<string, string>> = {}) =>
  Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`])
const option = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value])
const lines = (text: string) => text.split('\n').filter(Boolean)

export async function dockerEngine(namespace: string): Promise<Engine & { readonly docker: Docker }> {
  const docker = await startDocker(namespace)
  const opened: Namespace[] = []
  const where = ({ ip, ip6, alias }: Place) => [...option('--ip', ip), ...option('--ip6', ip6), ...option('--alias', alias)]
  return {
    docker,
    async create({ name, subnet, ipRange, gateway, aux, subnet6, internal, labels, options }) {
      const subnets = [...option('--subnet', subnet), ...option('--ip-range', ipRange), ...option('--gateway', gateway)]
      const six = subnet6 === undefined ? [] : ['--ipv6', '--subnet', subnet6]
      const flags = [
        ...pairs('--aux-address', aux),
        ...(internal ? ['--internal'] : []),
        ...pairs('--label', labels),
        ...pairs('--opt', options),
      ]
      await docker.command('network', 'create', ...subnets, ...six, ...flags, name)
    },
    async start(name, network, { publish = [], ...place } = {}) {
      const ports = publish.flatMap(one => ['--publish', one])
      const alias = place.alias === undefined ? place : { ...place, alias: undefined }
      const names = option('--network-alias', place.alias)
      const pid = await docker.start(name, '--network', network, ...where(alias as Place), ...names, ...ports)
      const namespace = await Namespace.open({ pid })
      opened.push(namespace)
      return { namespace, where: { pid } }
    },
    connect: async (network, name, place = {}) => void (await docker.command('network', 'connect', ...where(place), network, name)),
    disconnect: async (network, name) => void (await docker.command('network', 'disconnect', network, name)),
    remove: network =>
      docker.command('network', 'rm', network).then(
        () => 'removed',
        () => 'refused',
      ),
    prune: async () =>
      lines(await docker.command('network', 'prune', '--force'))
        .filter(line => !line.endsWith(':'))
        .sort(),
    list: async () => lines(await docker.command('network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}')).sort(),
    inspect: network => docker.inspect('network', 'inspect', network),
    entries: async name =>
      (await docker.inspect<{ NetworkSettings: { Networks: Record<string, unknown> } }>('inspect', name)).NetworkSettings.Networks,
    ports: async name => (await docker.command('ps', '--filter', `name=${name}`, '--format', '{{.Ports}}')).trim(),
    async [Symbol.asyncDispose]() {
      for (const one of opened) await one.close()
      await docker[Symbol.asyncDispose]()
    },
  }
}

export async function netloomEngine(host: Namespace, named: (suffix: string) => string): Promise<Engine & { readonly networks: Networks }> {
  const folder = await mkdtemp(join(tmpdir(), 'netloom-walk-'))
  const networks = await Networks.open({ stateDir: folder, host })
  const namespaces = new Map<string, Namespace>()
  const endpoints = async (name: string) => {
    const found: (readonly [network: string, endpoint: Endpoint])[] = []
    for (const one of await networks.endpoints(namespaces.get(name) as Namespace)) found.push([(await networks.get(one.network)).name, one])
    return found
  }
  const connect = async (network: string, name: string, { ip, ip6, alias, publish = [] }: Place = {}) => {
    const chosen = { ...(ip !== undefined && { ip }), ...(ip6 !== undefined && { ip6 }), ...(alias !== undefined && { aliases: [alias] }) }
    const options = { name, ...chosen, publish: publish.map(publishOf) }
    await (await networks.get(network)).connect(namespaces.get(name) as Namespace, options)
  }
  return {
    networks,
    async create({ name, subnet, ipRange, gateway, aux, subnet6, internal = false, labels = {}, options = {} }) {
      const more = {
        ...(ipRange !== undefined && { ipRange }),
        ...(gateway !== undefined && { gateway }),
        ...(aux && { auxAddresses: aux }),
      }
      const subnets = [...(subnet === undefined ? [] : [{ subnet, ...more }]), ...(subnet6 === undefined ? [] : [{ subnet: subnet6 }])]
      const spec: NetworkCreate = { name, internal, labels, options, ipv6: subnet6 !== undefined, ...(subnets.length && { subnets }) }
      await networks.create(spec)
    },
    async start(name, network, place) {
      const namespace = await Namespace.create(named(name), { loopback: true })
      namespaces.set(name, namespace)
      await connect(network, name, place)
      return { namespace, where: named(name) }
    },
    connect,
    disconnect: async (network, name) => (await networks.get(network)).disconnect(namespaces.get(name) as Namespace),
    remove: async network =>
      (await networks.get(network)).delete().then(
        () => 'removed',
        () => 'refused',
      ),
    prune: async () => (await networks.prune()).deleted,
    list: async () => (await networks.list()).map(({ name, driver }) => `${name} ${driver} local`).sort(),
    inspect: async network => (await networks.get(network)).inspect(),
    entries: async name =>
      Object.fromEntries(await Promise.all((await endpoints(name)).map(async ([network, one]) => [network, await one.inspect()]))),
    ports: async name =>
      (await endpoints(name))
        .map(([, one]) => one.portsText)
        .filter(Boolean)
        .join(', '),
    async [Symbol.asyncDispose]() {
      for (const namespace of namespaces.values()) await namespace.delete()
      await networks.gc()
      for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
      if (await host.links.find('netloom0')) await host.links.delete('netloom0')
      await networks.close()
      await rm(folder, { recursive: true })
    },
  }
}

function publishOf(text: string): Publish {
  const [hostPort = '', containerPort = ''] = text.split(':')
  return { hostPort: Number(hostPort), containerPort }
}
