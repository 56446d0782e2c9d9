// list(): the whole rule set as `nft -j list ruleset` prints it, and rules that can be given back.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, nftText } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, nft, run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
afterEach(() => here.nftables.flush())
afterAll(async () => {
  await here?.close()
})

const ruleset = `
table inet web {
  counter hits { packets 3 bytes 252 }
  set friends { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.0.2.1-192.0.2.9 } }
  map ports { type inet_service : verdict; elements = { 22 : accept, 80 : jump sub } }
  chain input {
    type filter hook input priority filter; policy drop;
    iif "lo" accept
    ct state established,related accept
    ip saddr @friends tcp dport { 22, 80-90 } counter name "hits" accept comment "friends"
    tcp dport vmap @ports
    tcp dport vmap { 1 : drop, 2 : goto sub }
  }
  chain sub { limit rate 5/minute log prefix "sub: " ; meta mark set 0x10 ; drop; }
}
table ip nat {
  chain pre { type nat hook prerouting priority dstnat; tcp dport 8080 dnat to 10.0.0.2:80; }
}`

test('what nft has loaded is listed as nft lists it', async () => {
  const { code, stderr } = await attempt(host.name, 'nft', ['-f', '-'], ruleset)
  expect([code, stderr]).toEqual([0, ''])
  const listing = await here.nftables.list()
  expect(nftText(listing).trim()).toBe((await run(host.name, 'nft', 'list', 'ruleset')).trim())
  const theirs = (await nft(host.name, 'list', 'ruleset')) as Record<string, Record<string, unknown>>[]
  const rules = (list: readonly object[]) => list.flatMap(entry => ('rule' in entry ? [entry.rule] : []))
  expect(rules(listing.nftables).length).toBe(rules(theirs).length)
  const place = (rule: object) => {
    const { family, table, chain, handle, comment } = rule as Record<string, unknown>
    return { family, table, chain, handle, comment }
  }
  expect(rules(listing.nftables).map(one => place(one as object))).toEqual(rules(theirs).map(one => place(one as object)))
  expect(await here.nftables.rules.list({ family: 'inet', table: 'web', chain: 'input' })).toEqual(
    rules(listing.nftables).filter(one => (one as { chain: string }).chain === 'input'),
  )
})

test('a table that was read is made again as it was', async () => {
  await attempt(host.name, 'nft', ['-f', '-'], ruleset)
  const before = await run(host.name, 'nft', 'list', 'ruleset')
  const { nftables } = await here.nftables.list({ family: 'inet', table: 'web' })
  await here.nftables.tables.delete({ family: 'inet', name: 'web' })
  await here.nftables.apply(nftables)
  expect(await here.nftables.apply(nftables)).toEqual({ changes: 0 })
  const { nftables: again } = await here.nftables.list({ family: 'inet', table: 'web' })
  const bare = (list: typeof nftables) => nftText({ nftables: list })
  expect(bare(again)).toBe(bare(nftables))
  expect(before).toContain(bare(nftables).trim().slice(0, 40))
})
