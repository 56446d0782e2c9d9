// The driver 'bridge': a bridge in the host namespace with the gateways' addresses, and a veth pair for each endpoint.
import { argumentError } from '../../codec/errors.js'
import type { LinkFields } from '../../kernel/link-request.js'
import type { Namespace } from '../../kernel/namespace.js'
import { scoped } from '../../kernel/scope.js'
import { sameNamespace } from '../../namespace/info.js'
import { deleteLinks } from '../../plan/remove.js'
import { NetloomError } from '../../socket/error.js'
import { type DriverSettings, settingsOf } from '../driver-options.js'
import { cableOf, policyOf } from '../endpoint-link.js'
import { admit, dismiss, letForward, removeIfEmpty } from '../firewall.js'
import { networkElements } from '../firewall-elements.js'
import { macFor } from '../mac-address.js'
import type { EndpointRecord, NetworkRecord } from '../records.js'
import { together } from '../state-files.js'
import { layCables } from './cables.js'
import type { Driver, Joining } from './driver.js'
import { unplug } from './unplug.js'

/** Endpoints of which each is looked for by name; of more of them the links are listed once. */
const few = 16

/** Cables of which each is removed by itself; more of them go together. */
const alone = 2

export const bridgeDriver: Driver = {
  name: 'bridge',
  addresses: true,
  cables: true,
  // BR_MAX_PORTS of the kernel, less the number 0, which no port has.
  most: 1_023,
  device: (id, { bridge }, gateway) => ({ name: bridge ?? `br-${id.slice(0, 12)}`, mac: macFor(gateway) }),

  check(host, { namespace }, path) {
    if (!sameNamespace(host, namespace)) return
    throw argumentError(
      'ERR_NETLOOM_INVALID_NAMESPACE',
      'the host namespace cannot be on a bridge of its own, by which it reaches all on it',
      path,
    )
  },

  async ensure(host, network, settings, present) {
    const { mtu } = settings
    const { name, mac } = deviceOf(network)
    const found = await host.links.find(name)
    if (found?.mac === mac && found.kind === 'bridge') return
    if (found) {
      const hint = 'choose another name with the option bridge'
      throw new NetloomError('EEXIST', { operation: 'create bridge', subject: name, reason: 'there is another link of that name', hint })
    }
    // Before there is a bridge: none of ours is ever without the rules that separate it.
    await admit(host, networkElements(network, settings))
    if (!network.spec.internal) await letForward(host, new Set(network.pools.map(({ gateway }) => (gateway.includes(':') ? 6 : 4))))
    await host.links.create({
      ...{ kind: 'bridge', name, mac, up: true, ipv6: network.spec.ipv6 ? 'static' : 'none' },
      ...(mtu !== undefined && { mtu }),
      // A bridge of containers forwards at once, and its frames are no packets of the host's firewall. With snooping the kernel would start the timers
      // of all ports anew for each that comes or goes, and learn nothing as long as nobody asks who listens.
      options: {
        forwardDelay: 0,
        multicastSnooping: false,
        nfCallIptables: false,
        nfCallIp6tables: false,
        nfCallArptables: false,
      },
    })
    try {
      for (const { subnet, gateway } of network.pools) await host.addresses.add(name, `${gateway}/${subnet.split('/')[1]}`, noDad(gateway))
      // The kernel asks for a neighbour to forward to only from a link-local address, and Docker's bridges have this one too.
      if (network.spec.ipv6) await host.addresses.add(name, 'fe80::1/64', { noDad: true })
      for (const record of await present()) await plugIn(host, name, settings, record)
    } catch (error) {
      await host.links.delete(name)
      throw error
    }
  },

  async remove(host, network) {
    const { device } = network
    if (!device) return
    const found = await host.links.find(device.name)
    // What has the name and is not ours may be another folder's, with elements of its own.
    if (found && (found.mac !== device.mac || found.kind !== 'bridge')) return
    if (found) await deleteLinks(host[scoped], [found.index])
    await dismiss(host, networkElements(network, settingsOf(network)))
    await removeIfEmpty(host)
  },

  async furnish(host, network, settings, all, signal) {
    const { index } = await host[scoped].getLink(deviceOf(network).name)
    const cables = all.map(furnished => {
      const { inside, port } = endsOf(settings, furnished)
      return { furnished, inside, port }
    })
    return layCables(host, index, cables, signal)
  },

  join(plan, host, network, settings, joining) {
    const { inside, port } = endsOf(settings, joining)
    const peer = { ...inside, namespace: joining.namespace }
    plan.in(host).links.create({ kind: 'veth', ...port, master: deviceOf(network).name, peer })
  },

  async leave(core, endpoints) {
    const { host } = core
    const ours = endpoints.filter(({ hostInterface }) => hostInterface !== undefined)
    if (ours.length <= alone) return together(...ours.map(record => unplug(core, record)))
    const links =
      ours.length > few
        ? await host.links.list({ kind: 'veth' })
        : (await Promise.all(ours.map(one => host.links.find(cableOf(one).hostInterface)))).filter(link => link !== undefined)
    const byName = new Map(links.map(link => [link.name, link]))
    const indexes = ours.map(cableOf).flatMap(one => {
      const link = byName.get(one.hostInterface)
      return link && link.mac === one.hostMac ? [link.index] : []
    })
    await deleteLinks(host[scoped], indexes)
  },
}

/** The cable of an endpoint, if it is there and ours, becomes a port once more. */
async function plugIn(host: Namespace, bridge: string, { icc = true }: DriverSettings, record: EndpointRecord): Promise<void> {
  if (record.hostInterface === undefined) return
  const { hostInterface, hostMac } = cableOf(record)
  const link = await host.links.find(hostInterface)
  if (link?.mac === hostMac) await host.links.update(link, { master: bridge, ...(!icc && { port: { isolated: true } }) })
}

function endsOf({ mtu: ofNetwork, icc = true }: DriverSettings, { record, mtu = ofNetwork }: Pick<Joining, 'record' | 'mtu'>): Ends {
  const cable = cableOf(record)
  const size = mtu === undefined ? {} : { mtu }
  return {
    inside: { name: cable.interface, mac: cable.mac, up: true, ipv6: policyOf(record), ...size },
    port: {
      ...{ name: cable.hostInterface, mac: cable.hostMac, up: true, ipv6: 'none', alias: `netloom ${record.id}`, ...size },
      ...(!icc && { port: { isolated: true } }),
    },
  }
}
interface Ends {
  readonly inside: LinkFields & { readonly name: string }
  readonly port: LinkFields & { readonly name: string }
}

/** Both ends are ours: nobody else can have the address, and nobody wants to wait a second for it. */
const noDad = (address: string) => (address.includes(':') ? { noDad: true } : {})

function deviceOf({ device, spec }: NetworkRecord): NonNullable<NetworkRecord['device']> {
  if (device) return device
  throw new NetloomError('EBADMSG', { operation: 'read state', subject: spec.name, reason: 'the record of the network names no bridge' })
}

/** What the host end of an endpoint is called: as Docker's, with as many digits as a name holds. */
export const cableName = (id: string): string => `veth${id.slice(0, 11)}`
