// What the public API calls the options of each kind of link, where that differs from the kernel's word, and which of them must or cannot be given.
import type { By, Fields } from '../codec/codec.js'
import type { bridgeSwitches } from '../protocol/kinds/bridge.js'
import type { vlanFlags } from '../protocol/kinds/vlan.js'
import { linkInfo } from '../protocol/link.js'

/** The kernel's tables by kind. */
export type Tables = (typeof linkInfo)['entries']['data'][1] extends By<string, infer M extends Fields> ? M : never
/** Every kind of link that has a table in lib/protocol/kinds. */
export type Kind = keyof Tables & string
export type PortTable = (typeof linkInfo)['entries']['slaveData'][1] extends By<string, infer M extends Fields> ? M['bridge'] : never

export interface Rule {
  /** Public name → the kernel's, where they differ. All others are the kernel's constant in camelCase. */
  readonly names?: Readonly<Record<string, string>>
  /** Public name → a bit of `word`; each is an option of its own. The kernel may leave out a word of which no bit is set. */
  readonly switches?: { readonly word: string; readonly names: Readonly<Record<string, string>>; readonly leftOut?: boolean }
  /** Public name → the kernel's attribute for an IPv6 address, which the same option carries. */
  readonly ipv6?: Readonly<Record<string, string>>
  /** Public name → how its value differs from the kernel's. */
  readonly values?: Readonly<Record<string, 'truth' | 'bridgeId' | 'hex'>>
  /** The kernel reports these and does not take them (public names). */
  readonly readOnly?: readonly string[]
  /** Orders: taken and never reported. */
  readonly writeOnly?: readonly string[]
  /** The kernel reports them always. */
  readonly always?: readonly string[]
  readonly required?: readonly string[]
  /** Sits on another device, given as `link`: always, or when it is wanted. */
  readonly lower?: 'required' | 'optional'
  /** The kind's own attribute for that device, where it is not IFLA_LINK. */
  readonly lowerAttribute?: string
  /** Every link of that kind belongs to its namespace: for kernels before 6.15, which don't say. */
  readonly netnsImmutable?: boolean
  /** Its driver announces a new link itself, before the kernel would send whoever made it an echo: then it sends none. */
  readonly announcesItself?: boolean
}

const macvlan = {
  names: {
    macAddressMode: 'macaddrMode',
    macAddress: 'macaddr',
    macAddresses: 'macaddrData',
    macAddressCount: 'macaddrCount',
    broadcastQueueLength: 'bcQueueLen',
    broadcastQueueLengthUsed: 'bcQueueLenUsed',
    broadcastCutoff: 'bcCutoff',
  },
  readOnly: ['macAddressCount', 'broadcastQueueLengthUsed'],
  writeOnly: ['macAddressMode', 'macAddress'],
  always: ['mode'],
  lower: 'required',
} as const satisfies Rule

const ipvlan = { always: ['mode', 'flags'], lower: 'required' } as const satisfies Rule

export const rules = {
  veth: {},
  dummy: {},
  ifb: {},
  tun: {
    names: { queues: 'numQueues', disabledQueues: 'numDisabledQueues' },
    readOnly: ['persist', 'queues', 'disabledQueues'],
    always: ['type', 'pi', 'vnetHdr', 'multiQueue', 'persist'],
    required: ['type'],
  },
  bridge: {
    names: {
      stp: 'stpState',
      multicastSnooping: 'mcastSnooping',
      multicastRouter: 'mcastRouter',
      multicastQuerier: 'mcastQuerier',
      multicastQuerierState: 'mcastQuerierState',
      multicastQueryUseInterfaceAddress: 'mcastQueryUseIfaddr',
      multicastHashElasticity: 'mcastHashElasticity',
      multicastHashMax: 'mcastHashMax',
      multicastLastMemberCount: 'mcastLastMemberCnt',
      multicastLastMemberInterval: 'mcastLastMemberIntvl',
      multicastStartupQueryCount: 'mcastStartupQueryCnt',
      multicastStartupQueryInterval: 'mcastStartupQueryIntvl',
      multicastMembershipInterval: 'mcastMembershipIntvl',
      multicastQuerierInterval: 'mcastQuerierIntvl',
      multicastQueryInterval: 'mcastQueryIntvl',
      multicastQueryResponseInterval: 'mcastQueryResponseIntvl',
      multicastIgmpVersion: 'mcastIgmpVersion',
      multicastMldVersion: 'mcastMldVersion',
      multicastStatistics: 'mcastStatsEnabled',
      vlanStatistics: 'vlanStatsEnabled',
      vlanStatisticsPerPort: 'vlanStatsPerPort',
      groupForwardMask: 'groupFwdMask',
      groupAddress: 'groupAddr',
      flush: 'fdbFlush',
      learnedAddresses: 'fdbNLearned',
      maxLearnedAddresses: 'fdbMaxLearned',
      topologyChangeNotificationTimer: 'tcnTimer',
      garbageCollectionTimer: 'gcTimer',
    },
    switches: {
      word: 'multiBoolopt',
      names: {
        noLinkLocalLearning: 'noLlLearn',
        multicastVlanSnooping: 'mcastVlanSnooping',
        multipleSpanningTrees: 'mstEnable',
        mdbOffloadFailNotification: 'mdbOffloadFailNotification',
        localAddressesOnlyInVlan0: 'fdbLocalVlan0',
      } satisfies Record<string, keyof typeof bridgeSwitches>,
    },
    values: { stp: 'truth', rootId: 'bridgeId', bridgeId: 'bridgeId' },
    readOnly: [
      'rootId',
      'bridgeId',
      'rootPort',
      'rootPathCost',
      'topologyChange',
      'topologyChangeDetected',
      'helloTimer',
      'topologyChangeNotificationTimer',
      'topologyChangeTimer',
      'garbageCollectionTimer',
      'multicastQuerierState',
      'learnedAddresses',
    ],
    writeOnly: ['flush'],
    always: ['forwardDelay', 'helloTime', 'maxAge', 'ageingTime', 'stp', 'priority', 'groupForwardMask', 'rootId', 'bridgeId'],
    netnsImmutable: true,
  },
  vxlan: {
    names: {
      routeShortCircuit: 'rsc',
      l2Miss: 'l2miss',
      l3Miss: 'l3miss',
      udpChecksum: 'udpCsum',
      udpZeroChecksum6Tx: 'udpZeroCsum6Tx',
      udpZeroChecksum6Rx: 'udpZeroCsum6Rx',
      remoteChecksumTx: 'remcsumTx',
      remoteChecksumRx: 'remcsumRx',
      remoteChecksumNoPartial: 'remcsumNopartial',
      groupPolicy: 'gbp',
      genericProtocol: 'gpe',
      flowLabel: 'label',
      flowLabelPolicy: 'labelPolicy',
      dontFragment: 'df',
      vniFilter: 'vnifilter',
      localBypass: 'localbypass',
      multicastRoute: 'mcRoute',
    },
    values: { reservedBits: 'hex' },
    ipv6: { group: 'group6', local: 'local6' },
    always: ['id'],
    required: ['id'],
    lower: 'optional',
    lowerAttribute: 'link',
    announcesItself: true,
  },
  macvlan,
  macvtap: macvlan,
  ipvlan,
  ipvtap: ipvlan,
  vlan: {
    switches: {
      word: 'flags',
      leftOut: true,
      names: {
        reorderHeader: 'reorderHdr',
        gvrp: 'gvrp',
        looseBinding: 'looseBinding',
        mvrp: 'mvrp',
        bridgeBinding: 'bridgeBinding',
      } satisfies Record<string, keyof typeof vlanFlags>,
    },
    always: ['id', 'protocol'],
    required: ['id'],
    lower: 'required',
  },
} as const satisfies Record<Kind, Rule>
export type Rules = typeof rules

/** A port of a bridge: `bridge link` has most of these words. */
export const portRule = {
  names: {
    hairpin: 'mode',
    rootGuard: 'protect',
    flood: 'unicastFlood',
    multicastFlood: 'mcastFlood',
    broadcastFlood: 'bcastFlood',
    multicastToUnicast: 'mcastToUcast',
    multicastGroups: 'mcastNGroups',
    multicastMaxGroups: 'mcastMaxGroups',
    multicastEhtHostsLimit: 'mcastEhtHostsLimit',
    multicastEhtHostsCount: 'mcastEhtHostsCnt',
    neighbourSuppression: 'neighSuppress',
    neighbourVlanSuppression: 'neighVlanSuppress',
    proxyArp: 'proxyarp',
    proxyArpWifi: 'proxyarpWifi',
    groupForwardMask: 'groupFwdMask',
    backupNexthop: 'backupNhid',
    number: 'no',
  },
  values: { rootId: 'bridgeId', bridgeId: 'bridgeId' },
  readOnly: [
    'number',
    'designatedPort',
    'designatedCost',
    'id',
    'rootId',
    'bridgeId',
    'topologyChangeAck',
    'configPending',
    'messageAgeTimer',
    'forwardDelayTimer',
    'holdTimer',
    'multicastGroups',
    'multicastEhtHostsCount',
    'mrpRingOpen',
    'mrpInOpen',
    // The software bridge has no use for it; drivers that do take it in messages of another family.
    'learningSync',
  ],
  writeOnly: ['flush'],
  always: ['state', 'number', 'priority', 'cost', 'hairpin', 'guard', 'learning', 'flood', 'rootId', 'bridgeId'],
} as const satisfies Rule

export type KindWith<Field extends keyof Rule> = { [K in Kind]: Rules[K] extends Record<Field, unknown> ? K : never }[Kind]
/** Kinds that have nothing to set beyond what every link has. */
const plainKinds = ['veth', 'dummy', 'ifb'] as const
export type PlainKind = (typeof plainKinds)[number]
export const isPlain = (kind: string): kind is PlainKind => plainKinds.includes(kind as PlainKind)

export const ruleOf = (kind: string | undefined): Rule => (kind !== undefined && Object.hasOwn(rules, kind) ? rules[kind as Kind] : {})
export const isKind = (kind: unknown): kind is Kind => typeof kind === 'string' && Object.hasOwn(rules, kind)
export const tables: Fields = linkInfo.entries.data[1].choices
export const portTable = linkInfo.entries.slaveData[1].choices.bridge
