// What the tables of netfilter claim about the kernel's headers.
import * as netfilter from '../../lib/protocol/netfilter.js'
import * as chain from '../../lib/protocol/nftables/chain.js'
import { elementFlags, elementList } from '../../lib/protocol/nftables/element.js'
import { expressions } from '../../lib/protocol/nftables/expression.js'
import * as stateful from '../../lib/protocol/nftables/expressions/stateful.js'
import * as flowtable from '../../lib/protocol/nftables/flowtable.js'
import * as messages from '../../lib/protocol/nftables/messages.js'
import * as object from '../../lib/protocol/nftables/object.js'
import * as set from '../../lib/protocol/nftables/set.js'
import * as table from '../../lib/protocol/nftables/table.js'
import { traceTypes } from '../../lib/protocol/nftables/trace.js'
import type { Claim } from '../helpers/c-compiler.js'
import { conntrackHeaders, conntrackSets, conntrackStructs } from './abi-conntrack.js'
import { expressionHeaders, expressionListClaims, expressionSets } from './abi-expressions.js'
import { claim, layout, type NumberSet, type StructLayout } from './abi-form.js'
import { iptablesDataClaims, iptablesHeaders, iptablesSets, iptablesStructs } from './abi-iptables.js'

/** In the order in which they can be included. */
export const netfilterHeaders = [
  'linux/netfilter.h',
  'linux/netfilter_arp.h',
  'linux/netfilter/nfnetlink.h',
  'linux/netfilter/nf_tables.h',
  'linux/netfilter/nfnetlink_cttimeout.h',
  ...conntrackHeaders,
  ...iptablesHeaders,
  ...expressionHeaders,
]

const packetVerdicts = Object.fromEntries(
  (['drop', 'accept', 'stolen', 'queue', 'repeat'] as const).map(name => [name, `NF_${name.toUpperCase()}`]),
)

export const netfilterSets: readonly NumberSet[] = [
  { prefix: 'NFPROTO', numbers: netfilter.netfilterFamilies },
  { prefix: 'NFNL_SUBSYS', numbers: netfilter.netfilterSubsystems },
  { prefix: 'NFNLGRP', numbers: netfilter.netfilterGroups },
  { prefix: 'NFNL_MSG', numbers: netfilter.netfilterMessages },
  {
    prefix: 'NFT_MSG',
    numbers: messages.nftablesMessages,
    joined: true,
    above: 'NFNL_SUBSYS_NFTABLES << 8',
    renamed: { getObjReset: 'NFT_MSG_GETOBJ_RESET', getRuleReset: 'NFT_MSG_GETRULE_RESET', getSetElemReset: 'NFT_MSG_GETSETELEM_RESET' },
  },
  { prefix: 'NFT', numbers: messages.verdictCodes, renamed: packetVerdicts },
  { prefix: 'NFT_TABLE_F', numbers: table.tableFlags, bits: true },
  { prefix: 'NF_INET', numbers: chain.inetHooks },
  { prefix: 'NF_ARP', numbers: chain.arpHooks },
  { prefix: 'NF_NETDEV', numbers: chain.netdevHooks },
  { prefix: 'NFT_CHAIN', numbers: chain.chainFlags, bits: true },
  { prefix: 'NF', numbers: chain.chainPolicies },
  { prefix: 'NFT_TRACETYPE', numbers: traceTypes },
  { prefix: 'NFT_SET', numbers: set.setFlags, bits: true },
  { prefix: 'NFT_SET_POL', numbers: set.setPolicies },
  { prefix: 'NFT_SET_ELEM', numbers: elementFlags, bits: true },
  { prefix: 'NFT_OBJECT', numbers: object.objectTypes },
  { prefix: 'NFT_FLOWTABLE', numbers: flowtable.flowtableFlags, bits: true },
  { prefix: 'NFT_QUOTA_F', numbers: stateful.quotaFlags, bits: true },
  { prefix: 'NFT_LIMIT', numbers: stateful.limitTypes },
  { prefix: 'NFT_LIMIT_F', numbers: stateful.limitFlags, bits: true },
  { prefix: 'NFT_CONNLIMIT_F', numbers: stateful.connlimitFlags, bits: true },
  ...conntrackSets,
  ...iptablesSets,
  ...expressionSets,
]

export const netfilterStructs: readonly StructLayout[] = [
  layout('nfgenmsg', netfilter.nfgenmsg, '', { family: 'nfgen_family' }),
  ...conntrackStructs,
  ...iptablesStructs,
]

export const netfilterListClaims = (): Claim[] => [
  ...iptablesDataClaims,
  claim('NFTA_DEVICE_NAME', chain.devices.item[0]),
  claim('NFTA_LIST_ELEM', expressions.item[0]),
  claim('NFTA_LIST_ELEM', set.setDescription.entries.concat[1].item[0]),
  claim('NFTA_LIST_ELEM', elementList.entries.elements[1].item[0]),
  claim('NFT_DATA_VERDICT', set.verdictDataType),
  ...expressionListClaims(),
]
