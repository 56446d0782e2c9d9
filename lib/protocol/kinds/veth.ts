// veth: two links, what goes into one comes out of the other (linux/veth.h).
import type { Attributes } from '../../codec/codec.js'
import { attributes, message } from '../../codec/table.js'
import { ifinfomsg, linkBase } from '../link-base.js'

export interface VethPeerTable extends Attributes<typeof linkBase, typeof ifinfomsg.fields> {}
/** A veth's other end: a link without a kind. `flags.up` is refused here with ENOTCONN, `master` is ignored. */
export const vethPeer: VethPeerTable = message(ifinfomsg, 'IFLA', linkBase)
export const veth = attributes('VETH_INFO', { peer: [1, vethPeer] })
