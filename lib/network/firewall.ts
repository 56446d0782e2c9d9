// Changing the firewall: every change is one transaction of elements, and rules are made once with the table.
import { isArgumentError } from '../codec/errors.js'
import type { Namespace } from '../kernel/namespace.js'
import type { SetMember } from '../kernel/nftables/expression.js'
import type { RulesetObject } from '../kernel/nftables/objects.js'
import type { Transaction } from '../kernel/nftables/record.js'
import { NetloomError } from '../socket/error.js'
import type { FirewallElements } from './firewall-elements.js'
import { type FirewallSet, firewallObjects, firewallTable, setRef } from './firewall-table.js'

/** Puts elements in, all or none, and makes the table if it is not there. Errors: EEXIST a port is published already. */
export async function admit(host: Namespace, elements: FirewallElements): Promise<void> {
  if (elements.length === 0) return
  for (let tries = 0; ; tries++) {
    try {
      await host.nftables.transaction(t => {
        for (const [set, elem] of bySet(elements)) t.elements.add({ ...setRef(set), elem })
      })
      return
    } catch (error) {
      // It is there nearly always, so that nobody asks for it before.
      if (!meansNoTable(error) || tries === 3) throw error
      await makeWhole(host, [])
    }
  }
}

/**
 * Makes the table what it shall be, with these elements, by what differs and in one transaction; true if something did. Other elements stay, of
 * other folders as they may be.
 */
export async function makeWhole(host: Namespace, elements: FirewallElements): Promise<boolean> {
  const added = [...bySet(elements)].map(([set, elem]): RulesetObject => ({ element: { ...setRef(set), elem } }))
  const { changes } = await host.nftables.apply([...firewallObjects(), ...added], { elements: 'keep' })
  return changes > 0
}

/** Takes elements out; those that are not there, or lead somewhere else, are left alone. */
export async function dismiss(host: Namespace, elements: FirewallElements): Promise<void> {
  if (elements.length === 0) return
  try {
    await host.nftables.transaction(t => takeOut(t, elements))
  } catch (error) {
    if (meansNoTable(error) && (await host.nftables.tables.find(firewallTable)) === undefined) return
    if (!(error instanceof NetloomError) || error.code !== 'EEXIST') throw error
    // A key that leads somewhere else is another folder's.
    for (const one of elements) await host.nftables.transaction(t => takeOut(t, [one])).catch(unlessOthers)
  }
}

/** The elements are ours: what is said of one that cannot be written is that its set is not there, before the kernel is given it. */
const meansNoTable = (error: unknown): boolean => isArgumentError(error) || (error instanceof NetloomError && error.code === 'ENOENT')

/** Adding first makes the removal of what is not there no error. */
function takeOut(t: Transaction, elements: FirewallElements): void {
  for (const [set, elem] of bySet(elements)) {
    t.elements.add({ ...setRef(set), elem })
    t.elements.delete({ ...setRef(set), elem })
  }
}
function unlessOthers(error: unknown): void {
  if (!(error instanceof NetloomError) || error.code !== 'EEXIST') throw error
}

/** Removes the table once it has no bridge left, of any folder. */
export async function removeIfEmpty(host: Namespace): Promise<void> {
  const { nftables } = host
  const bridges = setRef('bridges')
  if ((await nftables.tables.find(firewallTable)) === undefined || (await nftables.elements.list(bridges)).length > 0) return
  const { generation, nftables: objects } = await nftables.list({ family: firewallTable.family, table: firewallTable.name })
  if (objects.some(one => 'set' in one && one.set.name === bridges.name && one.set.elem?.length)) return
  try {
    await nftables.transaction(t => t.tables.delete(firewallTable), { generation })
  } catch (error) {
    // Others changed something meanwhile: a table without elements does no harm.
    if (!(error instanceof NetloomError) || !['ERESTART', 'ENOENT'].includes(error.code)) throw error
  }
}

/** Lets the kernel forward packets. Not for networks without a way out. */
export async function letForward(host: Namespace, families: ReadonlySet<4 | 6>): Promise<void> {
  for (const [family, key] of [
    [4, 'net.ipv4.ip_forward'],
    [6, 'net.ipv6.conf.all.forwarding'],
  ] as const)
    if (families.has(family) && (await host.sysctl.get(key)) !== '1') await host.sysctl.set(key, 1)
}

function bySet(elements: FirewallElements): Map<FirewallSet, SetMember[]> {
  const sets = new Map<FirewallSet, SetMember[]>()
  for (const [set, element] of elements) {
    const list = sets.get(set) ?? []
    list.push(element)
    sets.set(set, list)
  }
  return sets
}
