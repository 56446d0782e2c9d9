// What the tables of nf_tables' expressions claim about the kernel's headers.
import * as action from '../../lib/protocol/nftables/expressions/action.js'
import * as compare from '../../lib/protocol/nftables/expressions/compare.js'
import * as load from '../../lib/protocol/nftables/expressions/load.js'
import * as nat from '../../lib/protocol/nftables/expressions/nat.js'
import type { Claim } from '../helpers/c-compiler.js'
import { claim, type NumberSet } from './abi-form.js'

export const expressionHeaders = [
  'linux/netfilter/nf_tables_compat.h',
  'linux/netfilter/nf_nat.h',
  'linux/netfilter/nf_log.h',
  'linux/netfilter/nf_synproxy.h',
  'linux/xfrm.h',
]

export const expressionSets: readonly NumberSet[] = [
  { prefix: 'NFT_REG', numbers: compare.registers },
  { prefix: 'NFT_CMP', numbers: compare.cmpOps },
  { prefix: 'NFT_RANGE', numbers: compare.rangeOps },
  { prefix: 'NFT_BITWISE', numbers: compare.bitwiseOps },
  { prefix: 'NFT_BYTEORDER', numbers: compare.byteorderOps },
  { prefix: 'NFT_LOOKUP_F', numbers: compare.lookupFlags, bits: true },
  { prefix: 'NFT_PAYLOAD', numbers: load.payloadBases },
  { prefix: 'NFT_PAYLOAD_CSUM', numbers: load.checksumTypes },
  { prefix: 'NFT_PAYLOAD_L4CSUM', numbers: load.checksumFlags, bits: true },
  { prefix: 'NFT_META', numbers: load.metaKeys },
  { prefix: 'NFT_CT', numbers: load.ctKeys },
  { prefix: 'IP_CT_DIR', numbers: load.ctDirections },
  { prefix: 'NFT_RT', numbers: load.rtKeys },
  { prefix: 'NFT_SOCKET', numbers: load.socketKeys },
  { prefix: 'NFT_FIB_RESULT', numbers: load.fibResults },
  { prefix: 'NFTA_FIB_F', numbers: load.fibFlags, bits: true },
  { prefix: 'NFT_EXTHDR_OP', numbers: load.exthdrOps },
  { prefix: 'NFT_EXTHDR_F', numbers: load.exthdrFlags, bits: true },
  { prefix: 'NFT_NG', numbers: load.numgenTypes },
  { prefix: 'NFT_HASH', numbers: load.hashTypes },
  { prefix: 'NFT_OSF_F', numbers: load.osfFlags, bits: true },
  { prefix: 'NFT_XFRM_KEY', numbers: load.xfrmKeys },
  { prefix: 'XFRM_POLICY', numbers: load.xfrmDirections },
  { prefix: 'NFT_TUNNEL', numbers: load.tunnelKeys },
  { prefix: 'NFT_TUNNEL_MODE', numbers: load.tunnelModes },
  { prefix: 'NFT_INNER', numbers: load.innerFlags, bits: true },
  { prefix: 'NFT_INNER', numbers: load.innerTypes },
  { prefix: 'NFT_NAT', numbers: nat.natTypes },
  { prefix: 'NFT_LOGLEVEL', numbers: action.logLevels },
  { prefix: 'NF_LOG', numbers: action.logFlags, bits: true },
  { prefix: 'NFT_REJECT', numbers: action.rejectTypes },
  { prefix: 'NFT_QUEUE_FLAG', numbers: action.queueFlags, bits: true },
  { prefix: 'NF_SYNPROXY_OPT', numbers: action.synproxyOptions, bits: true },
  { prefix: 'NFT_DYNSET_OP', numbers: action.dynsetOps },
  { prefix: 'NFT_DYNSET_F', numbers: action.dynsetFlags, bits: true },
]

export const expressionListClaims = (): Claim[] => [
  claim('NFTA_LIST_ELEM', action.dynset.entries.expressions[1].item[0]),
  claim('NFT_REG32_00', compare.smallRegister),
]
