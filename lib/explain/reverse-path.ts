// Whether a namespace takes a packet from a link: forwarding, and the checks of where it says that it comes from.
import { ipFamily } from '../codec/ip.js'
import type { Link } from '../kernel/link-object.js'
import { call, cure } from './cures.js'
import { ask } from './lookup.js'
import type { Packet, Walk } from './walk.js'
import type { Place } from './world.js'

/** Looks for what keeps a packet out that the kernel refused when it was asked about this link. */
export async function checkIncoming(walk: Walk, place: Place, packet: Packet, iif: Link, local: boolean): Promise<void> {
  if (!local) await checkForwarding(walk, place, packet, iif)
  if (packet.family === 4 && packet.from !== undefined) await checkSource(walk, place, packet.from, iif)
}

async function checkForwarding(walk: Walk, place: Place, { family }: Packet, iif: Link): Promise<void> {
  const whole = family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding'
  const one = `net.ipv4.conf.${iif.name}.forwarding`
  const off = (await place.sysctl(whole)) === 0
  // IPv6 asks the whole namespace only.
  if (!off && (family === 6 || (await place.sysctl(one)) !== 0)) return
  const text = `${place.label} does not forward IPv${family} packets${off ? '' : ` that come in by ${iif.name}`}`
  walk.drop('forwarding', off ? { place } : { place, link: iif }, text, {
    kind: 'forwarding-off',
    cures: [cure(`let ${place.label} forward`, call(place, 'sysctl', 'set', off ? whole : one, 1))],
    about: String(family),
  })
}

async function checkSource(walk: Walk, place: Place, from: string, iif: Link): Promise<void> {
  const at = { place, link: iif }
  const back = await ask(place, from)
  if ('route' in back && back.route.type === 'local') {
    if (await place.sysctl(`net.ipv4.conf.${iif.name}.accept_local`)) return
    await alsoHere(walk, place, from, `and takes no packet from it by ${iif.name}`)
    return
  }
  const setting = (name: string) => `net.ipv4.conf.${name}.rp_filter`
  const [own, all] = [(await place.sysctl(setting(iif.name))) ?? 0, (await place.sysctl(setting('all'))) ?? 0]
  const filter = Math.max(own, all)
  const links = 'route' in back ? [back.route.link, ...(back.route.nexthops ?? []).map(({ link }) => link)] : []
  if (filter === 0 || links.includes(iif.index) || (filter === 2 && 'route' in back)) return
  const way =
    'route' in back
      ? `the way back to ${from} leads out of ${(await place.link(back.route.link ?? 1)).name}`
      : `there is no way back to ${from}`
  const off = [...(own > 0 ? [iif.name] : []), ...(all > 0 ? ['all'] : [])].map(name => call(place, 'sysctl', 'set', setting(name), 0))
  const cures = [
    ...('route' in back
      ? [cure(`let ${iif.name} take packets whose way back leads elsewhere`, call(place, 'sysctl', 'set', setting(iif.name), 2))]
      : []),
    cure('do without the reverse path filter', ...off),
  ]
  walk.drop(
    'reverse-path',
    at,
    `the reverse path filter of ${place.label} (rp_filter ${filter}) drops what comes in by ${iif.name} from ${from}: ${way}`,
    {
      kind: 'reverse-path',
      cures,
      about: from,
    },
  )
}

/** An address of the packet that this namespace should not have. */
export async function alsoHere(walk: Walk, place: Place, address: string, consequence: string): Promise<void> {
  const holder = (await place.addresses(ipFamily(address) === 6 ? 6 : 4)).find(one => one.address === address)
  const link = holder && (await place.link(holder.link))
  walk.drop('delivery', { place, link }, `${place.label} has the address ${address} too, ${consequence}`, {
    kind: 'duplicate-address',
    cures: [
      holder && link
        ? cure(`take it from ${place.label}`, call(place, 'addresses', 'delete', link.name, holder.cidr))
        : { text: 'give one of the two another address' },
    ],
    about: address,
  })
}
