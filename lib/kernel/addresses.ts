// The verbs on the addresses of links in one namespace: add, replace, delete, list.
import { address as addressTable } from '../protocol/address.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { Context } from '../socket/request.js'
import {
  type Address,
  type AddressMessage,
  type AddressOptions,
  addressField,
  addressKey,
  addressMessage,
  isAddressFamily,
  networkAddressWarning,
  toAddress,
} from './address-object.js'
import { checkAt, checkOptions, isFamily, isLink, isSignal } from './arguments.js'
import { blaming } from './blame.js'
import { indexAt, linkAt } from './link-index.js'
import { iterateAll, type Listing, listAll } from './listing.js'
import { type LinkRef, nameOf, type Scope } from './scope.js'

export interface AddressFilter {
  readonly link?: LinkRef
  readonly family?: 4 | 6
  readonly signal?: AbortSignal
}

const reply = { type: rtm.newAddr, codec: addressTable }
export const addressHints = {
  add: {
    EEXIST: 'the link has this address already: replace() changes it',
    ENODEV: 'links.list() says which links there are',
    EACCES: 'IPv6 is switched off on this link: see net.ipv6.conf.<link>.disable_ipv6',
    EADDRNOTAVAIL: 'the link cannot have such an address',
    ENOBUFS: 'the link has no room for IPv4, as its MTU is too small',
  },
  delete: {
    EADDRNOTAVAIL: 'the link has no such address: prefix length and peer count too, and without a prefix length the whole address is meant',
    ENODEV: 'links.list() says which links there are',
  },
} as const

export function addressVerbs(scope: Scope) {
  const context = (operation: string, cidr: string, link: LinkRef, about: Context['hints']): Context => ({
    operation,
    subject: `${cidr} of ${nameOf(link)}`,
    namespace: scope.label,
    field: addressField,
    hints: about,
  })

  async function send(type: number, flags: number, link: LinkRef, value: AddressMessage, about: Context): Promise<void> {
    const index = await indexAt(scope, link, about, 'link')
    const connection = await scope.connection()
    const request = connection.request({ type, flags, codec: addressTable, value: { ...value, index }, context: about })
    await blaming(request, [[/ENODEV/, 'link']])
  }

  /** IPv6 addresses on our own veths are usable at once, unless the caller says otherwise. */
  async function put(operation: string, flags: number, link: LinkRef, cidr: string, options: AddressOptions | undefined): Promise<void> {
    checkAt('link', () => isLink(link))
    const value = addressMessage(cidr, options)
    const about = context(operation, cidr, link, addressHints.add)
    const warning = networkAddressWarning(cidr)
    if (warning) process.emitWarning(warning, { type: 'NetloomWarning', code: 'NETLOOM_NETWORK_ADDRESS' })
    if (value.family !== 'inet6' || options?.noDad !== undefined) return send(rtm.newAddr, flags, link, value, about)
    const found = await linkAt(scope, link, about, 'link')
    return send(rtm.newAddr, flags, found.index, addressMessage(cidr, options, found.linkinfo?.kind === 'veth'), about)
  }

  async function listing(filter: AddressFilter): Promise<Listing<typeof addressTable, typeof addressTable, Address>> {
    checkOptions(filter, { link: isLink, family: isFamily, signal: isSignal })
    const { link, family, signal } = filter
    const about: Context = { operation: 'list addresses', namespace: scope.label, hints: addressHints.add, field: () => 'link' }
    const index = link === undefined ? undefined : await indexAt(scope, link, about, 'link')
    const wanted = family === undefined ? 'unspec' : family === 4 ? 'inet' : 'inet6'
    const value: AddressMessage = { family: wanted, index: index ?? 0 }
    return {
      requests: [{ type: rtm.getAddr, codec: addressTable, value, context: about, signal }],
      reply,
      // Kernels without strict checking ignore the filter.
      choose: raw =>
        isAddressFamily(raw) && (index === undefined || raw.index === index) && (family === undefined || raw.family === wanted)
          ? toAddress(raw)
          : undefined,
    }
  }

  return {
    /**
     * Gives a link an address: `add('eth0', '10.0.1.2/24')`. Without a prefix length the whole address counts (/32, /128).
     *
     * As with `ip`, there is no broadcast address unless the options say one. An IPv4 address that is its network's own gives a warning.
     *
     * Errors: EEXIST the link has it already, ENODEV no such link, EACCES IPv6 is switched off on the link, EPERM without CAP_NET_ADMIN.
     */
    add(link: LinkRef, cidr: string, options?: AddressOptions): Promise<void> {
      return put('add address', requestFlags.create | requestFlags.exclusive, link, cidr, options)
    },

    /** As add, and changes lifetimes, metric and flags of an address that is there already. */
    replace(link: LinkRef, cidr: string, options?: AddressOptions): Promise<void> {
      return put('replace address', requestFlags.create | requestFlags.replace, link, cidr, options)
    },

    /** Takes an address from a link. Throws EADDRNOTAVAIL if it has none such; prefix length and peer count too. */
    async delete(link: LinkRef, cidr: string, options?: Pick<AddressOptions, 'peer'>): Promise<void> {
      checkAt('link', () => isLink(link))
      const value = addressKey(cidr, options)
      await send(rtm.delAddr, 0, link, value, context('delete address', cidr, link, addressHints.delete))
    },

    /** The addresses of a link, or of all; the kernel does the choosing. */
    async list(filter: AddressFilter = {}): Promise<Address[]> {
      return listAll(scope, await listing(filter))
    },

    /** As list(), one by one and in bounded memory: the kernel waits for the reader. Addresses that come and go meanwhile may be missed. */
    iterate(filter: AddressFilter = {}): AsyncIterableIterator<Address, void> {
      return iterateAll(scope, () => listing(filter))
    },
  }
}
