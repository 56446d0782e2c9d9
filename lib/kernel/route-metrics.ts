// What a route tells the transport above it: its path's MTU and relatives, under the public API's names.
import type { Decoded, Encodable } from '../codec/codec.js'
import { metricFeatures, type metrics as metricsTable } from '../protocol/route.js'
import {
  type Check,
  type Checks,
  isBoolean,
  isByte,
  isInteger,
  isList,
  isNumber,
  isOneOf,
  isText,
  isUnsigned,
  present,
} from './arguments.js'

/** Metrics whose value path discovery may change, and which can be locked against that. */
export type LockableMetric = Exclude<keyof RouteMetrics, 'lock'> | 'mtu'

export interface RouteMetrics {
  /** Largest TCP window, in bytes. */
  readonly window?: number
  /** First guess of the round-trip time, in seconds, kept in 1/8 ms. */
  readonly rtt?: number
  /** First guess of its variance, in seconds, kept in 1/4 ms. */
  readonly rttvar?: number
  /** First slow-start threshold, in segments. */
  readonly ssthresh?: number
  /** Upper bound of the congestion window where it is locked, in segments. */
  readonly cwnd?: number
  /** Segment size that the other side is told, in bytes. */
  readonly advmss?: number
  /** By how many places packets may come out of order before TCP takes one for lost. */
  readonly reordering?: number
  /** 0 to 255. */
  readonly hoplimit?: number
  /** First congestion window, in segments. */
  readonly initcwnd?: number
  /** First receive window, in segments. */
  readonly initrwnd?: number
  /** Shortest retransmission timeout, in seconds, kept in milliseconds. */
  readonly rtoMin?: number
  /** Acknowledge at once. */
  readonly quickack?: boolean
  /** TCP fast open without cookies. */
  readonly fastopenNoCookie?: boolean
  /** Congestion control: 'cubic', 'bbr' … */
  readonly congestion?: string
  /** 'ecn' and others (RTAX_FEATURE_, linux/rtnetlink.h). */
  readonly features?: readonly string[]
  /** Metrics that the kernel may not change by itself: ['mtu']. */
  readonly lock?: readonly LockableMetric[]
}

type MetricsMessage = Encodable<typeof metricsTable>
type RawMetrics = Decoded<typeof metricsTable>

const time = (perSecond: number): Check => isNumber(0, 0xffff_ffff / perSecond)
const single = {
  window: isUnsigned,
  rtt: time(8000),
  rttvar: time(4000),
  ssthresh: isUnsigned,
  cwnd: isUnsigned,
  advmss: isUnsigned,
  reordering: isUnsigned,
  hoplimit: isByte,
  initcwnd: isInteger(1, 0xffff_ffff),
  initrwnd: isInteger(1, 0xffff_ffff),
  rtoMin: time(1000),
} satisfies Partial<Checks<RouteMetrics>>

export const metricChecks: Checks<RouteMetrics> = {
  ...single,
  quickack: isBoolean,
  fastopenNoCookie: isBoolean,
  // TCP_CA_NAME_MAX less the final NUL, net/tcp.h.
  congestion: isText(15),
  features: isList(isOneOf(Object.keys(metricFeatures))),
  lock: isList(isOneOf(['mtu', ...Object.keys(single), 'quickack', 'fastopenNoCookie', 'congestion', 'features'])),
}

const toBit = (value: boolean | undefined) => (value === undefined ? undefined : value ? 1 : 0)
const fromBit = (value: number | undefined) => (value === undefined ? undefined : value !== 0)

/** The metrics as they are sent; undefined when there are none. */
export function metricsMessage(mtu: number | undefined, metrics: RouteMetrics = {}): MetricsMessage | undefined {
  const { quickack, fastopenNoCookie, congestion, lock, ...same } = metrics
  const message = present({
    mtu,
    ...same,
    quickack: toBit(quickack),
    fastopenNoCookie: toBit(fastopenNoCookie),
    ccAlgo: congestion,
    lock: lock?.map(name => (name === 'congestion' ? 'ccAlgo' : name)),
  }) as MetricsMessage
  return Object.keys(message).length ? message : undefined
}

/** The metrics of a route as callers see them, but for the MTU. */
export function readMetrics({
  mtu: _,
  unknown: __,
  quickack,
  fastopenNoCookie,
  ccAlgo,
  lock,
  ...same
}: RawMetrics): RouteMetrics | undefined {
  const metrics = present({
    ...same,
    quickack: fromBit(quickack),
    fastopenNoCookie: fromBit(fastopenNoCookie),
    congestion: ccAlgo,
    lock: lock?.length ? lock.map(name => (name === 'ccAlgo' ? 'congestion' : name)) : undefined,
  }) as RouteMetrics
  return Object.keys(metrics).length ? metrics : undefined
}

/** ['metrics', 'ccAlgo'] → 'metrics.congestion' */
export const metricField = (name: string | undefined): string =>
  name === undefined ? 'metrics' : name === 'mtu' ? 'mtu' : `metrics.${name === 'ccAlgo' ? 'congestion' : name}`
