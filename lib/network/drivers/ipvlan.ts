// The driver 'ipvlan': endpoints with addresses of their own behind the MAC address of an interface of the host. Nothing of it is in the host namespace.
import { hasKind } from '../../kernel/link-support.js'
import { scoped } from '../../kernel/scope.js'
import { NetloomError } from '../../socket/error.js'
import { policyOf } from '../endpoint-link.js'
import type { EndpointRecord } from '../records.js'
import type { Driver } from './driver.js'
import { clashOnParent, ensureParent, parentOf, removeInside } from './parent.js'

export const ipvlanDriver: Driver = {
  name: 'ipvlan',
  addresses: true,
  cables: false,
  sharesMac: true,

  clash: (settings, others) => clashOnParent('ipvlan', settings, others),

  async ensure(host, { spec }, settings) {
    await ensureParent(host, parentOf(settings, 'ipvlan'))
    if (await hasKind(host[scoped], 'ipvlan')) return
    throw new NetloomError('EOPNOTSUPP', {
      ...{ operation: 'create network', subject: spec.name, path: 'driver', reason: 'this kernel has no ipvlan' },
      hint: 'the driver macvlan gives the same with a MAC address for each endpoint',
    })
  },
  remove: async () => undefined,

  join(plan, host, _network, settings, { record, namespace, mtu = settings.mtu }) {
    const { ipvlanMode: mode = 'l2', ipvlanFlag: flag = 'bridge' } = settings
    const options = { mode, flags: flag === 'bridge' ? [] : [flag] }
    plan.in(host).links.create({
      ...{
        kind: 'ipvlan',
        name: record.interface as string,
        index: indexOf(record),
        link: parentOf(settings, 'ipvlan'),
        namespace,
        up: true,
      },
      ...{ options, ipv6: policyOf(record), ...(mtu !== undefined && { mtu }) },
    })
  },

  leave: async (core, endpoints) =>
    removeInside(core, endpoints, ({ kind, index }, record) => kind === 'ipvlan' && index === indexOf(record)),
}

/** The MAC address is the parent's, so that the index is what tells the interface from others: one that nobody else picks, from the creating message on. */
const indexOf = ({ id }: EndpointRecord): number => 2 ** 30 + Number.parseInt(id.slice(0, 7), 16)
