// Links by name and number, for rules that name one by its number (`iif`, `oif`).
import { pick } from '../../codec/table.js'
import { link as linkTable } from '../../protocol/link.js'
import { rtm } from '../../protocol/rtnetlink.js'
import { type Scope, skipProtocolStatistics } from '../scope.js'
import type { InterfaceNames } from './datatype-codecs.js'

const reply = { type: rtm.newLink, codec: pick(linkTable, ['ifname']) }

export async function readInterfaces(scope: Scope): Promise<InterfaceNames> {
  const connection = await scope.connection()
  const context = { operation: 'list links', namespace: scope.label }
  const request = { type: rtm.getLink, codec: linkTable, value: { extMask: skipProtocolStatistics }, context }
  const links = await connection.dump(request, reply)
  const byName = new Map(links.map(({ ifname = '', index }) => [ifname, index]))
  const byIndex = new Map(links.map(({ ifname = '', index }) => [index, ifname]))
  return { indexOf: name => byName.get(name), nameOf: index => byIndex.get(index) }
}
