// Expressions that change where a packet goes or comes from: nat, masq, redir, tproxy, dup, fwd (linux/netfilter/nf_tables.h).
import { bits, oneOf, u32be } from '../../../codec/scalars.js'
import { attributes } from '../../../codec/table.js'
import { natFlags, netfilterFamilies } from '../../netfilter.js'

/** NFT_NAT_ */
export const natTypes = { snat: 0, dnat: 1 } as const
const family = oneOf(u32be, netfilterFamilies)

export const nat = attributes('NFTA_NAT', {
  type: [1, oneOf(u32be, natTypes)],
  family: [2, family],
  regAddrMin: [3, u32be],
  regAddrMax: [4, u32be],
  regProtoMin: [5, u32be],
  regProtoMax: [6, u32be],
  flags: [7, bits(u32be, natFlags)],
})

export const masq = attributes('NFTA_MASQ', { flags: [1, bits(u32be, natFlags)], regProtoMin: [2, u32be], regProtoMax: [3, u32be] })

export const redir = attributes('NFTA_REDIR', { regProtoMin: [1, u32be], regProtoMax: [2, u32be], flags: [3, bits(u32be, natFlags)] })

export const tproxy = attributes('NFTA_TPROXY', { family: [1, family], regAddr: [2, u32be], regPort: [3, u32be] })

export const dup = attributes('NFTA_DUP', { sregAddr: [1, u32be], sregDev: [2, u32be] })

export const fwd = attributes('NFTA_FWD', { sregDev: [1, u32be], sregAddr: [2, u32be], nfproto: [3, family] })
