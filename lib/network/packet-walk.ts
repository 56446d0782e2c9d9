// The way of a packet between two endpoints, from live state: route, ARP, veth, bridge, FDB, veth.
import { argumentError } from '../codec/errors.js'
import { type ExplainOptions, explain } from '../explain/explain.js'
import type { Cause, ExplainStep, Outcome, StepFacts, Way } from '../explain/result.js'
import { checkOptions, conflict } from '../kernel/arguments.js'
import { Namespace } from '../kernel/namespace.js'
import { sameNamespace } from '../namespace/info.js'
import { checkSource, type NamespaceSource } from '../namespace/source.js'
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { Endpoint } from './endpoint.js'
import { keyOf, openRecorded } from './namespaces.js'
import type { EndpointRecord } from './records.js'

/** Which packet; an echo request by default. */
export type PacketWalkOptions = Pick<ExplainOptions, 'family' | 'proto' | 'port' | 'sourcePort' | 'size'>

/** An end of the way. */
export interface WalkEnd {
  /** What the steps call the namespace; absent for an address of nobody's. */
  readonly namespace?: string
  /** The name of its network. */
  readonly network?: string
  readonly interface?: string
  readonly address?: string
  readonly mac?: string
}
export interface WalkStep {
  readonly kind: 'route' | 'arp' | 'veth' | 'bridge' | 'fdb' | Exclude<ExplainStep['kind'], 'neighbour' | 'cable'>
  readonly namespace: string
  readonly link?: string
  readonly text: string
  readonly outcome: Outcome
  readonly facts?: StepFacts
}
/** The way of a packet and of its answer. JSON keeps all of it but functions; String() shows it to people. */
export interface PacketWalk {
  readonly verdict: Outcome
  readonly from: WalkEnd
  readonly to: WalkEnd
  readonly there: readonly WalkStep[]
  readonly back: readonly WalkStep[]
  /** What drops it, with cures, as explain() tells it. */
  readonly causes: readonly Cause[]
}

/** An end that was named: its namespace, open, and its place on a network. */
interface Found {
  readonly namespace: Namespace
  readonly record?: EndpointRecord | undefined
}

/** What values they have explain() looks at. */
const passes = () => undefined

export async function packetWalk(
  core: Core,
  from: Endpoint | NamespaceSource,
  to: Endpoint | NamespaceSource | string,
  options: PacketWalkOptions = {},
): Promise<PacketWalk> {
  checkOptions<PacketWalkOptions>(options, { family: passes, proto: passes, port: passes, sourcePort: passes, size: passes }, 'options')
  const opened: Namespace[] = []
  try {
    const sender = await locate(core, from, 'from', undefined, opened)
    const receiver = typeof to === 'string' ? undefined : await locate(core, to, 'to', sender.record?.network, opened)
    if (typeof to === 'string') await openOwners(core, to, options.port, opened)
    const family = options.family ?? (typeof to === 'string' && to.includes(':') ? 6 : 4)
    const target = receiver?.record ? addressOf(receiver.record, family) : undefined
    const source = sender.record?.network === receiver?.record?.network && sender.record ? addressOf(sender.record, family) : undefined
    const explanation = await explain({
      ...options,
      ...{ family, from: sender.namespace, to: target ?? receiver?.namespace ?? (to as string) },
      ...(source !== undefined && { source }),
      namespaces: [core.host, ...opened],
    })
    const { verdict, steps, causes } = explanation
    const way = (which: Way) => steps.filter(step => step.way === which).map(walked)
    const ends = {
      from: await describe(core, sender, family),
      to: receiver ? await describe(core, receiver, family) : { address: to as string },
    }
    const walk = { verdict, ...ends, there: way('there'), back: way('back'), causes }
    Object.defineProperty(walk, 'toString', { value: () => walkText(walk) })
    return walk
  } finally {
    for (const namespace of opened) await namespace.close()
  }
}

/** The endpoint that is meant; of a namespace the one on that network, or its first. */
async function locate(
  core: Core,
  given: Endpoint | NamespaceSource,
  path: string,
  network: string | undefined,
  opened: Namespace[],
): Promise<Found> {
  if (given instanceof Endpoint) {
    const record = await core.state.endpoint(given.network, given.id)
    const namespace = record && (await openRecorded(record.namespace))
    if (!record || !namespace)
      throw new NetloomError('ENOENT', { operation: 'walk packet', subject: given.name ?? given.id, path, reason: 'the endpoint is gone' })
    opened.push(namespace)
    return { namespace, record }
  }
  if (given === undefined) throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'say which endpoint or namespace', path)
  checkSource(given, path)
  const namespace = await Namespace.open(given)
  opened.push(namespace)
  const records = await core.state.endpointsOf(keyOf(namespace))
  return { namespace, record: records.find(one => one.network === network) ?? records[0] }
}

/** Opens the namespaces of endpoints that an address leads to, or a published port on it: explain() looks into no others. */
async function openOwners({ state }: Core, address: string, port: number | undefined, opened: Namespace[]): Promise<void> {
  for (const { id } of await state.networks())
    for (const { namespace, addresses, ports = [] } of await state.endpoints(id)) {
      const isMeant = addresses.some(one => one.address === address) || ports.some(({ hostPort }) => hostPort === port)
      const found = isMeant ? await openRecorded(namespace) : undefined
      if (found) opened.push(found)
    }
}

function addressOf({ addresses }: EndpointRecord, family: 4 | 6): string | undefined {
  const found = addresses.find(one => one.family === family)
  if (!found && addresses.length > 0) throw conflict('options.family', `the endpoint has no IPv${family} address`)
  return found?.address
}

async function describe(core: Core, { namespace, record }: Found, family: 4 | 6): Promise<WalkEnd> {
  const { name, path } = namespace
  const label = name ?? (sameNamespace(namespace, Namespace.current()) ? 'this namespace' : (path ?? String(namespace)))
  const network = record && (await core.state.network(record.network))
  const address = record?.addresses.find(one => one.family === family)?.address
  return {
    namespace: label,
    ...(network && { network: network.spec.name }),
    ...(record?.interface !== undefined && { interface: record.interface }),
    ...(address !== undefined && { address }),
    ...(record?.mac !== undefined && { mac: record.mac }),
  }
}

const kinds: Partial<Record<ExplainStep['kind'], WalkStep['kind']>> = { neighbour: 'arp', cable: 'veth' }
function walked({ kind, way: _, ...step }: ExplainStep): WalkStep {
  return { kind: (kinds[kind] ?? kind) as WalkStep['kind'], ...step }
}

const verdicts: Readonly<Record<Outcome, string>> = {
  passes: 'passes',
  dropped: 'does not get through',
  unknown: 'may or may not get through',
}
const signs: Readonly<Record<Outcome, string>> = { passes: ' ', dropped: '✗', unknown: '?' }

function walkText({ verdict, from, to, there, back, causes }: PacketWalk): string {
  const end = ({ namespace, address, network }: WalkEnd) =>
    [namespace ?? address, namespace && address && `(${address}${network === undefined ? '' : `, ${network}`})`].filter(Boolean).join(' ')
  const table = (title: string, steps: readonly WalkStep[]) => {
    const where = steps.map(({ namespace, link }) => (link === undefined ? namespace : `${namespace} ${link}`))
    const [kind, place] = [steps.map(step => step.kind), where].map(words => Math.max(0, ...words.map(word => word.length)))
    const line = (step: WalkStep, i: number) =>
      `${signs[step.outcome]} ${step.kind.padEnd(kind!)}  ${where[i]!.padEnd(place!)}  ${step.text}`
    return steps.length === 0 ? [] : ['', title, ...steps.map(line)]
  }
  return [
    `${end(from)} → ${end(to)}: ${verdicts[verdict]}`,
    ...causes.map(({ text }) => `  ${text}`),
    ...table('there', there),
    ...table('back', back),
  ].join('\n')
}
