// What a bridge does with a frame: where its MAC table leads, and which ports may not get it.
import type { FdbEntry } from '../kernel/fdb.js'
import type { Link } from '../kernel/link-object.js'
import { call, cure } from './cures.js'
import type { Hop } from './segment.js'
import type { Walk } from './walk.js'
import { type End, endText, type Place } from './world.js'

interface Frame {
  readonly from: End
  readonly end: End
  /** A broadcast goes before it. */
  readonly asking: boolean
}

/** Judges the choice of a bridge's outgoing port, given the one that leads to the receiver. */
export async function crossBridge(walk: Walk, hop: Hop & { kind: 'bridge' }, frame: Frame): Promise<void> {
  const { place, bridge, in: entry, out } = hop
  const at = { place, link: bridge }
  const macs = (await place.macs(bridge)).filter(one => !one.self && one.vlan === undefined)
  if (bridge.kind === 'bridge' && bridge.options.vlanFiltering)
    walk.step('bridge', at, `${bridge.name} filters VLANs, which is not looked at`, 'unknown')
  if (entry?.port?.locked && !macs.some(one => one.mac === frame.from.link.mac && one.port === entry.index))
    locked(walk, place, bridge, entry, frame.from)
  if (entry?.port?.isolated && out?.port?.isolated) isolated(walk, place, bridge, entry, out)
  if (out && frame.asking && out.port?.broadcastFlood === false) unflooded(walk, place, bridge, out, 'broadcastFlood')
  lead(
    walk,
    hop,
    frame,
    macs.find(one => one.mac === frame.end.link.mac),
  )
}

/** Where the table leads. */
function lead(walk: Walk, { place, bridge, out }: Hop & { kind: 'bridge' }, { end, asking }: Frame, entry: FdbEntry | undefined): void {
  const { mac } = end.link
  const goal = out === undefined ? `${bridge.name} itself` : out.name
  const facts = { ...(mac !== undefined && { mac }), ...(entry && { state: entry.state }), port: out?.name ?? bridge.name }
  const step = (text: string) => walk.step('fdb', { place, link: bridge }, text, 'passes', facts)
  if (!entry && out?.port?.flood === false) unflooded(walk, place, bridge, out, 'flood')
  else if (!entry) step(`${bridge.name} does not know ${mac} yet${out ? `, and floods: also to ${out.name}` : ''}`)
  else if (entry.local ? out === undefined : entry.port === out?.index)
    step(`${bridge.name} knows that ${mac} is behind ${goal}${entry.permanent && !entry.local ? ' (static)' : ''}`)
  // The answer to the question moves an entry, unless it may not move.
  else if (asking && !entry.local && !entry.sticky)
    step(`${bridge.name} has ${mac} at another port, and learns from the answer that it is behind ${goal}`)
  else misled(walk, place, bridge, entry, end, goal)
}

function misled(walk: Walk, place: Place, bridge: Link, entry: FdbEntry, end: End, goal: string): void {
  const { mac, port } = entry
  const leads = entry.local ? `to ${bridge.name} itself` : `out of link ${port}`
  const own = { mac, port }
  walk.drop(
    'fdb',
    { place, link: bridge },
    `the MAC table of ${bridge.name} in ${place.label} leads ${leads} for ${mac}, but ${endText(end)} is behind ${goal}`,
    {
      kind: 'wrong-fdb',
      cures: [cure('remove the entry, so that the bridge learns anew', call(place, 'fdb', 'delete', own))],
      about: mac,
    },
  )
}

function isolated(walk: Walk, place: Place, bridge: Link, entry: Link, out: Link): void {
  const text = `${entry.name} and ${out.name} are isolated ports of ${bridge.name} in ${place.label}: they do not talk to each other`
  const open = (port: Link) =>
    cure(`let ${port.name} talk to all`, call(place, 'links', 'update', port.name, { port: { isolated: false } }))
  walk.drop('port', { place, link: bridge }, text, {
    kind: 'isolated-ports',
    cures: [open(out), open(entry)],
    about: [entry.name, out.name].sort().join(' '),
  })
}

function locked(walk: Walk, place: Place, bridge: Link, port: Link, from: End): void {
  const { mac } = from.link
  walk.drop(
    'port',
    { place, link: port },
    `the port ${port.name} of ${bridge.name} is locked, and ${mac} (${endText(from)}) has no entry there`,
    {
      kind: 'port-locked',
      cures: [
        cure(`let ${endText(from)} in`, call(place, 'fdb', 'replace', { mac: mac!, port: port.name })),
        cure('unlock the port', call(place, 'links', 'update', port.name, { port: { locked: false } })),
      ],
      about: mac!,
    },
  )
}

function unflooded(walk: Walk, place: Place, bridge: Link, port: Link, which: 'flood' | 'broadcastFlood'): void {
  const what = which === 'flood' ? 'frames to addresses that it does not know' : 'broadcasts, so that nobody there can be asked for his MAC'
  walk.drop('port', { place, link: port }, `${bridge.name} in ${place.label} keeps from ${port.name} ${what}`, {
    kind: 'port-flooding',
    cures: [cure('let the port have them', call(place, 'links', 'update', port.name, { port: { [which]: true } }))],
    about: which,
  })
}
