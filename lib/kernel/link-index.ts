// The links that an entry names, as the kernel wants them: by index; and the error that says which field named one that is not there.

import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import { type LinkRef, nameOf, type RawLink, type Scope } from './scope.js'

/** The index of a link that the caller's field `path` names. Costs a request only when it is given by name. */
export const indexAt = (scope: Scope, link: LinkRef, context: Context, path: string): Promise<number> =>
  naming(link, context, path, about => scope.indexOf(link, about))

/** The whole link that the caller's field `path` names. */
export const linkAt = (scope: Scope, link: LinkRef, context: Context, path: string): Promise<RawLink> =>
  naming(link, context, path, about => scope.getLink(link, about))

async function naming<T>(link: LinkRef, context: Context, path: string, find: (about: Context) => Promise<T>): Promise<T> {
  try {
    return await find({ ...context, field: () => path })
  } catch (error) {
    // The kernel says only that there is no such device.
    if (!(error instanceof NetloomError) || error.code !== 'ENODEV') throw error
    const { operation, subject = nameOf(link), namespace, hints } = context
    const reason = `there is no ${typeof link === 'string' ? `link ${link}` : nameOf(link)}`
    throw new NetloomError('ENODEV', { operation, subject, namespace, path, reason, hint: hints?.ENODEV })
  }
}
