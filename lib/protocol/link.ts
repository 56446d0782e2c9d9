// RTM_NEWLINK and its relatives: a link of any kind (linux/if_link.h).
import type { Attributes } from '../codec/codec.js'
import { bytes, string } from '../codec/scalars.js'
import { attributes, by, message } from '../codec/table.js'
import { bridge } from './kinds/bridge.js'
import { bridgePort } from './kinds/bridge-port.js'
import { ipvlan } from './kinds/ipvlan.js'
import { macvlan } from './kinds/macvlan.js'
import { dummy, ifb } from './kinds/plain.js'
import { tun } from './kinds/tun.js'
import { veth } from './kinds/veth.js'
import { vlan } from './kinds/vlan.js'
import { vxlan } from './kinds/vxlan.js'
import { ifinfomsg, linkBase } from './link-base.js'

const linkInfoEntries = {
  kind: [1, string],
  data: [2, by('kind', { veth, bridge, vxlan, macvlan, macvtap: macvlan, ipvlan, ipvtap: ipvlan, vlan, dummy, ifb, tun })],
  xstats: [3, bytes],
  slaveKind: [4, string],
  slaveData: [5, by('slaveKind', { bridge: bridgePort })],
} as const
export interface LinkInfoTable extends Attributes<typeof linkInfoEntries> {}
/** What a link is, and what it is a port of: each has options of its own. */
export const linkInfo: LinkInfoTable = attributes('IFLA_INFO', linkInfoEntries)

export interface LinkTable
  extends Attributes<typeof linkBase & { readonly linkinfo: readonly [18, LinkInfoTable] }, typeof ifinfomsg.fields> {}
/** RTM_NEWLINK, DELLINK, GETLINK, SETLINK, NEWLINKPROP, DELLINKPROP. */
export const link: LinkTable = message(ifinfomsg, 'IFLA', { ...linkBase, linkinfo: [18, linkInfo] })
