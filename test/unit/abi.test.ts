// Every number in the protocol tables against <linux/*.h>, by the C compiler.
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { errnoNumbers } from '../../lib/socket/errno.js'
import { type Claim, checkClaims, checkConstants } from '../helpers/c-compiler.js'
import { attributeClaims, composedSets, listClaims, numberClaims, numberSets, structClaims, structs } from './abi-claims.js'
import { iptablesDataStructs } from './abi-iptables.js'
import { netfilterHeaders } from './abi-netfilter.js'
import { newerThanHeaders } from './abi-newer.js'

const headers = [
  'sys/socket.h',
  'linux/if.h',
  'linux/if_ether.h',
  'linux/if_tun.h',
  'linux/if_vlan.h',
  'linux/netlink.h',
  'linux/rtnetlink.h',
  'linux/if_link.h',
  'linux/if_addr.h',
  'linux/if_bridge.h',
  'linux/neighbour.h',
  'linux/fib_rules.h',
  'linux/net_namespace.h',
  'linux/nexthop.h',
  'linux/veth.h',
  'linux/icmpv6.h',
  'linux/lwtunnel.h',
  ...netfilterHeaders,
]

/** Everything that lib/protocol exports, by file and name. */
async function exported(): Promise<[where: string, value: unknown][]> {
  const root = new URL('../../lib/protocol/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
  const modules = await Promise.all(files.map(async file => [file, (await import(new URL(file, root).href)) as object] as const))
  return modules.flatMap(([file, module]) => Object.entries(module).map(([name, value]): [string, unknown] => [`${file}: ${name}`, value]))
}
const isTable = (value: unknown): value is AnyCodec =>
  typeof value === 'object' && value !== null && 'prefix' in value && 'entries' in value
const isStruct = (value: unknown) => typeof value === 'object' && value !== null && 'members' in value && !('prefix' in value)
const isNumberSet = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.values(value).length > 0 && Object.values(value).every(n => typeof n === 'number')

/** Fails on wrong claims and on unknown names that the list of newer ones does not have with the same number. */
function verify(claims: readonly Claim[]): number {
  const { unknown, wrong } = checkClaims(headers, claims)
  expect(wrong).toEqual([])
  const byName = new Map(claims.map(({ name, value }) => [name, value]))
  expect(Object.fromEntries(unknown.map(name => [name, byName.get(name)]))).toEqual(
    Object.fromEntries(unknown.map(name => [name, newerThanHeaders[name]])),
  )
  return unknown.length
}

describe.skipIf(process.platform !== 'linux')('tables and <linux/*.h>', () => {
  test('attribute numbers', async () => {
    const claims = new Map<string, Claim>()
    for (const [, value] of await exported()) if (isTable(value)) attributeClaims(value, claims)
    const newer = verify([...claims.values(), ...listClaims()])
    expect(claims.size).toBeGreaterThan(400)
    console.log(`${claims.size - newer} attribute numbers agree with <linux/*.h>, ${newer} are newer than these headers`)
  })

  test('names of numbers and of bits', () => {
    const claims = numberClaims()
    const newer = verify(claims)
    console.log(`${claims.length - newer} names of numbers agree with <linux/*.h>, ${newer} are newer than these headers`)
  })

  test('sizes of structs, and the places and sizes of their members', () => {
    const claims = structClaims()
    const newer = verify(claims)
    console.log(`${claims.length - newer} sizes and places agree with <linux/*.h>, ${newer} are newer than these headers`)
  })

  test('error numbers', () => {
    // ENOTSUPP is the kernel's own (include/linux/errno.h): it escapes now and then, no header for programs has it.
    expect(checkConstants(['errno.h'], errnoNumbers)).toEqual({ unknown: ['ENOTSUPP'], wrong: [] })
    expect(errnoNumbers.ENOTSUPP).toBe(524)
  })

  test('the compiler notices a wrong number and an unknown name', () => {
    expect(checkConstants(['linux/if_link.h'], { IFLA_MTU: 4, IFLA_LINK: 6, IFLA_NO_SUCH_THING: 1 })).toEqual({
      unknown: ['IFLA_NO_SUCH_THING'],
      wrong: ['IFLA_LINK is not 6'],
    })
  })
})

test('no struct and no set of names in lib/protocol goes unchecked', async () => {
  const checked = new Set<unknown>([
    ...numberSets.map(set => set.numbers),
    ...composedSets,
    ...structs.map(({ struct }) => struct),
    ...iptablesDataStructs,
  ])
  const missed = (await exported()).filter(([, value]) => (isStruct(value) || isNumberSet(value)) && !checked.has(value))
  expect(missed.map(([where]) => where)).toEqual([])
})

test('the list of newer constants holds nothing that the tables do not use', async () => {
  const used = new Set([...numberClaims(), ...structClaims(), ...listClaims()].map(({ name }) => name))
  for (const [, value] of await exported()) if (isTable(value)) for (const name of attributeClaims(value).keys()) used.add(name)
  expect(Object.keys(newerThanHeaders).filter(name => !used.has(name))).toEqual([])
})
