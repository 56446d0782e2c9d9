// Cures as calls of public verbs: what is printed is what apply() does.
import { inspect } from 'node:util'
import { Namespace } from '../kernel/namespace.js'
import type { Cure, CureCall } from './result.js'
import type { Place } from './world.js'

type Group = 'sysctl' | 'links' | 'addresses' | 'routes' | 'neighbours' | 'fdb' | 'rules' | 'iptables' | 'nftables'
/** Verbs of nftables stand one level deeper. */
type Verbs = { readonly [G in Exclude<Group, 'nftables'>]: Namespace[G] } & { readonly 'nftables.rules': Namespace['nftables']['rules'] }
type Arguments<F> = F extends (...args: infer A) => unknown ? A : never

/** A call that is yet to be made. */
interface Planned extends CureCall {
  readonly place: Place
  make(namespace: Namespace): Promise<unknown>
}

/** `call(place, 'sysctl', 'set', 'net.ipv4.ip_forward', 1)` */
export function call<G extends keyof Verbs, V extends keyof Verbs[G] & string>(
  place: Place,
  group: G,
  verb: V,
  ...args: Arguments<Verbs[G][V]>
): Planned {
  const text = args.map(arg => inspect(arg, { breakLength: Number.POSITIVE_INFINITY, depth: null })).join(', ')
  return {
    place,
    namespace: place.label,
    call: `${group}.${verb}(${text})`,
    async make(namespace) {
      const verbs = (group === 'nftables.rules' ? namespace.nftables.rules : namespace[group as Exclude<Group, 'nftables'>]) as Verbs[G]
      await Reflect.apply(verbs[verb] as (...args: unknown[]) => Promise<unknown>, verbs, args)
    },
  }
}

/** A cure by calls; without any it is left to people. */
export function cure(text: string, ...planned: readonly Planned[]): Cure {
  if (planned.length === 0) return { text }
  return {
    text,
    calls: planned.map(({ namespace, call: one }) => ({ namespace, call: one })),
    async apply() {
      for (const { place, make } of planned) {
        // Explaining has closed what it had opened.
        const namespace = await Namespace.open(place.source)
        try {
          await make(namespace)
        } finally {
          await namespace.close()
        }
      }
    },
  }
}
