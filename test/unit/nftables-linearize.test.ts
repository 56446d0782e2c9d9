// Statements that cannot be: refused before anything is sent, with the path of what is wrong.
import { describe, expect, test } from 'vitest'
import { typesOfName } from '../../lib/kernel/nftables/datatypes.js'
import { delinearize } from '../../lib/kernel/nftables/delinearize.js'
import type { ReadExpression } from '../../lib/kernel/nftables/delinearize-context.js'
import type { Family } from '../../lib/kernel/nftables/fields.js'
import { linearize } from '../../lib/kernel/nftables/linearize.js'
import type { Statement } from '../../lib/kernel/nftables/statement.js'

const sets = (name: string) =>
  name === 'blocked' ? { key: typesOfName('ipv4_addr') } : name === 'pairs' ? { key: typesOfName('ipv4_addr . inet_service') } : undefined
const translate = (family: Family, ...statements: unknown[]) => linearize(statements as Statement[], { family, sets })
const ip = (field: string) => ({ payload: { protocol: 'ip', field } })
const tcp = (field: string) => ({ payload: { protocol: 'tcp', field } })
const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } })

const rows: [what: string, family: Family, statements: unknown[], message: string][] = [
  ['an unknown statement', 'ip', [{ acept: null }], 'expr[0].acept: there is no such statement'],
  ['two statements in one', 'ip', [{ accept: null, drop: null }], 'expr[0]: an object is not an object with one key'],
  ['no object', 'ip', ['accept'], 'expr[0]: "accept" is not an object with one key'],
  [
    'an unknown protocol',
    'ip',
    [match({ payload: { protocol: 'quic', field: 'id' } }, 1)],
    'expr[0].match.left.payload.protocol: "quic" is none of',
  ],
  ['an unknown field', 'ip', [match(tcp('port'), 1)], 'expr[0].match.left.payload.field: "port" is none of sport, dport'],
  ['an unknown key', 'ip', [match({ meta: { key: 'iifnam' } }, 'x')], 'expr[0].match.left.meta.key: "iifnam" is none of'],
  ['an unknown operator', 'ip', [match(tcp('dport'), 1, '=')], 'expr[0].match.op: "=" is none of'],
  [
    'a member that means nothing',
    'ip',
    [{ match: { op: '==', left: tcp('dport'), right: 1, wrong: 2 } }],
    'expr[0].match.wrong: there is no such field',
  ],
  ['a value that does not fit', 'ip', [match(tcp('dport'), 65_536)], 'expr[0].match.right: 65536 is out of range (0 to 65535)'],
  ['a value of another type', 'ip', [match(ip('saddr'), '::1')], 'expr[0].match.right: "::1" is not an IPv4 address'],
  ['a wrong element', 'ip', [match(tcp('dport'), { set: [22, 'x', 5] })], 'expr[0].match.right.set[1]: "x" is not a port'],
  ['no element', 'ip', [match(tcp('dport'), { set: [] })], 'expr[0].match.right.set: needs an element'],
  ['the second statement', 'ip', [{ counter: null }, match(tcp('dport'), -1)], 'expr[1].match.right: -1 is out of range'],
  [
    'IPv6 in a table for IPv4',
    'ip',
    [match({ payload: { protocol: 'ip6', field: 'saddr' } }, '::1')],
    'expr[0].match.left: a packet that is ip cannot be ip6',
  ],
  [
    'ARP in inet',
    'inet',
    [match({ payload: { protocol: 'arp', field: 'operation' } }, 1)],
    'expr[0].match.left: a packet that is inet cannot be arp',
  ],
  [
    'tcp and udp',
    'inet',
    [match(tcp('dport'), 1), match({ payload: { protocol: 'udp', field: 'dport' } }, 1)],
    'expr[1].match.left: a packet that is tcp cannot be udp',
  ],
  [
    'icmp over IPv6',
    'inet',
    [match({ meta: { key: 'nfproto' } }, 'ipv6'), match({ payload: { protocol: 'icmp', field: 'type' } }, 8)],
    'a packet that is ip6 cannot be icmp',
  ],
  ['a set that is not there', 'ip', [match(ip('saddr'), '@gone')], 'there is no set or map "gone" in the table'],
  [
    'a set of other keys',
    'ip',
    [match(ip('saddr'), '@pairs')],
    'expr[0].match.right: is a set of ipv4_addr . inet_service, and the left side is ipv4_addr',
  ],
  [
    'a concatenation and one value',
    'ip',
    [match({ concat: [ip('saddr'), tcp('dport')] }, 5)],
    'expr[0].match.right: a concatenation is compared with a set',
  ],
  [
    'more than the registers hold',
    'ip6',
    [
      match(
        { concat: Array.from({ length: 5 }, () => ({ payload: { protocol: 'ip6', field: 'saddr' } })) },
        { set: [{ concat: ['::1', '::1', '::1', '::1', '::1'] }] },
      ),
    ],
    'needs more than the 64 bytes of all registers',
  ],
  [
    'a port without a protocol',
    'ip',
    [{ dnat: { addr: '10.0.0.1', port: 80 } }],
    'expr[0].dnat.port: needs a match of the transport protocol before',
  ],
  ['an address without a family', 'inet', [{ dnat: { addr: '10.0.0.1' } }], "expr[0].dnat.family: needs a family: 'ip' or 'ip6'"],
  [
    'an address of the other family',
    'inet',
    [{ dnat: { family: 'ip6', addr: '10.0.0.1' } }],
    'expr[0].dnat.addr: "10.0.0.1" is not an IPv6 address',
  ],
  ['nat to nothing', 'ip', [{ snat: {} }], 'expr[0].snat.addr: needs an address or a port'],
  ['an unknown flag', 'ip', [{ masquerade: { flags: ['random', 'rnd'] } }], 'expr[0].masquerade.flags[1]: "rnd" is none of random'],
  ['icmpx in a table for IPv4', 'ip', [{ reject: { type: 'icmpx' } }], 'expr[0].reject.type: a table of family ip says icmp'],
  ['reject at ingress', 'netdev', [{ reject: null }], 'expr[0].reject: a table of family netdev cannot have it'],
  ['an unknown code', 'ip', [{ reject: { type: 'icmp', expr: 'no-route' } }], 'expr[0].reject.expr: "no-route" is not an ICMP code'],
  ['a prefix that is too long', 'ip', [{ log: { prefix: 'x'.repeat(128) } }], 'expr[0].log.prefix: has at most 127 bytes'],
  ['an unknown level', 'ip', [{ log: { level: 'loud' } }], 'expr[0].log.level: "loud" is none of'],
  ['an unknown unit of time', 'ip', [{ limit: { rate: 5, per: 'month' } }], 'expr[0].limit.per: "month" is none of second'],
  ['a rate of nothing', 'ip', [{ limit: { rate: 0 } }], 'expr[0].limit.rate: is at least 1'],
  ['a count that is no number', 'ip', [{ counter: { packets: '5' } }], 'expr[0].counter.packets: "5" is not an integer'],
  ['a jump to nowhere', 'ip', [{ jump: {} }], 'expr[0].jump.target: undefined is not the name of a chain'],
  [
    'something that cannot be set',
    'ip',
    [{ mangle: { key: { numgen: { mode: 'inc', mod: 2 } }, value: 1 } }],
    'expr[0].mangle.key: numgen cannot be set',
  ],
  [
    'a value too wide for its place',
    'ip',
    [{ mangle: { key: ip('ttl'), value: ip('saddr') } }],
    'expr[0].mangle.value: must be a constant',
  ],
  [
    'fib of both addresses',
    'ip',
    [match({ fib: { result: 'type', flags: ['saddr', 'daddr'] } }, 'local')],
    'expr[0].match.left.fib.flags: needs one of',
  ],
  ['fwd outside netdev', 'ip', [{ fwd: { dev: 'lo' } }], 'expr[0].fwd: a table of family ip cannot have it'],
  ['an interface that nobody knows', 'netdev', [{ dup: { addr: 'eth9' } }], 'expr[0].dup.addr: there is no interface "eth9"'],
  ['a meter', 'ip', [{ meter: { name: 'm', key: ip('saddr'), stmt: { limit: { rate: 5 } } } }], 'expr[0].meter: write it as a set'],
  [
    'bytes that are none',
    'ip',
    [{ xt: { type: 'match', name: 'comment', info: 'zz' } }],
    'expr[0].xt.info: "zz" is not an even number of hexadecimal digits',
  ],
  [
    'ranges with <',
    'ip',
    [match(tcp('dport'), { range: [1, 2] }, '<')],
    "expr[0].match.right: ranges and prefixes are compared with '==' or '!='",
  ],
  [
    'one verdict of many',
    'ip',
    [
      {
        vmap: {
          key: tcp('dport'),
          data: {
            set: [
              [22, { accept: null }],
              [23, 'drop'],
            ],
          },
        },
      },
    ],
    'expr[0].vmap.data.set[1][1]: "drop" is not a verdict',
  ],
]

describe('refused', () => {
  test.each(rows)('%s', (_, family, statements, message) => {
    expect(() => translate(family, ...statements)).toThrow(message)
    try {
      translate(family, ...statements)
    } catch (error) {
      expect(error instanceof TypeError || error instanceof RangeError).toBe(true)
      expect((error as { code: string }).code).toMatch(/^ERR_NETLOOM_/)
      expect((error as { path: string }).path).toMatch(/^expr\[\d\]/)
    }
  })
})

describe('kept as it is', () => {
  test('extensions of iptables and unknown expressions', () => {
    const statements = [
      { xt: { type: 'match', name: 'comment', revision: 0, info: '68690000' } },
      { unknown: { name: 'future', data: '08000100' } },
    ]
    expect(translate('ip', ...statements).expressions).toEqual([
      { name: 'match', data: { name: 'comment', rev: 0, info: Buffer.from('68690000', 'hex') } },
      { name: 'other:future', data: Buffer.from('08000100', 'hex') },
    ])
  })
})

test('a match stays where something is done before the next one that implies it', () => {
  const l4proto = match({ meta: { key: 'l4proto' } }, 'tcp')
  const dport = match(tcp('dport'), 22)
  const back = (...statements: unknown[]) =>
    delinearize(translate('inet', ...statements).expressions as ReadExpression[], { family: 'inet' })
  expect(back(l4proto, dport)).toEqual([dport])
  expect(back(l4proto, { notrack: null }, dport)).toEqual([l4proto, { notrack: null }, dport])
  expect(back(l4proto, { redirect: { port: 80 } }, dport)).toEqual([l4proto, { redirect: { port: 80 } }, dport])
})
