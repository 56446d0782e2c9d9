// veth: two links, what goes into one comes out of the other (linux/veth.h).
import { attributes, message } from '../../codec/table.js'
import { ifinfomsg, linkBase } from '../link-base.js'

/** A veth's other end: a link without a kind. `flags.up` is refused here with ENOTCONN, `master` is ignored. */
export const vethPeer = message(ifinfomsg, 'IFLA', linkBase)
export const veth = attributes('VETH_INFO', { peer: [1, vethPeer] })
