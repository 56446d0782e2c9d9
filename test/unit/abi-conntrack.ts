// What the tables of conntrack claim about the kernel's headers.
import * as conntrack from '../../lib/protocol/conntrack.js'
import { layout, type NumberSet, type StructLayout } from './abi-form.js'

export const conntrackHeaders = [
  'linux/netfilter/nf_conntrack_common.h',
  'linux/netfilter/nf_conntrack_tcp.h',
  'linux/netfilter/nf_conntrack_sctp.h',
  'linux/netfilter/nfnetlink_conntrack.h',
]

export const conntrackSets: readonly NumberSet[] = [
  { prefix: 'IPCTNL_MSG_CT', numbers: conntrack.conntrackMessages, above: 'NFNL_SUBSYS_CTNETLINK << 8' },
  { prefix: 'IPCTNL_MSG_EXP', numbers: conntrack.expectMessages, above: 'NFNL_SUBSYS_CTNETLINK_EXP << 8' },
  { prefix: 'IPS', numbers: conntrack.conntrackStatus, bits: true },
  { prefix: 'TCP_CONNTRACK', numbers: conntrack.tcpStates },
  { prefix: 'SCTP_CONNTRACK', numbers: conntrack.sctpStates },
  {
    prefix: 'IP_CT_TCP_FLAG',
    numbers: conntrack.tcpFlags,
    bits: true,
    renamed: { expChallengeAck: 'IP_CT_EXP_CHALLENGE_ACK', simultaneousOpen: 'IP_CT_TCP_SIMULTANEOUS_OPEN' },
  },
  { prefix: 'NF_CT_EXPECT', numbers: conntrack.expectFlags, bits: true },
]

export const conntrackStructs: readonly StructLayout[] = [layout('nf_ct_tcp_flags', conntrack.nfCtTcpFlags)]
