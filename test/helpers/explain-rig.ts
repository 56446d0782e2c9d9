// Namespaces for the ping that fails: two on one bridge, and a third one behind the machine that has the bridge.
import { expect, vi } from 'vitest'
import { type Explanation, Namespace } from '../../lib/index.js'
import type { Host } from './host.js'
import { patience } from './patience.js'

export interface Rig extends AsyncDisposable {
  /** Has the bridge br0 (10.0.1.254) with the ports to-blue and to-green, and to-far (10.0.2.254); it forwards. */
  readonly machine: Namespace
  /** 10.0.1.1 and fd00:1::1 on eth0; the machine is its router. */
  readonly blue: Namespace
  /** 10.0.1.2 and fd00:1::2 on eth0; the machine is its router. */
  readonly green: Namespace
  /** 10.0.2.2 on eth0; the machine is its router. */
  readonly far: Namespace
  /** All of them, for explain(). */
  readonly all: readonly Namespace[]
}

let made = 0

export async function rig(host: Host): Promise<Rig> {
  const number = made++
  const create = (name: string) => Namespace.create(host.named(`${name}${number}`), { loopback: true, ipv6: 'static' })
  const [machine, blue, green, far] = await Promise.all([create('machine'), create('blue'), create('green'), create('far')])
  const all = [machine, blue, green, far]
  await machine.links.create({ kind: 'bridge', name: 'br0', up: true })
  const cable = (name: string, namespace: Namespace, master?: string) =>
    machine.links.create({ kind: 'veth', name, up: true, ...(master && { master }), peer: { namespace, name: 'eth0', up: true } })
  await cable('to-blue', blue, 'br0')
  await cable('to-green', green, 'br0')
  await cable('to-far', far)
  await machine.addresses.add('br0', '10.0.1.254/24')
  await machine.addresses.add('to-far', '10.0.2.254/24')
  await machine.sysctl.set('net.ipv4.ip_forward', 1)
  await blue.addresses.add('eth0', '10.0.1.1/24')
  await green.addresses.add('eth0', '10.0.1.2/24')
  await far.addresses.add('eth0', '10.0.2.2/24')
  for (const one of [blue, green]) await one.routes.add({ to: 'default', via: '10.0.1.254' })
  await far.routes.add({ to: 'default', via: '10.0.2.254' })
  // Links that come up late would set the states of ports anew.
  await vi.waitFor(
    async () => {
      for (const one of all) for (const { kind, operState } of await one.links.list()) if (kind === 'veth') expect(operState).toBe('up')
    },
    { timeout: patience(10_000) },
  )
  return {
    ...{ machine, blue, green, far, all },
    async [Symbol.asyncDispose]() {
      for (const one of all) await one.delete()
    },
  }
}

/** What was told, without the words: each cause's kind, way, namespace (as in the rig) and link. */
export function toldOf({ verdict, causes }: Explanation) {
  return {
    verdict,
    causes: causes.map(({ kind, way, where }) => [
      kind,
      way,
      where.name.replace(/^.*-([a-z]+)\d+$/, '$1'),
      ...(where.link === undefined ? [] : [where.link]),
    ]),
  }
}

/** Does a real packet of this size from blue, and its answer, get through? */
export async function gets(rig: Rig, to: 'green' | 'far', { size = 84 }: { readonly size?: number | undefined } = {}): Promise<boolean> {
  const [address] = (await rig[to].addresses.list({ link: 'eth0', family: 4 })).map(one => one.address)
  if (address === undefined) return false
  try {
    return (await rig.blue.ping(address, { count: 1, timeout: 0.4, size: size - 28 })).received === 1
  } catch (error) {
    // Told at once: no route, a refusing route, a firewall of its own.
    if (['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL', 'EPERM', 'ENETDOWN'].includes((error as { code: string }).code)) return false
    throw error
  }
}
