// Rule sets of iptables-nft are read without loss: each rule put back from what was read is, to iptables-nft, the same.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterAll(async () => {
  await here?.close()
})

/** As Docker 20.10 leaves them, with a published port, and with matches that nft has no words for. */
const saved = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m comment --comment "ssh in" -j ACCEPT
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
`
const rulesOf = async () =>
  (await run(host.name, 'iptables-nft-save')).split('\n').filter(line => line.startsWith('-A') || line.startsWith('*'))

test('rules of Docker 20.10, each replaced by what was read of it', async context => {
  await needs(context, 'tool:iptables', 'nftables')
  expect(await attempt(host.name, 'iptables-nft-restore', [], saved)).toMatchObject({ code: 0 })
  const before = await rulesOf()
  const read = await here.nftables.rules.list({ family: 'ip' })
  expect(read).toHaveLength(12)
  const extensions = read.flatMap(({ expr }) => expr.flatMap(one => ('xt' in one ? [one.xt] : [])))
  expect(extensions.length).toBeGreaterThan(0)
  for (const one of extensions) expect(one?.info).toMatch(/^([\da-f]{2})+$/)
  for (const rule of read) await here.nftables.rules.replace(rule)
  expect(await rulesOf()).toEqual(before)
})
