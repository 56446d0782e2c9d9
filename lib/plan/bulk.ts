// Many at once, as plans: namespaces made and removed, links made. The verbs are added to Namespace and its links from here.
import { setTimeout } from 'node:timers/promises'
import type { Kind } from '../kernel/link-kinds.js'
import type { LinkCreate } from '../kernel/link-request.js'
import { Namespace } from '../kernel/namespace.js'
import { nsidsOf } from '../kernel/nsid.js'
import { Scope } from '../kernel/scope.js'
import { openCurrent } from '../namespace/current.js'
import { labelOf } from '../namespace/info.js'
import { checkNamespaceName } from '../namespace/names.js'
import { checkSource, type NamespaceSource, openSource } from '../namespace/source.js'
import { AbortError, NetloomError } from '../socket/error.js'
import { leaving } from './execute-error.js'
import { Intent } from './intent.js'
import { checkDeleting, checkEach } from './options.js'
import { Plan } from './plan.js'
import type { PlanLinkCreate } from './plan-namespace.js'
import { ProgressReporter } from './progress.js'
import { briefLinks, deleteNames } from './remove.js'
import type { ApplyOptions, PlanResult } from './result.js'

export interface DeleteManyOptions extends Pick<ApplyOptions, 'onProgress' | 'signal'> {
  /** Wait until the kernel has removed the devices whose other ends are in the calling thread's namespace. */
  readonly drain?: boolean
}

declare module '../kernel/namespace.js' {
  namespace Namespace {
    /** Makes many named namespaces, all or none: a plan of nothing else. Errors as Plan.apply(). */
    function createMany(names: readonly string[], options?: ApplyOptions): Promise<PlanResult>
    /**
     * Removes the names of many namespaces; what is not there any more is no error. With `drain` it waits for their devices.
     *
     * Errors: that of the first that could not be removed, with all of them in `leftovers`; EBUSY when somebody else holds a namespace whose
     * devices were waited for.
     */
    function deleteMany(sources: readonly NamespaceSource[], options?: DeleteManyOptions): Promise<void>
  }
}
declare module '../kernel/links.js' {
  interface LinkVerbs {
    /**
     * Makes many links, all or none, with hundreds of them in one exchange: a plan of nothing else, `links[3]` in its errors. They have the IPv6
     * policy 'static' unless they say another one, as all links of plans.
     *
     * Errors: as Plan.apply().
     */
    createMany(specs: readonly LinkCreate[], options?: ApplyOptions): Promise<PlanResult>
  }
}

async function createMany(names: readonly string[], options: ApplyOptions = {}): Promise<PlanResult> {
  checkEach(names, 'names', checkNamespaceName)
  const plan = new Plan()
  for (const name of names) plan.namespace(name)
  return plan.apply(options)
}

async function createLinks(namespace: Namespace, specs: readonly LinkCreate[], options: ApplyOptions = {}): Promise<PlanResult> {
  checkEach(specs, 'specs', () => undefined)
  const plan = new Plan()
  const here = plan.in(namespace)
  for (const spec of specs) here.links.create(spec as PlanLinkCreate<Kind>)
  return plan.apply(options)
}

/** Opened at a time. */
const chunk = 64

async function deleteMany(sources: readonly NamespaceSource[], options: DeleteManyOptions = {}): Promise<void> {
  checkDeleting(options)
  checkEach(sources, 'sources', (source, path) => void checkSource(source as NamespaceSource, path))
  const { drain = false, onProgress, signal } = options
  const here = new Scope(openCurrent())
  try {
    const { infos, nsids } = await look(here, sources, drain, signal)
    const falling = drain ? await linksInto(here, nsids) : new Set<number>()
    const progress = new ProgressReporter(onProgress, infos.length)
    progress.enter('undo')
    // One that is killed between the two steps that each name takes leaves a file that nobody could tell from others'.
    const intent = await Intent.beginNames(infos.flatMap(({ info }) => info.name ?? []))
    const failed = await deleteNames(infos, { progress, signal }).finally(() => intent.end())
    if (failed.length > 0) {
      if (signal?.aborted) throw new AbortError('delete namespaces', signal)
      const error = failed[0]?.error
      const leftovers = failed.map(({ name }) => `namespace ${name}`)
      throw leaving(
        error,
        leftovers,
        failed.map(one => one.error),
      )
    }
    await gone(here, falling, signal)
    progress.flush()
    progress.check()
  } finally {
    here.close()
  }
}

/** What the sources are, a few open at a time. Those that are gone are left out. */
async function look(here: Scope, sources: readonly NamespaceSource[], drain: boolean, signal: AbortSignal | undefined) {
  const infos: { info: Awaited<ReturnType<typeof openSource>>['info'] }[] = []
  const nsids = new Set<number>()
  for (let from = 0; from < sources.length; from += chunk) {
    if (signal?.aborted) throw new AbortError('delete namespaces', signal)
    const opened = await Promise.all(sources.slice(from, from + chunk).map(openIfThere))
    const there = opened.filter(one => one !== undefined)
    try {
      for (const { info } of there) {
        if (info.name === undefined)
          throw new NetloomError('EINVAL', {
            operation: 'delete namespace',
            subject: labelOf(info),
            reason: 'it has no name under /run/netns',
          })
        infos.push({ info })
      }
      const descriptors = there.map(({ handle }) => handle.fd)
      if (drain && there.length) for (const nsid of await nsidsOf(here, descriptors)) if (nsid !== undefined) nsids.add(nsid)
    } finally {
      for (const { handle } of there) handle.close()
    }
  }
  return { infos, nsids }
}

async function openIfThere(source: NamespaceSource) {
  try {
    return await openSource(source)
  } catch (error) {
    if (error instanceof NetloomError && ['ENOENT', 'ESTALE'].includes(error.code)) return undefined
    throw error
  }
}

async function linksInto(here: Scope, nsids: ReadonlySet<number>): Promise<Set<number>> {
  const links = await briefLinks(here)
  return new Set(links.filter(({ linkNetnsid }) => linkNetnsid !== undefined && nsids.has(linkNetnsid)).map(({ index }) => index))
}

/** The kernel removes the devices of a namespace some time after its name; one that a process is still in stays as it is. */
async function gone(here: Scope, links: ReadonlySet<number>, signal: AbortSignal | undefined): Promise<void> {
  let fewest = links.size
  let since = performance.now()
  for (let pause = 2; links.size > 0; pause = Math.min(pause * 2, 50)) {
    const left = (await briefLinks(here)).filter(({ index }) => links.has(index)).length
    if (left === 0) return
    if (left < fewest) since = performance.now()
    fewest = Math.min(left, fewest)
    if (performance.now() - since > patience)
      throw new NetloomError('EBUSY', {
        operation: 'delete namespaces',
        reason: `${left} of their devices are still there`,
        hint: 'a process is inside, or something else holds the namespaces: Namespace.list({ processes: true })',
      })
    if (signal?.aborted) throw new AbortError('delete namespaces', signal)
    await setTimeout(pause)
  }
}
/** Milliseconds without any device going. */
const patience = 10_000

Object.assign(Namespace, { createMany, deleteMany })
Namespace.moreLinkVerbs = namespace => ({
  createMany: (specs: readonly LinkCreate[], options?: ApplyOptions) => createLinks(namespace, specs, options),
})
