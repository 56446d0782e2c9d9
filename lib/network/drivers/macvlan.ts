// The driver 'macvlan': endpoints with MAC addresses of their own on an interface of the host. Nothing of it is in the host namespace.
import { interfaceOf, policyOf } from '../endpoint-link.js'
import type { Driver } from './driver.js'
import { clashOnParent, ensureParent, parentOf, removeInside } from './parent.js'

export const macvlanDriver: Driver = {
  name: 'macvlan',
  addresses: true,
  cables: false,

  clash: (settings, others) => clashOnParent('macvlan', settings, others),
  ensure: async (host, _network, settings) => ensureParent(host, parentOf(settings, 'macvlan')),
  remove: async () => undefined,

  join(plan, host, _network, settings, { record, namespace, mtu = settings.mtu }) {
    const { macvlanMode: mode = 'bridge' } = settings
    const link = interfaceOf(record)
    plan.in(host).links.create({
      ...{ kind: 'macvlan', name: link.interface, mac: link.mac, link: parentOf(settings, 'macvlan'), namespace, up: true },
      ...{ options: { mode }, ipv6: policyOf(record), ...(mtu !== undefined && { mtu }) },
    })
  },

  leave: async (core, endpoints) => removeInside(core, endpoints, ({ kind, mac }, record) => kind === 'macvlan' && mac === record.mac),
}
