// What the drivers share whose endpoints sit on an interface of the host: that interface, and interfaces that are removed inside.
import { lacking } from '../../kernel/arguments.js'
import type { Link } from '../../kernel/link-object.js'
import type { Namespace } from '../../kernel/namespace.js'
import { scoped } from '../../kernel/scope.js'
import { deleteLink } from '../../plan/remove.js'
import { NetloomError } from '../../socket/error.js'
import type { DriverSettings } from '../driver-options.js'
import { settingsOf } from '../driver-options.js'
import { openRecorded } from '../namespaces.js'
import type { EndpointRecord, NetworkRecord } from '../records.js'
import type { Leaving } from './driver.js'

/** The name of the interface of the host. Throws if none was said. */
export function parentOf({ parent }: DriverSettings, driver: 'macvlan' | 'ipvlan'): string {
  if (parent !== undefined) return parent
  throw lacking('parent', `${driver === 'macvlan' ? 'a macvlan' : 'an ipvlan'} network needs the name of an interface of the host`)
}

export async function ensureParent(host: Namespace, parent: string): Promise<void> {
  if (await host.links.find(parent)) return
  throw new NetloomError('ENODEV', {
    operation: 'create network',
    path: 'parent',
    subject: parent,
    reason: `there is no interface ${parent}`,
  })
}

/** Why a network cannot share its parent with one of the others; a device carries macvlans or ipvlans, and these of one mode alone. */
export function clashOnParent(
  driver: 'macvlan' | 'ipvlan',
  settings: DriverSettings,
  others: readonly NetworkRecord[],
): string | undefined {
  for (const other of others) {
    const { driver: its, name, configOnly } = other.spec
    if (configOnly || (its !== 'macvlan' && its !== 'ipvlan')) continue
    const { parent, ipvlanMode = 'l2', ipvlanFlag = 'bridge' } = settingsOf(other)
    if (parent !== settings.parent) continue
    if (its !== driver) return `${parent} carries the ${its} network ${name}, and no ${driver} beside it`
    const same = ipvlanMode === (settings.ipvlanMode ?? 'l2') && ipvlanFlag === (settings.ipvlanFlag ?? 'bridge')
    if (driver === 'ipvlan' && !same) return `${parent} carries the network ${name}, and all ipvlans on it have one mode and one flag`
  }
}

/** Removes the interfaces of endpoints in their namespaces, as far as these can be found and the interfaces are ours. */
export async function removeInside(
  core: Leaving,
  endpoints: readonly EndpointRecord[],
  isOurs: (link: Link, record: EndpointRecord) => boolean,
): Promise<void> {
  for (const record of endpoints) {
    if (record.interface === undefined) continue
    const namespace = await openRecorded(record.namespace)
    if (!namespace) continue
    try {
      const link = await namespace.links.find(record.interface)
      if (link && isOurs(link, record)) core.later((await deleteLink(namespace[scoped], link.index)).over)
    } finally {
      await namespace.close()
    }
  }
}
