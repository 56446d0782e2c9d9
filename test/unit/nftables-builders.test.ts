// The rule language: what it makes reads like the rule in nft's syntax, and is printed back as itself.
import { expect, test } from 'vitest'
import { type BuiltRule, type NftStatement, nft, nftText, toBuilders } from '../../lib/index.js'
import { evaluate } from '../helpers/evaluate.js'
import { realRules } from '../oracle/nftables-rules/all.js'

const { rule, comment, not, eq, none, range, prefix, element, concat, ct, tcp, ip, ip6, meta, iifname, counter, accept, masquerade, log } =
  nft

for (const row of realRules)
  test(`${row.origin}: ${row.text}`, () => {
    expect(nftText({ family: row.family, ...row.rule })).toBe(row.text)
    expect(evaluate(toBuilders(row.rule))).toEqual(row.rule)
  })

/** Rules beside nft's words for them. */
const pairs: [BuiltRule, string][] = [
  [rule(iifname('br0'), tcp.dport(80), nft.dnat({ to: '10.0.0.2', port: 8080 })), 'iifname "br0" tcp dport 80 dnat to 10.0.0.2:8080'],
  [rule(counter, masquerade, log, nft.reject, nft.queue, nft.synproxy), 'counter packets 0 bytes 0 masquerade log reject queue synproxy'],
  [rule(tcp.dport('1024-65535')), 'tcp dport 1024-65535'],
  [rule(tcp.dport([22, '80-90', element(443, { comment: 'https' })])), 'tcp dport { 22, 80-90, 443 comment "https" }'],
  [rule(ip.saddr(['10.0.0.0/8', '192.168.0.1-192.168.0.9', '1.1.1.1'])), 'ip saddr { 10.0.0.0/8, 192.168.0.1-192.168.0.9, 1.1.1.1 }'],
  [rule(ip6.saddr(range('fe80::1', 'fe80::9'))), 'ip6 saddr fe80::1-fe80::9'],
  [rule(ip.saddr(prefix('10.0.0.0', 8))), 'ip saddr 10.0.0.0/8'],
  [rule(ip.saddr(not('@friends'))), 'ip saddr != @friends'],
  [rule(ct.state('new')), 'ct state new'],
  [rule(ct.state('new', 'related')), 'ct state new,related'],
  [rule(ct.state(['new', 'related'])), 'ct state { new, related }'],
  [rule(ct.state(not(['new', 'related']))), 'ct state != { new, related }'],
  [rule(ct.state(not('invalid'))), 'ct state != invalid'],
  [rule(ct.state(eq('new'))), 'ct state == new'],
  [rule(tcp.flags(none('syn', 'ack'))), 'tcp flags ! syn,ack'],
  [rule(tcp.flags(none('syn'))), 'tcp flags ! syn'],
  [rule(tcp.flags.within('syn', 'ack')(not('syn'))), 'tcp flags != syn / syn,ack'],
  [rule(tcp.flags.within('syn')('syn')), 'tcp flags & syn == syn'],
  [rule(ct.event.set('new', 'destroy')), 'ct event set new,destroy'],
  [rule(ct.label(5)), 'ct label 5'],
  [rule(meta.mark.set(meta.mark.and(0xff).or(0x100))), 'meta mark set meta mark & 0x000000ff | 0x00000100'],
  [rule(meta.mark.set(ct.mark.shiftRight(16))), 'meta mark set ct mark >> 16'],
  [rule(concat(ip.saddr, tcp.dport)(['10.0.0.1', 22])), 'ip saddr . tcp dport 10.0.0.1 . 22'],
  [rule(concat(ip.saddr, tcp.dport)(not([['10.0.0.1', 22]]))), 'ip saddr . tcp dport != { 10.0.0.1 . 22 }'],
  [rule(concat(ip.saddr, tcp.dport)('@pairs')), 'ip saddr . tcp dport @pairs'],
  [rule(concat(ip.saddr, tcp.dport)([element(['10.0.0.1', 22], { comment: 'x' })])), 'ip saddr . tcp dport { 10.0.0.1 . 22 comment "x" }'],
  [rule(counter.named(tcp.dport.map([[22, 'ssh']]))), 'counter name tcp dport map { 22 : "ssh" }'],
  [rule(counter({ packets: 5, bytes: 6 })), 'counter packets 5 bytes 6'],
  [rule(nft.quota('1 mbytes', { used: '5 kbytes' })), 'quota 1 mbytes used 5 kbytes'],
  [
    rule(nft.limit('5/second', { burst: 10 }), nft.limit('1 mbytes/hour', { burst: 2048 })),
    'limit rate 5/second burst 10 packets limit rate 1 mbytes/hour burst 2048 bytes',
  ],
  [rule(nft.dnat({ to: '10.0.0.0/24', prefix: true })), 'dnat prefix to 10.0.0.0/24'],
  [
    rule(nft.snat({ family: 'ip6', to: 'fe80::1-fe80::5', port: '80-90', flags: ['random', 'persistent'] })),
    'snat ip6 to [fe80::1]-[fe80::5]:80-90 random,persistent',
  ],
  [rule(nft.redirect({ port: tcp.dport.map([[80, 8080]]) })), 'redirect to :tcp dport map { 80 : 8080 }'],
  [rule(nft.fwd('eth0', { family: 'ip', addr: '10.0.0.1' })), 'fwd ip to 10.0.0.1 device "eth0"'],
  [rule(nft.update('@m', tcp.dport, { timeout: 5, data: ip.saddr })), 'update @m { tcp dport timeout 5s : ip saddr }'],
  [rule(nft.remove('@seen', ip.saddr)), 'delete @seen { ip saddr }'],
  [rule(nft.meter('m', ip.saddr, nft.limit('5/second'), { size: 128 })), 'meter m size 128 { ip saddr limit rate 5/second }'],
  [rule(nft.osf('skip').name('Linux')), 'osf ttl skip name "Linux"'],
  [rule(nft.ipsec('out', { spnum: 1 }).reqid(5)), 'ipsec out spnum 1 reqid 5'],
  [rule(nft.ipsec('in', { family: 'ip' }).saddr('10.0.0.1')), 'ipsec in ip saddr 10.0.0.1'],
  [rule(nft.rt.ip6.nexthop('fe80::1')), 'rt ip6 nexthop fe80::1'],
  [rule(nft.socket.cgroupv2(1)('system.slice')), 'socket cgroupv2 level 1 "system.slice"'],
  [rule(meta.secmark.set('web'), meta.secmark.set(ct.secmark)), 'meta secmark set "web" meta secmark set ct secmark'],
  [rule(ct.timeout.set('slow'), ct.expectation.set('sip')), 'ct timeout set "slow" ct expectation set "sip"'],
  [rule(nft.reset(tcp.option('sack-perm')), nft.last), 'reset tcp option sack-perm last used never'],
  [rule(nft.symhash({ mod: 2, offset: 5 })(6)), 'symhash mod 2 offset 5 6'],
  [rule(accept, comment('it\'s "open"')), 'accept comment "it\'s "open""'],
]
for (const [built, text] of pairs)
  test(text, () => {
    expect(nftText(built)).toBe(text)
    expect(evaluate(toBuilders(built))).toEqual(built)
  })

test('plain statements stand beside words, and are printed back where there is no word', () => {
  const plain: NftStatement = { xt: { type: 'match', name: 'comment', revision: 0, info: '00ff' } }
  const built = rule(plain, accept)
  expect(toBuilders(built)).toBe("rule({ xt: { type: 'match', name: 'comment', revision: 0, info: '00ff' } }, accept)")
  expect(evaluate(toBuilders(built))).toEqual(built)
})

test('source text reads like the rule', () => {
  expect(toBuilders(rule(iifname(not('br0')), meta.mark.and(0xff00)(0x100), nft.return, comment('x')))).toBe(
    "rule(iifname(not('br0')), meta.mark.and(0xff00)(0x100), nft.return, comment('x'))",
  )
})

test('what is no statement is refused where it is written', () => {
  const refused = expect.objectContaining({ code: 'ERR_NETLOOM_INVALID_OPTION' })
  const wrong = rule as (...parts: unknown[]) => BuiltRule
  expect(() => wrong('accept')).toThrow(refused)
  expect(() => wrong(undefined)).toThrow(refused)
  expect(() => (tcp.dport as unknown as () => unknown)()).toThrow(refused)
})
