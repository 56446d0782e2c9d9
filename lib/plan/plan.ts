// The public Plan: a description of work over many namespaces, which nothing happens with before it is applied.
import { argumentError } from '../codec/errors.js'
import { checkAt, checkOptions, isBoolean, isOneOf } from '../kernel/arguments.js'
import type { Ipv6Policy } from '../kernel/link-request.js'
import { Namespace } from '../kernel/namespace.js'
import { checkNamespaceName } from '../namespace/names.js'
import { applyPlan } from './apply.js'
import { checkSoon } from './check.js'
import type { PlanData } from './items.js'
import { fromJson, type PlanJson, toJson } from './json.js'
import { checkApplying } from './options.js'
import { Pace } from './pace.js'
import { PlanNamespace } from './plan-namespace.js'
import { guard, type Limit, preflight } from './preflight.js'
import { print } from './print.js'
import { type AnyNamespace, Recorder } from './record.js'
import type { ApplyOptions, PlanResult } from './result.js'

export interface PlanOptions {
  /** What the links of the plan do with IPv6, unless the namespace or the link itself says otherwise. 'static' by default. */
  readonly ipv6?: Ipv6Policy
}
export interface PlanNamespaceOptions {
  /** Sets `lo` up, which a new namespace has down. Default false, as `ip netns add`. */
  readonly loopback?: boolean
  /** Of the links that the plan makes in it, unless they say otherwise themselves. Default: that of the plan. */
  readonly ipv6?: Ipv6Policy
}

const isPolicy = isOneOf(['none', 'static', 'kernel'])

export class Plan {
  #recorder: Recorder

  constructor(options: PlanOptions = {}) {
    checkOptions(options, { ipv6: isPolicy })
    this.#recorder = new Recorder(options.ipv6 ?? 'static')
  }

  /** A namespace that the plan makes: named, under /run/netns; without a name it lives as long as the result of the plan holds it. */
  namespace(name?: string, options: PlanNamespaceOptions = {}): PlanNamespace {
    if (name !== undefined) checkNamespaceName(name, 'name')
    checkAt('options', () => checkOptions(options, { loopback: isBoolean, ipv6: isPolicy }))
    const { loopback, ipv6 } = options
    const make = { ...(name !== undefined && { name }), ...(loopback !== undefined && { loopback }) }
    return new PlanNamespace(this.#recorder, this.#recorder.addNamespace({ make }, ipv6))
  }

  /** Work in a namespace that is there: an open one, or one that is looked up by name, path or pid when the plan is applied. */
  in(namespace: Exclude<AnyNamespace, { planned: 'namespace' }>): PlanNamespace {
    if (typeof namespace === 'object' && namespace !== null && 'planned' in namespace)
      throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', 'a namespace of a plan has the verbs itself', 'namespace')
    return new PlanNamespace(this.#recorder, this.#recorder.namespace(namespace, 'namespace'))
  }

  /**
   * The limits of this machine that the plan would meet, each with what to change; none if it fits. apply() asks for it itself when a plan has
   * a thousand namespaces and steps or more.
   *
   * Errors: as apply() for a plan that cannot work, and for namespaces that are not there.
   */
  async preflight(): Promise<Limit[]> {
    const data = this.data()
    const survey = await checkSoon(data, new Pace())
    return this.#withSources(data, sources => preflight(data, survey, sources))
  }

  /**
   * Does everything that the plan says, or nothing: rejects after what was done has been taken back (`leftovers` on the error: what could not
   * be). With `onError: 'continue'` it does what can be done, and the result has the rest as `failed`.
   *
   * Errors: ERR_NETLOOM_INVALID_PLAN for a plan that cannot work, with all that is wrong with it as `errors`, before anything is done; EMFILE,
   * ENOSPC and EXFULL for a large one that does not fit on this machine; then those of the live calls, with the step's path.
   */
  async apply(options: ApplyOptions = {}): Promise<PlanResult> {
    checkApplying(options)
    const data = this.data()
    const pace = new Pace(options.signal)
    const survey = await checkSoon(data, pace)
    return this.#withSources(data, async sources => {
      await guard(data, survey, sources, options.threads)
      return applyPlan(data, sources, pace, options, this.#recorder.identity)
    })
  }

  /** The plan as the `ip` commands that would do the same; a note ('# …') says what they cannot. */
  toString(): string {
    return print(this.data())
  }

  /**
   * The plan as data for JSON.stringify, from which fromJSON() makes it anew.
   *
   * Throws ERR_NETLOOM_INVALID_PLAN for a plan on an open namespace that has no name, path or process to find it by.
   */
  toJSON(): PlanJson {
    return toJson(this.data())
  }

  /**
   * A plan out of what toJSON() gave. It may come from anywhere: everything is checked as at the verbs, and errors have the path in the JSON
   * ('items[7].spec.peer.name').
   */
  static fromJSON(json: object): Plan {
    const plan = new Plan()
    plan.#recorder = fromJson(json)
    return plan
  }

  /** @internal What has been said so far, as data. */
  data(): PlanData {
    return this.#recorder.data()
  }

  /** With the namespaces open that are there, those of the caller and those that are looked up. */
  async #withSources<T>(data: PlanData, use: (sources: ReadonlyMap<number, Namespace>) => Promise<T>): Promise<T> {
    const sources = new Map(this.#recorder.sources)
    const opened: Namespace[] = []
    try {
      for (let number = 0; number < data.namespaces.length; number++) {
        const item = data.namespaces[number]!
        if (!('use' in item) || sources.has(number) || 'held' in item.use) continue
        const namespace = 'current' in item.use ? Namespace.current() : await Namespace.open(item.use)
        opened.push(namespace)
        sources.set(number, namespace)
      }
      return await use(sources)
    } finally {
      for (const namespace of opened) await namespace.close()
    }
  }
}
