// Which field of a link a refusal is about, where the kernel doesn't say: found by looking at what there is.
import { NetloomError } from '../socket/error.js'
import type { LinkFields } from './link-request.js'
import { type LinkRef, nameOf, type Scope } from './scope.js'

/** One end of what was to be made or changed. */
export interface Suspect {
  readonly scope: Scope
  readonly fields: LinkFields & { readonly master?: LinkRef | null; readonly options?: unknown }
  /** 'peer' for the other end of a veth. */
  readonly path: string
  /** The link itself, once it is there: it is not in its own way. */
  readonly index?: number
  /** The device it sits on, and where that is looked up. */
  readonly lower?: { readonly scope: Scope; readonly ref: LinkRef }
}
interface Verdict {
  readonly path: string
  readonly code?: string
  readonly reason?: string
}

/** The error with the path of the field that it is about, if that can be found out. */
export async function blame(error: unknown, suspects: readonly Suspect[]): Promise<unknown> {
  if (!(error instanceof NetloomError) || error.path !== undefined) return error
  for (const suspect of suspects) {
    const verdict = await judge(error, suspect)
    if (verdict) return condemned(error, verdict, suspect.path)
  }
  const [main, peer] = suspects
  const name = main?.fields.name
  if (error.code === 'EEXIST' && name !== undefined && name === peer?.fields.name && main?.scope === peer.scope)
    return condemned(error, { path: 'name', reason: `both ends would be called ${name}` }, peer.path)
  return error
}

function condemned(error: NetloomError, verdict: Verdict, within: string): NetloomError {
  const path = within ? `${within}.${verdict.path}` : verdict.path
  const { operation, subject, namespace, attribute, hint, cause } = error
  const { code = error.errno ?? error.code, reason = error.reason } = verdict
  return new NetloomError(code, { operation, subject, namespace, attribute, path, reason, hint: verdict.code ? undefined : hint, cause })
}

async function judge({ code, reason = '' }: NetloomError, { scope, fields, index: own, lower }: Suspect): Promise<Verdict | undefined> {
  const { name, altNames = [], index, master, mac, mtu } = fields
  const taken = async (ref: LinkRef) => {
    const there = await present(scope, ref)
    return there !== undefined && there !== own
  }
  if (code === 'EEXIST' || code === 'EBUSY') {
    for (const [path, ref] of [['name', name] as const, ...altNames.map((one, i) => [`altNames[${i}]`, one] as const)])
      if (ref !== undefined && (await taken(ref))) return { path, reason: `there is a link ${ref} already` }
    if (index !== undefined && (await taken(index))) return { path: 'index', reason: `there is a link of index ${index} already` }
  }
  if (code === 'ENODEV' || code === 'EINVAL') {
    if (master !== undefined && master !== null && (await present(scope, master)) === undefined) return absent('master', master)
    if (lower && (await present(lower.scope, lower.ref)) === undefined) return absent('link', lower.ref)
  }
  if (code === 'EOPNOTSUPP' && /unknown device type/i.test(reason)) return { path: 'kind' }
  if (code === 'EOPNOTSUPP' && master !== undefined && master !== null && !(await takesPorts(scope, master)))
    return { path: 'master', reason: `${nameOf(master)} takes no ports: bridges, bonds, teams and VRFs do` }
  if (code === 'ERANGE') {
    const [only, ...others] = [...paths('options', fields.options), ...paths('port', fields.port)]
    if (only !== undefined && others.length === 0) return { path: only }
  }
  if (mac !== undefined && code === 'EADDRNOTAVAIL' && !isUnicast(mac)) return { path: 'mac', reason: 'not the address of a single device' }
  if (mtu !== undefined && lower && code === 'EINVAL') {
    const { mtu: most } = await lower.scope.getLink(lower.ref)
    if (most !== undefined && mtu > most) return { path: 'mtu', reason: `${nameOf(lower.ref)} below has ${most}` }
  }
  if (mtu !== undefined && (/\bmtu\b/i.test(reason) || (code === 'EINVAL' && !isMtu(mtu)))) return { path: 'mtu' }
  return undefined
}

const absent = (path: string, ref: LinkRef): Verdict => ({
  path,
  code: 'ENODEV',
  reason: typeof ref === 'string' ? `there is no link ${ref}` : `there is no ${nameOf(ref)}`,
})
/** The kinds that others can be ports of. */
const masters: readonly (string | undefined)[] = ['bridge', 'bond', 'team', 'vrf', 'hsr', 'batadv', 'openvswitch']
async function takesPorts(scope: Scope, ref: LinkRef): Promise<boolean> {
  return masters.includes((await scope.getLink(ref)).linkinfo?.kind)
}
const paths = (name: string, of: unknown): string[] =>
  typeof of === 'object' && of !== null && !(of instanceof Uint8Array) ? Object.keys(of).map(field => `${name}.${field}`) : []
/** The lowest bit of the first byte means a group of devices, and an address of zeros means none. */
const isUnicast = (mac: string) => !/^.[13579bdf]|^[0:]*$/i.test(mac)
/** ETH_MIN_MTU and ETH_MAX_MTU, linux/if_ether.h. */
const isMtu = (mtu: number) => mtu >= 68 && mtu <= 65535

/** The index of a link, or undefined. */
async function present(scope: Scope, ref: LinkRef): Promise<number | undefined> {
  try {
    return (await scope.getLink(ref)).index
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENODEV') return undefined
    throw error
  }
}
