// Connecting namespaces to a network: addresses, a record of the intention, the interfaces as one plan, the record of what is there.
import { randomBytes } from 'node:crypto'
import { argumentError, rangeError } from '../codec/errors.js'
import { conflict } from '../kernel/arguments.js'
import { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import type { NamespaceSource } from '../namespace/source.js'
import { Plan } from '../plan/plan.js'
import { briefLinksOfFew } from '../plan/remove.js'
import type { ApplyOptions } from '../plan/result.js'
import { NetloomError } from '../socket/error.js'
import { untilCarrier } from './carrier.js'
import { blameCaller } from './connect-blame.js'
import { type ConnectOptions, portsOf } from './connect-options.js'
import type { Core } from './core.js'
import { leastMtu6, settingsOf } from './driver-options.js'
import { cableName } from './drivers/bridge.js'
import type { DefaultRoute, Driver, Furnished, Joining } from './drivers/driver.js'
import { driverOf } from './drivers/drivers.js'
import { despiteLingering } from './drivers/lingering.js'
import { cableOf, interfaceOf } from './endpoint-link.js'
import { type Connected, gatewayOf } from './gateways.js'
import { macFor } from './mac-address.js'
import { keyOf, namespaceKey } from './namespaces.js'
import { PortAllocator } from './port-allocate.js'
import { publishPorts } from './publish.js'
import type { EndpointRecord, NetworkRecord } from './records.js'
import { Allocator } from './state-allocate.js'
import { together } from './state-files.js'

export interface Request {
  readonly source: NamespaceSource
  readonly options: ConnectOptions
  /** Where the source and the options stand in the caller's arguments: 'sources[3]'. */
  readonly path: string
}

/** A namespace with what is in it before it is connected. */
interface Guest {
  readonly request: Request
  readonly namespace: Namespace
  readonly connected: readonly Connected[]
  readonly links: ReadonlySet<string>
  /** One that no link in it has. */
  readonly freeIndex: number
  /** Families in which there is a default route. */
  readonly routed: ReadonlySet<4 | 6>
}

/** Connects all of the namespaces, or none. The lock must be held. */
export async function connectAll(
  core: Core,
  given: NetworkRecord,
  requests: readonly Request[],
  options: ApplyOptions = {},
): Promise<EndpointRecord[]> {
  const network = await core.network(given, 'connect')
  const guests: Guest[] = []
  try {
    for (const request of requests) guests.push(await lookAt(core, network, request, guests))
    return await settle(core, network, guests, options)
  } finally {
    for (const { namespace } of guests) await namespace.close()
  }
}

async function lookAt(core: Core, network: NetworkRecord, request: Request, guests: readonly Guest[]): Promise<Guest> {
  const { source, path } = request
  const namespace = await Namespace.open(source)
  try {
    const key = keyOf(namespace)
    const reading = core.state.endpointsOf(key)
    const looking = briefLinksOfFew(namespace[scoped])
    await together(reading, looking)
    const [records, links] = [await reading, await looking]
    if (records.some(one => one.network === network.id) || guests.some(guest => keyOf(guest.namespace) === key))
      throw new NetloomError('EEXIST', {
        operation: 'connect',
        subject: network.spec.name,
        path: path || 'source',
        reason: 'the namespace is on the network already',
      })
    const networks = await Promise.all(records.map(record => core.state.network(record.network)))
    if (networks.some(one => one?.spec.driver === 'null'))
      throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', 'the namespace is on the network none, where it is alone', path || 'source')
    const connected = records.map((record, i) => ({ record, name: networks[i]?.spec.name ?? record.network }))
    driverOf[network.spec.driver].check?.(core.host, { namespace, connected: records }, path || 'source')
    // Beside lo there is nothing in a fresh namespace that a route could lead over.
    const routes = links.length > 1 ? await namespace.routes.list() : []
    return {
      request,
      namespace,
      connected,
      links: new Set(links.flatMap(({ ifname = [] }) => ifname)),
      freeIndex: Math.max(...links.map(({ index }) => index)) + 1,
      routed: new Set(routes.filter(({ to }) => to === 'default').map(({ family }) => family)),
    }
  } catch (error) {
    await namespace.close()
    throw error
  }
}

async function settle(core: Core, network: NetworkRecord, guests: readonly Guest[], options: ApplyOptions): Promise<EndpointRecord[]> {
  const { state, host } = core
  const driver = driverOf[network.spec.driver]
  await core.ensure(network)
  const allocator = new Allocator(state, network)
  const ports = new PortAllocator(state, host, network)
  const records: EndpointRecord[] = []
  for (const guest of guests) records.push(await recordOf(core, network, driver, guest, { addresses: allocator, ports }))
  await state.intend(records)
  try {
    await state.claimEndpoints(records)
    await together(allocator.save(), makeInterfaces(core, network, guests, records, options), publishPorts(host, network, records))
    await together(state.commitEndpoints(records), untilUp(host, network, records))
  } catch (error) {
    // The plan has taken back what it did; a failed commit leaves interfaces, and records that are pending no more.
    await state.retireEndpoints(records)
    await core.drop(network, records)
    throw error
  }
  return records
}

async function recordOf(
  core: Core,
  network: NetworkRecord,
  driver: Driver,
  guest: Guest,
  allocators: { readonly addresses: Allocator; readonly ports: PortAllocator },
): Promise<EndpointRecord> {
  const { options, source, path } = guest.request
  const prefix = path === '' ? '' : `${path}.`
  const id = randomBytes(32).toString('hex')
  refuseUseless(driver, options, prefix)
  const allocated = driver.addresses ? await allocators.addresses.allocate(options, prefix) : []
  // Where nothing leads out there is no default route, as with Docker.
  const addresses = network.spec.internal ? allocated.map(({ gateway: _, ...address }) => address) : allocated
  if (options.mtu !== undefined && options.mtu < leastMtu6 && addresses.some(({ family }) => family === 6))
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${options.mtu} is too small for IPv6, which needs ${leastMtu6}`, `${prefix}mtu`)
  const { name, mac, ip, ip6, gatewayPriority = 0, aliases: given = [], options: driverOptions = {} } = options
  const chosen = { ...(ip !== undefined && { ip }), ...(ip6 !== undefined && { ip6 }) }
  if (name !== undefined && (await core.state.ownerOfName(network.id, name)) !== undefined)
    throw new NetloomError('EEXIST', {
      operation: 'connect',
      subject: network.spec.name,
      path: `${prefix}name`,
      reason: `the network has an endpoint ${name}`,
    })
  if (driver.sharesMac && mac !== undefined)
    throw conflict(`${prefix}mac`, `interfaces of the driver ${driver.name} have the MAC address of their parent`)
  const own = driver.sharesMac ? {} : { mac: mac ?? macFor(addresses.find(({ family }) => family === 4)?.address) }
  const inside = driver.addresses ? { interface: interfaceName(guest, network, prefix), ...own } : {}
  const { wishes, exposed } = portsOf(options, prefix)
  const ports = await allocators.ports.allocate(wishes, addresses)
  return {
    ...{
      kind: 'endpoint',
      id,
      network: network.id,
      created: new Date().toISOString(),
      aliases: [...new Set(given)],
      gatewayPriority,
      addresses,
    },
    ...(name !== undefined && { name }),
    namespace: namespaceKey(guest.namespace, source),
    ...inside,
    ...(ports.length > 0 && { ports }),
    ...(exposed.length > 0 && { exposed }),
    ...(Object.keys(chosen).length > 0 && { chosen }),
    ...(Object.keys(driverOptions).length > 0 && { driverOptions: { ...driverOptions } }),
    // The bridge's own: no frame is ever for a port, and the kernel keeps and looks through an entry of its MAC table for each further address.
    ...(driver.cables && network.device && { hostInterface: cableName(id), hostMac: network.device.mac }),
  }
}

/** What says something about an interface says nothing where there is none. */
function refuseUseless(driver: Driver, options: ConnectOptions, prefix: string): void {
  if (driver.addresses) return
  const field = (['ip', 'ip6', 'mac', 'interface', 'mtu', 'gatewayPriority', 'sysctls'] as const).find(one => options[one] !== undefined)
  if (field !== undefined) throw conflict(`${prefix}${field}`, `the driver ${driver.name} gives no interface`)
}

function interfaceName({ request, links }: Guest, network: NetworkRecord, prefix: string): string {
  const { interface: chosen } = request.options
  if (chosen !== undefined) {
    if (!links.has(chosen)) return chosen
    const reason = `the namespace has a link ${chosen}`
    throw new NetloomError('EEXIST', { operation: 'connect', subject: network.spec.name, path: `${prefix}interface`, reason })
  }
  const { interfacePrefix = 'eth' } = settingsOf(network)
  for (let number = 0; ; number++) if (!links.has(`${interfacePrefix}${number}`)) return `${interfacePrefix}${number}`
}

/** The ports, then the bridge, which has its carrier from them. */
async function untilUp(host: Namespace, { device, spec }: NetworkRecord, records: readonly EndpointRecord[]): Promise<void> {
  if (!device || !driverOf[spec.driver].cables) return
  await untilCarrier(host[scoped], [...records.map(record => cableOf(record).hostInterface), device.name])
}

async function makeInterfaces(...all: Parameters<typeof planAll>): Promise<void> {
  if (!(await furnishAll(...all))) await planAll(...all)
}

/** Without a plan: nothing is changed that was there before, so that the records tell all that there is to undo. False if that is not so, or was refused. */
async function furnishAll(
  core: Core,
  network: NetworkRecord,
  guests: readonly Guest[],
  records: readonly EndpointRecord[],
  { signal }: ApplyOptions,
): Promise<boolean> {
  const driver = driverOf[network.spec.driver]
  if (!driver.furnish) return false
  const all: Furnished[] = []
  for (const [i, guest] of guests.entries()) {
    const record = records[i] as EndpointRecord
    const routes = defaultRoutes(network, guest, record)
    if (guest.request.options.sysctls || routes.some(({ replaces }) => replaces)) return false
    all.push({ ...joiningOf(guest, record), index: guest.freeIndex, routes: routes.map(({ route }) => route) })
  }
  if (await driver.furnish(core.host, network, settingsOf(network), all, signal)) return true
  await driver.leave(core, records)
  return false
}

async function planAll(
  { host, state }: Core,
  network: NetworkRecord,
  guests: readonly Guest[],
  records: readonly EndpointRecord[],
  options: ApplyOptions,
): Promise<void> {
  const driver = driverOf[network.spec.driver]
  if (!driver.join) return
  const make = () => planOf(host, network, guests, records).apply(options)
  try {
    if (!driver.cables) return void (await despiteLingering(state, network, records, make))
    await make()
    for (const [i, { namespace }] of guests.entries()) await untilCarrier(namespace[scoped], [interfaceOf(records[i]!).interface])
  } catch (error) {
    throw blameCaller(
      error,
      guests.map(({ request }) => request),
    )
  }
}

function planOf(host: Namespace, network: NetworkRecord, guests: readonly Guest[], records: readonly EndpointRecord[]): Plan {
  const driver = driverOf[network.spec.driver]
  const settings = settingsOf(network)
  const plan = new Plan({ ipv6: 'none' })
  for (const [i, guest] of guests.entries()) {
    const record = records[i] as EndpointRecord
    driver.join?.(plan, host, network, settings, joiningOf(guest, record))
    const here = plan.in(guest.namespace)
    const link = record.interface as string
    for (const { address, prefix, family } of record.addresses)
      here.addresses.add(link, `${address}/${prefix}`, family === 6 ? { noDad: true } : {})
    for (const { route, replaces } of defaultRoutes(network, guest, record)) {
      if (replaces) here.routes.replace({ ...route, link })
      else here.routes.add({ ...route, link })
    }
    for (const [key, value] of Object.entries(guest.request.options.sysctls ?? {})) here.sysctl.set(settingOf(key, link), value)
  }
  return plan
}

/** In a key with dots a slash stands for the dot of a name, as sysctl(8) has it. */
const settingOf = (key: string, link: string): string =>
  key.replace('IFNAME', () => (/^[^/]*\./.test(key) ? link.replaceAll('.', '/') : link))

function joiningOf({ namespace, request }: Guest, record: EndpointRecord): Joining {
  const { mtu } = request.options
  return { record, namespace, ...(mtu !== undefined && { mtu }) }
}

/** The default routes that are to lead over the new link, and whether that of another network gives way to it. */
function defaultRoutes(network: NetworkRecord, { connected, routed }: Guest, record: EndpointRecord) {
  const routes: { readonly route: DefaultRoute; readonly replaces: boolean }[] = []
  for (const family of [4, 6] as const) {
    const before = gatewayOf(connected, family)
    const after = gatewayOf([...connected, { record, name: network.spec.name }], family)
    if (after?.record !== record) continue
    // A default route that is not of one of our networks is somebody's choice.
    if (!routed.has(family) || before) routes.push({ route: { to: 'default', via: after.gateway, family }, replaces: routed.has(family) })
  }
  return routes
}
