// Bridges and their MAC tables with the columns of brctl.
import type { FdbEntry } from './fdb.js'
import type { LinkCommon, LinkOf } from './link-object.js'

/** A bridge in `brctl show`. */
export interface BrctlView {
  readonly name: string
  /** '8000.02420a000001': priority and MAC. */
  readonly id: string
  readonly stp: boolean
  /** The names of its ports, sorted. */
  readonly interfaces: readonly string[]
}
/** A line of `brctl showmacs`. */
export interface BrctlMacView {
  /** Number of the port. */
  readonly port: number
  readonly mac: string
  /** A port's own address. */
  readonly local: boolean
  /** Seconds since a frame from it last came in, in hundredths; 0 for what does not age. */
  readonly ageing: number
}
type Bridge = Pick<LinkOf<'bridge'>, 'index' | 'name' | 'kind'> & {
  readonly options: Pick<LinkOf<'bridge'>['options'], 'bridgeId' | 'stp'>
}
type Port = Pick<LinkCommon, 'index' | 'name' | 'master'>

/**
 * What `brctl show` shows: `brctlView(await ns.links.list({ kind: 'bridge' }), await ns.links.list())`.
 *
 * @example
 * brctlView(
 *   [{ index: 2, name: 'br0', kind: 'bridge', options: { bridgeId: '8000.02420a000001', stp: false } }],
 *   [{ index: 4, name: 'veth1', master: 2 }, { index: 3, name: 'veth0', master: 2 }],
 * )
 * // [{ name: 'br0', id: '8000.02420a000001', stp: false, interfaces: ['veth0', 'veth1'] }]
 */
export function brctlView(bridges: readonly Bridge[], links: readonly Port[]): BrctlView[] {
  return bridges.map(({ index, name, options }) => ({
    name,
    id: options.bridgeId,
    stp: options.stp,
    interfaces: links
      .filter(({ master }) => master === index)
      .map(port => port.name)
      .sort(),
  }))
}

/**
 * What `brctl showmacs br0` shows: `brctlMacsView(await ns.fdb.list({ bridge: 'br0' }), await ns.links.list({ master: 'br0' }))`. The bridge's own
 * addresses are left out, as there.
 *
 * @example
 * brctlMacsView(
 *   [{ mac: '02:00:00:00:00:09', bridge: 2, port: 3, state: 'reachable', age: 0.35, permanent: false, local: false, flags: [] }],
 *   [{ index: 3, port: { number: 1 } }],
 * )
 * // [{ port: 1, mac: '02:00:00:00:00:09', local: false, ageing: 0.35 }]
 */
export function brctlMacsView(
  entries: readonly FdbEntry[],
  ports: readonly (Pick<LinkCommon, 'index'> & { readonly port?: Pick<NonNullable<LinkCommon['port']>, 'number'> })[],
): BrctlMacView[] {
  const numbers = new Map(ports.map(({ index, port }) => [index, port?.number]))
  return entries
    .flatMap(({ bridge, port, mac, local, age = 0 }) => {
      const number = numbers.get(port)
      return bridge === undefined || number === undefined ? [] : [{ port: number, mac, local, ageing: age }]
    })
    .sort((a, b) => (a.mac < b.mac ? -1 : a.mac > b.mac ? 1 : 0))
}
