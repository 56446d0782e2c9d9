// Making a network: its subnets chosen and checked against all others, its record, the driver's device.
import { randomBytes } from 'node:crypto'
import { argumentError, rangeError } from '../codec/errors.js'
import { conflict } from '../kernel/arguments.js'
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { driverSettings, leastMtu6 } from './driver-options.js'
import { driverOf } from './drivers/drivers.js'
import { type IpRange, ipRange, overlap, rangeText } from './ip-range.js'
import { chooseIpv4, chooseIpv6, routedRanges } from './ipam-choose.js'
import { type Pool, poolOf, poolText, refuseOverlap } from './ipam-pool.js'
import { configured, type NetworkSpec } from './options.js'
import type { NetworkRecord, PoolRecord } from './records.js'

/** Makes a network. The lock must be held. `ensure: false` leaves its device to the first that is connected. */
export async function createNetwork(core: Core, given: NetworkSpec, { ensure }: { readonly ensure: boolean }): Promise<NetworkRecord> {
  const { state, host } = core
  if (await state.findNetworkByName(given.name))
    throw new NetloomError('EEXIST', {
      operation: 'create network',
      subject: given.name,
      path: 'name',
      reason: 'there is a network of that name',
    })
  const spec = await configuredSpec(core, given)
  const id = randomBytes(32).toString('hex')
  const driver = driverOf[spec.driver]
  const settings = driverSettings(spec.driver, spec.options)
  if (spec.ipv6 && settings.mtu !== undefined && settings.mtu < leastMtu6)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${settings.mtu} is too small for IPv6, which needs ${leastMtu6}`, 'mtu')
  const networks = await state.networks()
  const pools = driver.addresses && !spec.configOnly ? await poolsOf(core, spec, id, networks) : []
  const device = spec.configOnly ? undefined : driver.device?.(id, settings, pools[0]?.gateway)
  const other = networks.find(one => device !== undefined && one.device?.name === device.name)
  if (other)
    throw new NetloomError('EEXIST', {
      operation: 'create network',
      subject: spec.name,
      path: 'bridge',
      reason: `${device?.name} is that of network ${other.spec.name}`,
    })
  const clash = spec.configOnly ? undefined : driver.clash?.(settings, networks)
  if (clash) throw new NetloomError('EBUSY', { operation: 'create network', subject: spec.name, path: 'parent', reason: clash })
  const record: NetworkRecord = { kind: 'network', id, created: new Date().toISOString(), spec, pools, ...(device && { device }) }
  await state.intend([record])
  try {
    if (ensure && !spec.configOnly) await core.ensure(record)
    await state.commitNetwork(record)
  } catch (error) {
    await driver.remove(host, record)
    await state.forget(record)
    throw error
  }
  return record
}

async function configuredSpec({ state }: Core, spec: NetworkSpec): Promise<NetworkSpec> {
  if (spec.configFrom === undefined) return spec
  const config = await state.findNetworkByName(spec.configFrom)
  if (config) return configured(spec, config.spec)
  const fields = { operation: 'create network', subject: spec.name, path: 'configFrom', reason: `there is no network ${spec.configFrom}` }
  throw new NetloomError('ENOENT', fields)
}

async function poolsOf({ host }: Core, spec: NetworkSpec, id: string, networks: readonly NetworkRecord[]): Promise<PoolRecord[]> {
  const others = networks.flatMap(one => one.pools.map(({ subnet }) => ({ range: ipRange(subnet), network: one.spec.name })))
  const named = spec.subnets.map((subnet, i) => {
    const where = spec.listed ? `subnets[${i}].` : ''
    return { pool: poolOf(subnet, where), path: `${where}subnet` }
  })
  for (const { pool, path } of named) refuseSpecial(pool.subnet, path)
  refuseOverlap(named, others)
  const without6 = named.find(({ pool }) => pool.subnet.family === 6 && !spec.ipv6)
  if (without6) throw conflict(without6.path, `${rangeText(without6.pool.subnet)} is an IPv6 subnet: it needs ipv6: true`)
  const pools: Pool[] = named.map(({ pool }) => pool)
  const has = (family: 4 | 6) => pools.some(({ subnet }) => subnet.family === family)
  const taken: IpRange[] = [...others.map(({ range }) => range), ...pools.map(({ subnet }) => subnet)]
  if (!has(4)) pools.unshift(chosen(chooseIpv4([...taken, ...routedRanges(await host.routes.list({ table: 'main', family: 4 }))])))
  if (spec.ipv6 && !has(6)) pools.push(chosen(chooseIpv6(id, taken)))
  return pools.map(poolText)
}

/** Addresses that are no host's on a network, or that the kernel gives a meaning of its own. */
const special = [
  ['0.0.0.0/8', 'this network itself'],
  ['127.0.0.0/8', 'the loopback'],
  ['224.0.0.0/4', 'groups'],
  ['255.255.255.255/32', 'everybody'],
  ['::/127', 'the loopback'],
  ['::ffff:0:0/96', 'IPv4 addresses'],
  ['fe80::/10', 'the link, which all links have'],
  ['ff00::/8', 'groups'],
] as const
function refuseSpecial(subnet: IpRange, path: string): void {
  const found = special.find(([range]) => overlap(ipRange(range), subnet))
  if (found)
    throw argumentError('ERR_NETLOOM_INVALID_SUBNET', `${rangeText(subnet)} cannot be a subnet: ${found[0]} is for ${found[1]}`, path)
}
const chosen = (range: IpRange): Pool => poolOf({ subnet: rangeText(range) }, '')
