// From an address on a link to the MAC that frames are sent to: what the neighbour table says, and who really has the address.
import type { Neighbour } from '../kernel/neighbours.js'
import { call, cure } from './cures.js'
import { type Owner, ownerOn, taken } from './owners.js'
import { segmentOf } from './segment.js'
import { freeAddress } from './subnets.js'
import type { Packet, Walk } from './walk.js'
import { type End, endText } from './world.js'

export interface Resolved extends Owner {
  /** The address had to be asked for, by a broadcast. */
  readonly asking: boolean
}

/** States in which an entry's MAC is used without asking first. */
const usable = ['reachable', 'stale', 'delay', 'probe', 'permanent', 'noarp']
const fixed = ['permanent', 'noarp']

/** Who gets the frame; undefined if that cannot be known, or nobody does. */
export async function resolve(walk: Walk, from: End, address: string, { family }: Packet): Promise<Resolved | undefined> {
  const { place, link } = from
  const entries = await place.neighbours()
  const entry = entries.find(one => one.address === address && one.link === link.index && !one.proxy)
  const { owner, elsewhere } = await ownerOn(walk, from, address, family)
  if (!owner) return missing(walk, from, address, entry, elsewhere)
  const { end } = owner
  const known = entry?.mac !== undefined && usable.includes(entry.state)
  const heard = walk.heard.has(heardKey(end.place.key, from, address))
  if (known && entry.mac !== end.link.mac) wrong(walk, from, entry, end)
  else if (known)
    walk.step('neighbour', from, `${address} is ${entry.mac}, ${endText(end)} (${entry.state})`, 'passes', {
      address,
      mac: entry.mac!,
      state: entry.state,
    })
  else if (heard)
    walk.step('neighbour', from, `${address} is ${end.link.mac}, ${endText(end)}, which has just asked`, 'passes', factsOf(address, end))
  else ask(walk, from, address, end)
  return { ...owner, asking: !known && !heard }
}

const factsOf = (address: string, { link }: End) => ({ address, ...(link.mac !== undefined && { mac: link.mac }) })
/** Whoever is asked learns who asks. */
const heardKey = (asker: string, { place, link }: End, address: string) => `${asker} told ${place.key} ${link.index} of ${address}`

function ask(walk: Walk, from: End, address: string, to: End): void {
  const deaf = [from, to].find(({ link }) => link.flags.includes('NOARP'))
  if (!deaf) {
    walk.step(
      'neighbour',
      from,
      `${from.place.label} asks for ${address}, and ${endText(to)} has it (${to.link.mac})`,
      'passes',
      factsOf(address, to),
    )
    return
  }
  walk.drop('neighbour', deaf, `${endText(deaf)} does without ARP, so that nobody learns the MAC of ${address}`, {
    kind: 'no-arp',
    cures: [{ text: `switch ARP on again: ip link set ${deaf.link.name} arp on` }],
  })
}

/** A packet goes by, and its receiver will know where the answer has to go. */
export function hear(walk: Walk, { place }: End, address: string, receiver: End): void {
  walk.heard.add(heardKey(place.key, receiver, address))
}

function wrong(walk: Walk, from: End, { address, mac, state }: Neighbour, owner: End): void {
  const link = from.link.name
  const permanent = fixed.includes(state)
  const text = `the neighbour table of ${from.place.label} has ${mac} for ${address} (${state}), but ${endText(owner)} has the MAC ${owner.link.mac}`
  walk.drop('neighbour', from, text, {
    kind: 'wrong-neighbour',
    cures: [
      cure('remove the entry, so that the address is asked for', call(from.place, 'neighbours', 'delete', { address, link })),
      ...(permanent && owner.link.mac !== undefined
        ? [cure('give the entry the right MAC', call(from.place, 'neighbours', 'replace', { address, mac: owner.link.mac, link }))]
        : []),
    ],
    about: address,
  })
}

async function missing(
  walk: Walk,
  from: End,
  address: string,
  entry: Neighbour | undefined,
  elsewhere: End | undefined,
): Promise<Resolved | undefined> {
  const { open } = await segmentOf(walk.world, from)
  if (elsewhere) {
    walk.drop('neighbour', from, `${endText(elsewhere)} has ${address}, but no cable or bridge leads there from ${endText(from)}`, {
      kind: 'not-connected',
      cures: [{ text: 'put both on one bridge, or send it by a router: routes.add({ to, via })' }],
      about: address,
    })
    return { end: elsewhere, hops: [], asking: true }
  }
  const lost = entry?.state === 'failed' || entry?.state === 'incomplete'
  if (open.length > 0 && !lost) {
    const says = entry?.mac === undefined ? '' : `; the neighbour table says ${entry.mac} (${entry.state})`
    walk.step('neighbour', from, `${address} is beyond ${endText(open[0]!)}, which leads to where nobody can look${says}`, 'unknown')
    return undefined
  }
  walk.drop(
    'neighbour',
    from,
    `nobody whom ${endText(from)} reaches has the address ${address}${lost ? `: the kernel has asked, and nobody answers` : ''}`,
    {
      kind: 'unresolved',
      cures: [{ text: 'see that the address is right, and that its owner is on this segment: addresses.add(link, cidr)' }],
      about: address,
    },
  )
  return undefined
}

/** For a packet that it only forwards, the kernel asks with a link-local address, or not at all. */
export async function checkLinkLocal(walk: Walk, end: End): Promise<void> {
  const { place, link } = end
  const addresses = await place.addresses(6)
  if (addresses.some(one => one.link === link.index && one.scope === 'link')) return
  const free = freeAddress({ address: 'fe80::', prefix: 64 }, await taken(walk, 6))
  walk.drop('neighbour', end, `${endText(end)} has no link-local address, with which ${place.label} would ask for neighbours`, {
    kind: 'no-link-local',
    cures: [cure('give it one', call(place, 'addresses', 'add', link.name, `${free}/64`))],
  })
}
