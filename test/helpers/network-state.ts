// Everything that networks leave anywhere, for a comparison of before and after; and whether the kernel has what the folder says.
import { readdir } from 'node:fs/promises'
import { expect } from 'vitest'
import type { Networks } from '../../lib/index.js'
import { linkNames } from './links.js'
import { ip, nft } from './readers.js'
import { namedNamespaces } from './state.js'

interface Places {
  readonly stateDir: string
  /** The name of the namespace that plays the machine. */
  readonly host: string
  /** Begins the names of this file's namespaces. */
  readonly prefix: string
  /** Those that are connected. */
  readonly names: readonly string[]
}
interface Addressed {
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[]
}

/** But for the note of which address was given last. */
export async function everything({ stateDir, host, prefix, names }: Places) {
  const files = await readdir(stateDir, { recursive: true })
  const ruleset = (await nft(host, 'list', 'ruleset')).map(entry => JSON.stringify(entry).replace(/"handle": ?\d+,?/g, ''))
  return {
    files: files.filter(file => !file.includes('/last/')).sort(),
    links: await linkNames(host),
    ruleset: ruleset.filter(text => !text.includes('metainfo')).sort(),
    inside: await Promise.all(names.map(linkNames)),
    addresses: (await ip<Addressed>(host, 'addr', 'show')).flatMap(one => one.addr_info.map(({ local }) => local)),
    namespaces: await namedNamespaces(prefix),
  }
}

/** Kernel and folder say the same, seen by ip: each endpoint has its cable and its address, and there is nothing else. Gives the endpoints. */
export async function agreed(networks: Networks, { host, names }: Places) {
  const endpoints = (await Promise.all((await networks.list()).map(network => network.endpoints()))).flat()
  const cables = (await linkNames(host)).filter(name => name.startsWith('veth'))
  expect(cables).toEqual(endpoints.map(one => one.hostInterface ?? '').sort())
  const there: string[] = []
  for (const name of names)
    for (const { addr_info } of await ip<Addressed>(name, '-4', 'addr', 'show'))
      there.push(...addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`))
  expect(there.filter(address => !address.startsWith('127.')).sort()).toEqual(endpoints.flatMap(one => one.addresses).sort())
  return endpoints
}
