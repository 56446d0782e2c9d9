// The kernel's answer to the question where a packet goes.
import type { Link } from '../kernel/link-object.js'
import type { Route } from '../kernel/route-object.js'
import { NetloomError } from '../socket/error.js'
import type { Place } from './world.js'

/** Where a packet goes from here. */
export interface Onward {
  readonly link: Link
  /** It has arrived. */
  readonly local: boolean
  readonly via?: string
  /** The address that it leaves with, if it had none. */
  readonly src?: string
  /** What the route allows, where it says so. */
  readonly mtu?: number
}
export type Answer = { readonly route: Route } | { readonly code: string; readonly text: string }

/** The kernel's answer to a look-up, or its refusal. */
export async function ask(place: Place, to: string, options: { from?: string; iif?: Link; match?: boolean } = {}): Promise<Answer> {
  try {
    return { route: await place.namespace.routes.lookup(to, options) }
  } catch (error) {
    if (!(error instanceof NetloomError) || !['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL', 'EXDEV', 'ENODEV'].includes(error.code))
      throw error
    return { code: error.code, text: error.message }
  }
}
