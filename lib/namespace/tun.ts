// Making tun and tap devices inside a namespace, by the addon: the kernel offers this on a device file only.
import { native } from '../socket/native.js'
import { checkOpen, failure } from './failure.js'
import { labelOf, type OpenNamespace } from './info.js'

export interface TunRequest {
  /** Left out, the kernel numbers one: tun0, tap0 … */
  readonly name?: string | undefined
  /** IFF_, linux/if_tun.h; with IFF_TUN_EXCL a name that is taken is refused. */
  readonly flags: number
  /** User id that may open it; left out, whoever has CAP_NET_ADMIN. */
  readonly owner?: number | undefined
  readonly group?: number | undefined
  /** How messages call it. */
  readonly subject?: string | undefined
}

/** Makes a persistent device and gives its name. Errors: EEXIST the name is taken; ENOENT, ENODEV this kernel has no tun; EPERM. */
export async function createTun(where: OpenNamespace, { name = '', flags, owner = -1, group = -1, subject }: TunRequest): Promise<string> {
  const attempt = { operation: 'create link', subject, namespace: labelOf(where.info) }
  checkOpen(where, attempt)
  try {
    return await native().createTun(where.handle, name, flags, owner, group)
  } catch (error) {
    const lacking = { hint: 'this kernel lacks tun (module tun), or there is no /dev/net/tun here' }
    throw failure(error, attempt, {
      EBUSY: { code: 'EEXIST', reason: 'the name is taken', hint: 'a link of that name or alternative name is there already' },
      ENOENT: lacking,
      ENODEV: lacking,
      ENXIO: lacking,
    })
  }
}
