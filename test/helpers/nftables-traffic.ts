// A router that traces what comes to it from one side and goes to the other, and what the evaluator says of the same packets.
import {
  Namespace,
  type NftablesPacket,
  type NftablesStep,
  type NftablesVerdict,
  type NftTraceEvent,
  type NftTraceStep,
} from '../../lib/index.js'
import { frameOf, sender } from './frames.js'
import type { Host } from './host.js'
import { load } from './nftables-rows.js'
import { run } from './readers.js'

/**
 * Traces what comes in by veth1, but for the neighbours' own talk; its last chains tell that a packet has come through. One that nobody comes to makes the kernel track
 * connections, as some rule of every firewall does.
 */
const tracer = `table inet tracer {
  chain aside { ct state new; }
  chain first {
    type filter hook prerouting priority -401;
    iifname "veth1" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report } return
    iifname "veth1" meta nftrace set 1
  }
  chain last_in { type filter hook input priority 2000; }
  chain last_out { type filter hook postrouting priority 2000; }
}
`
const mark = 65_000
/** What the kernel's trace tells of a packet: a rule with its verdict, or a policy. */
export interface Met {
  readonly where: string
  readonly verdict: string
}
export interface Bench extends AsyncDisposable {
  readonly box: Namespace
  readonly where: string
  /** Replaces the rules, but not the tracer. */
  rules(text: string): Promise<void>
  /** Sends the packet from one side, and tells what it meets in the router. */
  send(packet: NftablesPacket): Promise<Met[]>
  /** What the evaluator says of its way. */
  predict(packet: NftablesPacket): Promise<NftablesVerdict[]>
  /** How many packets have come out at the other side. */
  delivered(): Promise<number>
}

export async function bench(host: Host): Promise<Bench> {
  const names = { box: host.named('box'), one: host.named('one'), two: host.named('two') }
  const box = await Namespace.create(names.box, { loopback: true })
  const [one, two] = [await Namespace.create(names.one), await Namespace.create(names.two)]
  const macs: Record<string, string> = {}
  for (const [i, end] of [one, two].entries()) {
    const name = `veth${i + 1}`
    const link = await box.links.create({ kind: 'veth', name, up: true, peer: { namespace: end, name: 'eth0', up: true } })
    macs[name] = link.mac ?? ''
    await box.addresses.add(name, `10.0.${i + 1}.1/24`)
    await box.addresses.add(name, `fd0${i + 1}::1/64`)
    macs[`eth${i + 1}`] = (await end.links.get('eth0')).mac ?? ''
    await box.sysctl.set(`net.ipv4.conf.${name}.rp_filter`, 0)
  }
  await box.sysctl.set('net.ipv4.conf.all.rp_filter', 0)
  await box.sysctl.set('net.ipv4.ip_forward', 1)
  await box.sysctl.set('net.ipv6.conf.all.forwarding', 1)
  for (const [to, via] of [
    ['default', '10.0.2.2'],
    ['::/0', 'fd02::2'],
  ] as const) {
    await box.neighbours.add({ address: via, link: 'veth2', mac: macs.eth2! })
    await box.routes.add({ to, via })
  }
  await load(
    names.two,
    'table inet count {\nchain counted { type filter hook prerouting priority -500;\nip ttl 63 counter\nip6 hoplimit 63 counter\n}\n}\n',
  )
  await load(names.box, tracer)
  const out = await sender(names.one, (await one.links.get('eth0')).index)
  const events = box.nftables.trace()
  await events.next()
  const local = new Set(['10.0.1.1', '10.0.2.1', 'fd01::1', 'fd02::1'])
  const addressed = (packet: NftablesPacket): NftablesPacket => ({ sourceMac: macs.eth1!, destinationMac: macs.veth1!, ...packet })
  const onTheWay = { box, where: names.box }

  async function predict(packet: NftablesPacket): Promise<NftablesVerdict[]> {
    const first = await box.nftables.verdict({ ...addressed(packet), hook: 'prerouting', iif: 'veth1' })
    const { to } = first.packet
    if (first.verdict === 'drop' || to === 'unknown') return [first]
    if (local.has(to)) return [first, await box.nftables.verdict({ ...first.packet, hook: 'input' })]
    const oif = /^10\.0\.1\.|^fd01:/.test(to) ? 'veth1' : 'veth2'
    // Where it is forwarded it has lost a hop.
    const { ttl } = first.packet
    const second = await box.nftables.verdict({ ...first.packet, hook: 'forward', oif, ...(ttl === undefined ? {} : { ttl: ttl - 1 }) })
    if (second.verdict === 'drop') return [first, second]
    return [first, second, await box.nftables.verdict({ ...second.packet, hook: 'postrouting', oif })]
  }

  return {
    ...onTheWay,
    async rules(text) {
      for (const { family, name } of await box.nftables.tables.list())
        if (name !== 'tracer') await box.nftables.tables.delete({ family, name })
      await load(names.box, text)
    },
    async send(packet) {
      await box.conntrack.flush()
      const family = packet.from.includes(':') ? 6 : 4
      const marker = {
        from: family === 4 ? '10.0.1.9' : 'fd01::9',
        to: family === 4 ? '10.0.2.9' : 'fd02::9',
        protocol: 'udp',
        destinationPort: mark,
      }
      await out.send(frameOf(addressed(packet)))
      await out.send(frameOf(addressed(marker)))
      return following(events)
    },
    predict,
    async delivered() {
      const text = await run(names.two, 'nft', 'list', 'chain', 'inet', 'count', 'counted')
      return [...text.matchAll(/packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0)
    },
    async [Symbol.asyncDispose]() {
      await events.return()
      await out[Symbol.asyncDispose]()
      for (const namespace of [one, two, box]) await namespace.delete()
    },
  }
}

const isEnd = (step: NftTraceStep) =>
  (step.table === 'tracer' && step.type === 'policy' && step.chain !== 'first') ||
  (step.verdict !== undefined && 'drop' in step.verdict) ||
  step.policy === 'drop'

/** Until both the packet and the one behind it are through: what neither ends nor goes on was taken by somebody. */
async function following(events: AsyncIterator<NftTraceEvent>): Promise<Met[]> {
  const met: Met[] = []
  let own: number | undefined
  let marker: number | undefined
  const ended = new Set<number>()
  while (marker === undefined || !ended.has(marker) || (own !== undefined && !ended.has(own) && ended.size < 1)) {
    const { value: step } = await events.next()
    if (step === undefined || step.type === 'ready' || step.type === 'lost') throw new Error('the trace has ended or lost something')
    if (step.packet && step.iif === 'veth1' && step.packet.destinationPort === mark) marker ??= step.id
    else if (step.packet && step.iif === 'veth1') own ??= step.id
    if (isEnd(step)) ended.add(step.id)
    // The end of a chain is told as a rule without a handle.
    if (step.id === own && (step.type === 'policy' || step.handle !== undefined)) met.push(metOf(step))
  }
  return met
}

const text = (verdict: object | undefined) => JSON.stringify(verdict)
const metOf = ({ type, family, table, chain, handle, verdict, policy }: NftTraceStep): Met => ({
  where: `${family} ${table} ${chain} ${type === 'policy' ? 'policy' : handle}`,
  verdict: text(type === 'policy' ? { [policy ?? '']: null } : verdict) ?? '',
})
const foretold = ({ type, family, table, chain, handle, verdict }: NftablesStep): Met => ({
  where: `${family} ${table} ${chain} ${type === 'policy' ? 'policy' : handle}`,
  verdict: text(verdict) ?? 'several',
})

/** Holds what was foretold against what was met; gives whether it was foretold to the end. */
export function agrees(verdicts: readonly NftablesVerdict[], met: readonly Met[], about: unknown): boolean {
  // Behind a hook where something is not known nothing is.
  const unsure = verdicts.findIndex(({ verdict }) => verdict === 'unknown')
  const steps = verdicts
    .flatMap(({ steps }, i) => (unsure >= 0 && i > unsure ? steps.map(step => ({ ...step, certain: false })) : steps))
    .filter(({ type }) => type !== 'chain')
  const cut = verdicts.at(-1)?.packet.to === 'unknown'
  const certain = steps.every(step => step.certain) && verdicts.every(({ verdict }) => verdict !== 'unknown')
  if (certain && !cut) {
    const told = steps.map(foretold)
    if (JSON.stringify(told) !== JSON.stringify(met))
      throw new Error(`${JSON.stringify(about)} met\n${JSON.stringify(met)}, foretold was\n${JSON.stringify(told)}`)
    return true
  }
  // Everything that was met was said to be possible, in this order, and everything certain was met.
  const possible = steps.map(foretold)
  let at = 0
  for (const one of met) {
    const found = possible.findIndex(
      (other, i) => i >= at && other.where === one.where && (other.verdict === one.verdict || other.verdict === 'several'),
    )
    if (found < 0 && cut) break
    if (found < 0) throw new Error(`${JSON.stringify(about)} met ${JSON.stringify(one)}, foretold was ${JSON.stringify(possible)}`)
    at = found + 1
  }
  for (const step of steps.filter(step => step.certain)) {
    const told = foretold(step)
    if (!met.some(one => one.where === told.where && (told.verdict === 'several' || one.verdict === told.verdict)))
      throw new Error(`${JSON.stringify(about)} met not ${JSON.stringify(told)} but ${JSON.stringify(met)}`)
  }
  return false
}
