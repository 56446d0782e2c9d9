// Cables of a bridge in one call to the addon for many namespaces: both ends, what is inside, and the ports. Nothing is asked in between.
import { Writer } from '../../codec/writer.js'
import type { LinkFields } from '../../kernel/link-request.js'
import type { Namespace } from '../../kernel/namespace.js'
import { tellNumber } from '../../kernel/nsid.js'
import { scoped } from '../../kernel/scope.js'
import { perform } from '../../namespace/jobs.js'
import { entryRequest } from '../../plan/compile-entry.js'
import { type CreateItem, createRequest, type End, finishRequests, getRequest, policyOf } from '../../plan/compile-link.js'
import { ipv6Switch, JobWriter } from '../../plan/execute-job.js'
import { AbortError } from '../../socket/error.js'
import type { Job, NamespaceHandle } from '../../socket/native.js'
import type { Context } from '../../socket/request.js'
import type { Furnished } from './driver.js'

/** Namespaces furnished by one call: bounds the memory, and the time until the next look at the signal. */
const together = 32
/** Nobody reads them: what was refused is told by whoever does the same step by step. */
const wordless: Context = { operation: '' }
export interface Cable {
  readonly furnished: Furnished
  readonly inside: CableEnd
  readonly port: CableEnd
}
type CableEnd = LinkFields & { readonly name: string }

/**
 * Makes cables and furnishes them. False if the kernel refused something: then some of it may be there. `bridge` is the index of the device whose ports
 * they become.
 */
export async function layCables(host: Namespace, bridge: number, cables: readonly Cable[], signal?: AbortSignal): Promise<boolean> {
  const writer = new Writer(16 * 1024)
  const away = host[scoped].handle
  for (let from = 0; from < cables.length; from += together) {
    if (signal?.aborted) throw new AbortError('connect', signal)
    const part = cables.slice(from, from + together)
    writer.at = 0
    // The ends inside come up last: one that is up before its carrier comes drops what is sent, until the kernel gets round to noticing it.
    const making = part.map(cable => makingJob(cable, away, writer))
    const ports: Job = [away, ...portSteps(part, bridge, writer)]
    const jobs = [...making, ports, ...part.map(cable => furnishingJob(cable, writer))]
    const { done } = await perform(jobs, '')
    if (done < jobs.length) return false
  }
  return true
}

/** The end inside is the one whose index can be chosen, so that nothing has to be asked before its address is added. */
function makingJob({ furnished, inside, port }: Cable, away: NamespaceHandle, writer: Writer): Job {
  const { namespace, index } = furnished
  // Refused where it has a number.
  const telling = [away, tellNumber(writer)] as const
  const sink = new JobWriter(writer)
  const home: End = { in: 0, fields: inside, path: '' }
  const end: End = { in: 1, fields: port, path: 'peer' }
  const item: CreateItem = { ...common, verb: 'links.create', spec: { kind: 'veth' } }
  sink.message(undefined, createRequest({ item, home, index, up: false, other: { end, fd: away.fd }, context: wordless }))
  if (policyOf(data, inside) === 'none') sink.setting(undefined, ipv6Switch(inside.name), '1\n')
  return [namespace[scoped].handle, telling, ...sink.end()]
}

function furnishingJob({ furnished, inside }: Cable, writer: Writer): Job {
  const { namespace, record, index, routes } = furnished
  const sink = new JobWriter(writer)
  const home: End = { in: 0, fields: inside, path: '' }
  for (const request of finishRequests(home, { index }, policyOf(data, inside), false, undefined, wordless))
    sink.message(undefined, request)
  for (const { address, prefix, family } of record.addresses) {
    const options = family === 6 ? { noDad: true } : {}
    const entry = { ...common, verb: 'addresses.add', link: index, cidr: `${address}/${prefix}`, options } as const
    sink.message(undefined, entryRequest(entry, [index], undefined))
  }
  for (const route of routes) {
    const entry = { ...common, verb: 'routes.add', route: { ...route, link: index } } as const
    sink.message(undefined, entryRequest(entry, [index], undefined))
  }
  // Nobody reads the answer: to be asked makes the kernel take note of the carrier (carrier.ts).
  sink.message(undefined, getRequest({ index }, wordless))
  return [namespace[scoped].handle, ...sink.end()]
}

/** All switches first, so that the rest is one exchange. */
function portSteps(cables: readonly Cable[], bridge: number, writer: Writer) {
  const sink = new JobWriter(writer)
  for (const { port } of cables) if (policyOf(data, port) === 'none') sink.setting(undefined, ipv6Switch(port.name), '1\n')
  for (const { port } of cables) {
    const end: End = { in: 0, fields: port, path: '' }
    for (const request of finishRequests(end, { ifname: port.name }, policyOf(data, port), true, bridge, wordless))
      sink.message(undefined, request)
  }
  return sink.end()
}

/** What plans say of a step, and of links that say nothing. */
const common = { in: 0, path: '' }
const data = { ipv6: 'none', namespaces: [], items: [] } as const
