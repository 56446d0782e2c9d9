// The driver 'macvlan': endpoints with MAC addresses of their own on an interface of the host. Nothing of it is in the host namespace.
import { lacking } from '../../kernel/arguments.js'
import type { Namespace } from '../../kernel/namespace.js'
import { NetloomError } from '../../socket/error.js'
import { interfaceOf, policyOf } from '../endpoint-link.js'
import { openRecorded } from '../namespaces.js'
import type { EndpointRecord } from '../records.js'
import type { Driver } from './driver.js'

export const macvlanDriver: Driver = {
  name: 'macvlan',
  addresses: true,
  cables: false,

  async ensure(host, _network, { parent }) {
    if (parent === undefined) throw lacking('parent', 'a macvlan network needs the name of an interface of the host')
    if (!(await host.links.find(parent)))
      throw new NetloomError('ENODEV', {
        operation: 'create network',
        path: 'parent',
        subject: parent,
        reason: `there is no interface ${parent}`,
      })
  },
  async remove() {},

  join(plan, host, _network, { parent, macvlanMode = 'bridge', mtu: ofNetwork }, { record, namespace, mtu = ofNetwork }) {
    const link = interfaceOf(record)
    if (parent === undefined) throw lacking('parent', 'a macvlan network needs the name of an interface of the host')
    plan.in(host).links.create({
      ...{ kind: 'macvlan', name: link.interface, mac: link.mac, link: parent, namespace, up: true, options: { mode: macvlanMode } },
      ...{ ipv6: policyOf(record), ...(mtu !== undefined && { mtu }) },
    })
  },

  async leave(_host, endpoints) {
    for (const record of endpoints) {
      const namespace = await openRecorded(record.namespace)
      if (!namespace) continue
      try {
        await removeInside(namespace, record)
      } finally {
        await namespace.close()
      }
    }
  },
}

async function removeInside(namespace: Namespace, record: EndpointRecord): Promise<void> {
  if (record.interface === undefined) return
  const link = await namespace.links.find(record.interface)
  if (link?.kind === 'macvlan' && link.mac === record.mac) await namespace.links.delete(link.index)
}
