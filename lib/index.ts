// netloom's public API.

// Adds verbs to Namespace.
import './plan/bulk.js'
import './plan/gc.js'

export type { ArgumentError } from './codec/errors.js'
export { type ExplainOptions, explain } from './explain/explain.js'
export type {
  Cause as ExplainCause,
  CauseKind as ExplainCauseKind,
  Cure as ExplainCure,
  CureCall as ExplainCureCall,
  ExplainStep,
  Explanation,
} from './explain/result.js'
export type { Address, AddressOptions } from './kernel/address-object.js'
export type { AddressFilter } from './kernel/addresses.js'
export type { ConntrackCpuStatistics, ConntrackStatistics } from './kernel/conntrack.js'
export type { ConntrackChanges, ConntrackCreate } from './kernel/conntrack-change.js'
export type { ConntrackFilter, ConntrackListFilter, ConntrackStatus } from './kernel/conntrack-filter.js'
export type { ConntrackDirection, ConntrackEntry, ConntrackExpectation, ConntrackTuple } from './kernel/conntrack-object.js'
export type { ConntrackChange, ConntrackEvent, ConntrackWatchOptions } from './kernel/conntrack-watch.js'
export type { FdbEntry, FdbFilter, FdbSpec, FdbState } from './kernel/fdb.js'
export type { AcceptRule } from './kernel/iptables/accept.js'
export type { AcceptOptions, IptablesFilter } from './kernel/iptables/iptables.js'
export type { IptablesPacket } from './kernel/iptables/packet.js'
export type {
  IptablesBackend,
  IptablesChain,
  IptablesCondition,
  IptablesMatch,
  IptablesRule,
  IptablesTable,
  IptablesTarget,
} from './kernel/iptables/rule.js'
export type { IptablesPlace, IptablesVerdict } from './kernel/iptables/verdict.js'
export type { Link, LinkCommon, LinkOf } from './kernel/link-object.js'
export type { Ipv6Policy, LinkChange, LinkCreate, LinkFields, PeerCreate } from './kernel/link-request.js'
export type { CreatedLink, LinkFilter } from './kernel/links.js'
export { Namespace, type NamespaceCreateOptions } from './kernel/namespace.js'
export type { Neighbour, NeighbourFilter, NeighbourSpec } from './kernel/neighbours.js'
export type { Applied as NftApplied, ApplyOptions as NftApplyOptions } from './kernel/nftables/apply.js'
export { type BuiltRule, nft, type RulePart } from './kernel/nftables/builders.js'
export type { ChainChange as NftChainChange, ChainSpec as NftChainSpec } from './kernel/nftables/chain-object.js'
export type {
  Expression as NftExpression,
  SetMember as NftSetMember,
  Verdict as NftVerdict,
} from './kernel/nftables/expression.js'
export type { FlowtableSpec as NftFlowtableSpec } from './kernel/nftables/flowtables.js'
export { nftJson } from './kernel/nftables/json.js'
export type { RulesetListing as NftListing } from './kernel/nftables/list.js'
export type { MonitorEvent as NftMonitorEvent, MonitorOptions as NftMonitorOptions } from './kernel/nftables/monitor.js'
export type {
  ChainObject as NftChain,
  ElementObject as NftElement,
  MapObject as NftMap,
  RuleObject as NftRule,
  Ruleset as NftRuleset,
  RulesetObject as NftRulesetObject,
  RulesetObjects as NftRulesetObjects,
  SetObject as NftSet,
  TableObject as NftTable,
} from './kernel/nftables/objects.js'
export type { Transaction as NftTransaction } from './kernel/nftables/record.js'
export type {
  ChainRef as NftChainRef,
  NamedRef as NftNamedRef,
  ObjectFilter as NftObjectFilter,
  RuleRef as NftRuleRef,
  TableFilter as NftTableFilter,
  TableRef as NftTableRef,
} from './kernel/nftables/references.js'
export type { Rule as NftListedRule } from './kernel/nftables/rule-object.js'
export type {
  AddedRule as NftAddedRule,
  RuleFilter as NftRuleFilter,
  RulePlace as NftRulePlace,
  RuleSpec as NftRuleSpec,
} from './kernel/nftables/rules.js'
export { toBuilders } from './kernel/nftables/source.js'
export type { Statement as NftStatement } from './kernel/nftables/statement.js'
export type { TableChange as NftTableChange, TableSpec as NftTableSpec } from './kernel/nftables/tables.js'
export { type NftTextOptions, nftText } from './kernel/nftables/text.js'
export type { TraceEvent as NftTraceEvent, TraceOptions as NftTraceOptions, TraceStep as NftTraceStep } from './kernel/nftables/trace.js'
export type { TracePacket as NftTracePacket } from './kernel/nftables/trace-packet.js'
export { traceText } from './kernel/nftables/trace-text.js'
export type { TransactionOptions as NftTransactionOptions } from './kernel/nftables/transaction.js'
export type { NftablesVerdict } from './kernel/nftables/verdict.js'
export type { NftablesConnection, NftablesPacket } from './kernel/nftables/verdict-packet.js'
export type { NftablesPlace, NftablesStep } from './kernel/nftables/verdict-walk.js'
export type { Peer } from './kernel/peer.js'
export { routeFlags } from './kernel/route-flags.js'
export type { RouteMetrics } from './kernel/route-metrics.js'
export type { Nexthop, Route, RouteType } from './kernel/route-object.js'
export type { NexthopSpec, RouteSpec } from './kernel/route-request.js'
export type { RouteFilter, RouteLookup } from './kernel/routes.js'
export type { Rule, RuleFilter, RuleSpec, RuleType } from './kernel/rules.js'
export type { LinkRef } from './kernel/scope.js'
export { type ArpView, arpView } from './kernel/view-arp.js'
export { type BrctlMacView, type BrctlView, brctlMacsView, brctlView } from './kernel/view-brctl.js'
export { type IfconfigView, ifconfigView } from './kernel/view-ifconfig.js'
export { iptablesListView, iptablesSaveView } from './kernel/view-iptables.js'
export { type NetstatView, netstatView, type RouteView, routeView } from './kernel/view-routes.js'
export type { WatchEvent, WatchKind, WatchOptions } from './kernel/watch-events.js'
export type { ExecError, ExecOptions } from './namespace/exec.js'
export type { NamespaceInfo } from './namespace/info.js'
export type { ConnectOptions, ListenOptions, UdpOptions } from './namespace/node-sockets.js'
export type { PingOptions } from './namespace/ping.js'
export type { NamespaceSource } from './namespace/source.js'
export type { NamespaceSpawnOptions } from './namespace/spawn.js'
export type { ConnectOptions as NetworkConnectOptions } from './network/connect-options.js'
export type { DnsOptions } from './network/dns.js'
export { Endpoint } from './network/endpoint.js'
export type { NetworkWarning } from './network/foreign.js'
export type { ContainerInspect, EndpointInspect, NetworkInspect } from './network/inspect.js'
export { type ConnectManyOptions, type ConnectSource, Network } from './network/network.js'
export { type NetworkFilter, Networks, type NetworksOptions, type PruneFilter } from './network/networks.js'
export type { NetworkCreate, Subnet } from './network/options.js'
export type { PacketWalk, PacketWalkOptions, WalkEnd as PacketWalkEnd, WalkStep as PacketWalkStep } from './network/packet-walk.js'
export type { Publish } from './network/port-options.js'
export type { PortsInspect } from './network/port-text.js'
export type { PortRecord } from './network/records.js'
export type { DeleteManyOptions } from './plan/bulk.js'
export type { PlanProblems } from './plan/check.js'
export type { Collected } from './plan/gc.js'
export type { PlanJson } from './plan/json.js'
export { Plan, type PlanNamespaceOptions, type PlanOptions } from './plan/plan.js'
export type { PlanLinkChange, PlanLinkCreate, PlanNamespace, PlanNeighbour, PlannedLink, PlanRoute } from './plan/plan-namespace.js'
export { NamespacePool, type NamespacePoolOptions, type TakeOptions } from './plan/pool.js'
export type { Limit as PlanLimit } from './plan/preflight.js'
export type { PlanLink } from './plan/record.js'
export type { ApplyOptions, DeleteOptions, Failure as PlanFailure, PlanResult, Progress as PlanProgress } from './plan/result.js'
export { AbortError, NetloomError } from './socket/error.js'
export { topologyDot } from './topology/dot.js'
export { topologyMermaid } from './topology/mermaid.js'
export { readTopology } from './topology/read.js'
export { type TopologyTextOptions, topologyText } from './topology/text.js'
export type { Cable, CableEnd, DefaultRoute, Topology, TopologyLink, TopologyNamespace } from './topology/topology.js'
