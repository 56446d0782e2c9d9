// explain(): the answer to "the ping that fails".
import { argumentError } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import { type Checks, checkOptions, conflict, isAddress, isFamily, isInteger, isOneOf, lacking } from '../kernel/arguments.js'
import { isProtocol, protocolName, protocolNumber } from '../kernel/ip-protocols.js'
import { checkSource, type NamespaceSource } from '../namespace/source.js'
import { call, cure } from './cures.js'
import { type Arrival, follow } from './journey.js'
import { taken } from './owners.js'
import type { Explanation, Outcome } from './result.js'
import { alsoHere } from './reverse-path.js'
import { segmentOf } from './segment.js'
import { covers, freeAddress, networkText } from './subnets.js'
import { explanationText } from './text.js'
import { type Fragmenting, type Packet, Walk } from './walk.js'
import { type Place, World } from './world.js'

/** Which packet. */
export interface ExplainOptions {
  /** Who sends it. */
  readonly from: NamespaceSource
  /** Who shall get it: a namespace, or an address. */
  readonly to: NamespaceSource | string
  /** 4 by default, unless an address says otherwise. */
  readonly family?: 4 | 6
  /** 'icmp', an echo request, by default; 'tcp', 'udp' … or the number. */
  readonly proto?: string | number
  /** Destination port. */
  readonly port?: number
  /** 49,152 by default, one that the system may choose for a client. */
  readonly sourcePort?: number
  /** Source address; by default the one that the kernel would choose. */
  readonly source?: string
  /** Of the whole packet, in bytes, 28 to 65,535. Default 84 (IPv6 104), as `ping` sends. */
  readonly size?: number
  /** Who may cut a packet that is too long. Default 'sender', as for what `ping` sends; 'never' is `ping -M do`. */
  readonly fragment?: Fragmenting
  /** Where to look for bridges, routers and the owners of addresses, besides the other ends of cables. By default in all namespaces that have a name, and the caller's. */
  readonly namespaces?: Iterable<NamespaceSource>
}

const isSource = (value: unknown) => void checkSource(value as NamespaceSource)
const checks: Checks<ExplainOptions> = {
  from: isSource,
  to: value => (typeof value === 'string' ? isAddress(value) : isSource(value)),
  family: isFamily,
  proto: isProtocol,
  port: isInteger(0, 0xffff),
  sourcePort: isInteger(0, 0xffff),
  source: isAddress,
  size: isInteger(28, 0xffff),
  fragment: isOneOf(['never', 'sender', 'anywhere']),
  namespaces: value => {
    if (typeof value !== 'object' || value === null || !(Symbol.iterator in value))
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'must be a list of namespaces')
  },
}

/**
 * Follows a packet, and its answer, through namespaces, routes, neighbour tables, cables, bridges and firewalls as they are now, and tells
 * what would drop it and how to cure that. Nothing is sent and nothing is changed. After something that drops it goes on as if
 * that were cured, so that all causes are named. Whether a program listens on a port is not looked at.
 *
 * Errors: ENOENT, ESRCH, ESTALE no such namespace; EPERM without CAP_NET_ADMIN; ERR_NETLOOM_… for what the options cannot be.
 *
 * @example
 * const { verdict, causes } = await explain({ from: { name: 'blue' }, to: { name: 'green' } })
 * for (const { text, cures } of causes) console.log(text, cures)
 */
export async function explain(options: ExplainOptions): Promise<Explanation> {
  checkOptions(options, checks)
  const { from, to, namespaces } = options
  if (from === undefined) throw lacking('from', 'say which namespace sends')
  if (to === undefined) throw lacking('to', 'say which namespace, or which address, is meant')
  const family = familyOf(options)
  await using world = new World(namespaces)
  const walk = new Walk(world)
  const sender = await world.enter(from)
  const receiver = typeof to === 'string' ? undefined : await world.enter(to)
  const address = receiver ? await addressFor(walk, sender, receiver, family) : (to as string)
  const packet = address === undefined ? undefined : packetOf(options, address, family)
  if (packet) await bothWays(walk, sender, receiver, packet)
  const target = receiver ? `${receiver.label}${address === undefined ? '' : ` (${address})`}` : address
  return explanation(walk, `${whatOf(options, family)} from ${sender.label} to ${target}`)
}

function familyOf({ family, to, source }: ExplainOptions): 4 | 6 {
  const said = [typeof to === 'string' ? to : undefined, source].filter(text => text !== undefined).map(text => ipFamily(text) as 4 | 6)
  for (const one of said) if (one !== (family ?? said[0])) throw conflict('family', 'the addresses and the family must agree')
  return family ?? said[0] ?? 4
}

const icmp = { 4: 1, 6: 58 } as const
/** tcp, udp, dccp, sctp, udplite. */
const ported: readonly number[] = [6, 17, 33, 132, 136]
const ephemeral = 49_152
const protocolOf = ({ proto = 'icmp' }: ExplainOptions, family: 4 | 6) => (proto === 'icmp' ? icmp[family] : protocolNumber(proto))
const whatOf = (options: ExplainOptions, family: 4 | 6) =>
  `${protocolName(protocolOf(options, family))}${options.port === undefined ? '' : ` port ${options.port}`}`

function packetOf(options: ExplainOptions, to: string, family: 4 | 6): Packet {
  const { source, port, size = family === 4 ? 84 : 104, fragment = 'sender' } = options
  const protocol = protocolOf(options, family)
  const echo = protocol === icmp[family] ? { icmpType: family === 4 ? 8 : 128, icmpCode: 0 } : {}
  return {
    ...{ family, from: source, to, protocol, size, fragment, state: 'new', ...echo },
    ...(port !== undefined && { destinationPort: port }),
    ...(ported.includes(protocol) && { sourcePort: options.sourcePort ?? ephemeral }),
  }
}

async function bothWays(walk: Walk, sender: Place, receiver: Place | undefined, packet: Packet): Promise<void> {
  const arrival = await follow(walk, sender, packet)
  if (!arrival) return
  if (receiver && arrival.packet.to === packet.to) await checkReceiver(walk, arrival, receiver)
  walk.turn()
  const back = await follow(walk, receiver ?? arrival.place, answerTo(arrival.packet))
  if (back) await checkReceiver(walk, back, sender)
}

async function checkReceiver(walk: Walk, { place, packet }: Arrival, meant: Place): Promise<void> {
  if (place !== meant) await alsoHere(walk, place, packet.to, `and takes the packet that is for ${meant.label}`)
}

function answerTo(packet: Packet): Packet {
  const { from, to, sourcePort, destinationPort, icmpType, ...same } = packet
  return {
    ...same,
    ...{ from: to, to: from!, state: 'established' },
    ...(destinationPort !== undefined && { sourcePort: destinationPort }),
    ...(sourcePort !== undefined && { destinationPort: sourcePort }),
    ...(icmpType !== undefined && { icmpType: icmpType === 8 ? 0 : 129 }),
  }
}

/** The receiver's address that the sender would use: one of a subnet that both are in, before others. */
async function addressFor(walk: Walk, sender: Place, receiver: Place, family: 4 | 6): Promise<string | undefined> {
  const theirs = await receiver.addresses(family)
  const ours = await sender.addresses(family)
  const shared = theirs.find(one => ours.some(other => covers(other, one.address)))
  const chosen = shared ?? theirs.find(({ scope }) => scope === 'global') ?? theirs[0]
  if (chosen) return chosen.address
  return withoutAddress(walk, sender, receiver, family)
}

/** Nothing can be sent to who has no address. Tells so, and which one would do. */
async function withoutAddress(walk: Walk, sender: Place, receiver: Place, family: 4 | 6): Promise<string | undefined> {
  for (const link of await receiver.links()) {
    if (link.type === 'loopback') continue
    const { ends } = await segmentOf(walk.world, { place: receiver, link })
    const beside = [...ends].sort((a, b) => Number(b.place === sender) - Number(a.place === sender))
    for (const end of beside) {
      const theirs = (await end.place.addresses(family)).find(one => one.link === end.link.index)
      const free = theirs && freeAddress(theirs, await taken(walk, family))
      if (!theirs || free === undefined) continue
      const cidr = `${free}/${theirs.prefix}`
      walk.drop('address', { place: receiver, link }, `${receiver.label} has no IPv${family} address`, {
        kind: 'no-address',
        cures: [cure(`give ${link.name} an address of ${networkText(theirs)}`, call(receiver, 'addresses', 'add', link.name, cidr))],
      })
      walk.assume(receiver, { link: link.index, address: free, prefix: theirs.prefix })
      return free
    }
  }
  walk.drop('address', { place: receiver }, `${receiver.label} has no IPv${family} address`, {
    kind: 'no-address',
    cures: [{ text: 'give it one: addresses.add(link, cidr)' }],
  })
  return undefined
}

function explanation({ steps, causes }: Walk, subject: string): Explanation {
  const verdict: Outcome = causes.length > 0 ? 'dropped' : steps.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'passes'
  const told = { verdict, subject, steps, causes }
  // Not enumerable: equality, JSON and structuredClone see plain data.
  Object.defineProperty(told, 'toString', { value: () => explanationText(told) })
  return told
}
