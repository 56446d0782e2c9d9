// A rule set in nft's syntax: the lines of tables, sets, objects and chains, as nft 1.0.6 printed them.
import { expect, test } from 'vitest'
import type { RulesetObject } from '../../lib/kernel/nftables/objects.js'
import { nftText } from '../../lib/kernel/nftables/text.js'

const t = { family: 'inet', table: 't' } as const
const objects: RulesetObject[] = [
  { metainfo: { version: '1.0.6' } },
  { table: { family: 'inet', name: 't', handle: 1, flags: 'dormant', comment: 'hello table' } },
  { chain: { ...t, name: 'other', handle: 1, comment: 'chain c' } },
  { chain: { ...t, name: 'base', handle: 2, comment: 'base c', type: 'filter', hook: 'input', prio: 5, policy: 'drop' } },
  { chain: { ...t, name: 'dstnat', handle: 3, type: 'nat', hook: 'prerouting', prio: -105, policy: 'accept' } },
  { chain: { ...t, name: 'raw', handle: 4, type: 'filter', hook: 'prerouting', prio: -289 } },
  {
    rule: {
      ...t,
      chain: 'base',
      handle: 33,
      comment: 'rule c',
      expr: [
        { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@s2' } },
        { counter: { packets: 0, bytes: 0 } },
      ],
    },
  },
  { counter: { ...t, name: 'c1', handle: 7, comment: 'cc', packets: 5, bytes: 6 } },
  { quota: { ...t, name: 'q1', handle: 8, comment: 'qq', bytes: 2000, used: 1500, inv: true } },
  { limit: { ...t, name: 'l1', handle: 9, rate: 1, per: 'minute', rate_unit: 'mbytes', burst: 3, burst_unit: 'kbytes' } },
  { 'ct helper': { ...t, name: 'h1', handle: 10, type: 'ftp', protocol: 'tcp', l3proto: 'ip' } },
  { 'ct timeout': { ...t, name: 't1', handle: 11, protocol: 'tcp', l3proto: 'ip', policy: { established: 100, close: 4 } } },
  { 'ct expectation': { ...t, name: 'e1', handle: 12, protocol: 'udp', dport: 9876, timeout: 120_000, size: 12, l3proto: 'ip' } },
  { synproxy: { ...t, name: 's1', handle: 13, mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] } },
  { secmark: { ...t, name: 'm1', handle: 14, context: 'system_u:object_r:ssh_server_packet_t:s0' } },
  {
    set: {
      ...t,
      name: 's2',
      handle: 15,
      comment: 'set c',
      type: 'ipv4_addr',
      policy: 'memory',
      size: 128,
      flags: ['timeout', 'interval'],
      timeout: 86_400,
      'gc-interval': 90,
      'auto-merge': true,
      stmt: [{ counter: null }],
      elem: [
        { elem: { val: '10.0.0.1', timeout: 300, expires: 299.996, comment: 'el', counter: { packets: 0, bytes: 0 } } },
        { prefix: { addr: '10.2.0.0', len: 16 } },
        '10.3.0.1',
      ],
    },
  },
  {
    set: {
      ...t,
      name: 's3',
      type: { typeof: { concat: [{ meta: { key: 'mark' } }, { payload: { protocol: 'tcp', field: 'dport' } }] } },
      flags: 'dynamic',
      elem: [{ concat: [5, 22] }],
    },
  },
  { set: { ...t, name: 's4', type: 'inet_service', elem: [1, 2, 3, 4, 5, 6, { range: [8, 9] }] } },
  { set: { ...t, name: 's8', type: 'ifname', elem: ['eth0', 'wl*'] } },
  {
    map: {
      ...t,
      name: 'm4',
      type: ['ipv4_addr', 'inet_service'],
      map: 'verdict',
      elem: [[{ concat: ['1.1.1.1', 22] }, { jump: { target: 'other' } }]],
    },
  },
  { map: { ...t, name: 'm5', type: 'inet_service', map: 'counter' } },
  { element: { ...t, name: 'm5', elem: [[22, 'c1']] } },
  { flowtable: { ...t, name: 'ft', hook: 'ingress', prio: 0, dev: ['eth0', 'lo'], flags: ['offload', 'counter'] } },
  { table: { family: 'netdev', name: 'nd' } },
  { chain: { family: 'netdev', table: 'nd', name: 'i', type: 'filter', hook: 'ingress', prio: -5, dev: ['eth0', 'lo'] } },
  { chain: { family: 'netdev', table: 'nd', name: 'e', type: 'filter', hook: 'egress', prio: 0, dev: 'lo' } },
  { table: { family: 'bridge', name: 'empty' } },
]
const text = `table inet t { # handle 1
	flags dormant
	comment "hello table"

	counter c1 { # handle 7
		comment "cc"
		packets 5 bytes 6
	}

	quota q1 { # handle 8
		comment "qq"
		over 2000 bytes used 1500 bytes
	}

	limit l1 { # handle 9
		rate 1 mbytes/minute burst 3 kbytes
	}

	ct helper h1 { # handle 10
		type "ftp" protocol tcp
		l3proto ip
	}

	ct timeout t1 { # handle 11
		protocol tcp
		l3proto ip
		policy = { established : 100, close : 4 }
	}

	ct expectation e1 { # handle 12
		protocol udp
		dport 9876
		timeout 2m
		size 12
		l3proto ip
	}

	synproxy s1 { # handle 13
		mss 1460
		wscale 7
		timestamp sack-perm
	}

	secmark m1 { # handle 14
		"system_u:object_r:ssh_server_packet_t:s0"
	}

	set s2 { # handle 15
		type ipv4_addr
		policy memory
		size 128
		flags interval,timeout
		counter
		auto-merge
		timeout 1d
		gc-interval 1m30s
		comment "set c"
		elements = { 10.0.0.1 counter packets 0 bytes 0 timeout 5m expires 4m59s996ms comment "el", 10.2.0.0/16,
			     10.3.0.1 }
	}

	set s3 {
		typeof meta mark . tcp dport
		flags dynamic
		elements = { 0x00000005 . 22 }
	}

	set s4 {
		type inet_service
		elements = { 1, 2, 3, 4, 5,
			     6, 8-9 }
	}

	set s8 {
		type ifname
		elements = { "eth0",
			     "wl*" }
	}

	map m4 {
		type ipv4_addr . inet_service : verdict
		elements = { 1.1.1.1 . 22 : jump other }
	}

	map m5 {
		type inet_service : counter
		elements = { 22 : "c1" }
	}

	flowtable ft {
		hook ingress priority filter
		devices = { eth0, lo }
		flags offload
		counter
	}

	chain other { # handle 1
		comment "chain c"
	}

	chain base { # handle 2
		comment "base c"
		type filter hook input priority filter + 5; policy drop;
		ip saddr @s2 counter packets 0 bytes 0 comment "rule c" # handle 33
	}

	chain dstnat { # handle 3
		type nat hook prerouting priority dstnat - 5; policy accept;
	}

	chain raw { # handle 4
		type filter hook prerouting priority -289; policy accept;
	}
}
table netdev nd {
	chain i {
		type filter hook ingress devices = { eth0, lo } priority filter - 5; policy accept;
	}

	chain e {
		type filter hook egress device "lo" priority filter; policy accept;
	}
}
table bridge empty {
}
`

test('a rule set with one of everything, as objects and as what nft -j prints', () => {
  expect(nftText(objects, { handles: true })).toBe(text)
  expect(nftText({ nftables: objects })).toBe(text.replaceAll(/ # handle \d+/g, ''))
})

test('a rule by its statements alone', () => {
  expect(nftText([{ counter: null }, { quota: 'monthly' }, { accept: null }])).toBe('counter quota name "monthly" accept')
  expect(nftText([])).toBe('')
})

test('some words depend on the family', () => {
  const expr = [
    { match: { op: '==', left: { ct: { key: 'saddr', dir: 'original' } }, right: '10.0.0.1' } },
    { reject: { type: 'icmp', expr: 'port-unreachable' } },
  ] as const
  expect(nftText({ family: 'ip', expr })).toBe('ct original ip saddr 10.0.0.1 reject')
  expect(nftText({ expr })).toBe('ct original saddr 10.0.0.1 reject with icmp port-unreachable')
})

test('what nft cannot write is named', () => {
  expect(nftText([{ xt: { type: 'match', name: 'comment' } }, { unknown: { name: 'newer', data: '00' } }])).toBe(
    'xt match "comment" unknown "newer"',
  )
})

test('maps are filled and elements read by rules', () => {
  const key = { elem: { val: { payload: { protocol: 'tcp', field: 'dport' } }, timeout: 5 } } as const
  const data = { payload: { protocol: 'ip', field: 'saddr' } } as const
  expect(nftText([{ map: { op: 'update', elem: key, data, map: '@m' } }])).toBe('update @m { tcp dport timeout 5s : ip saddr }')
  expect(nftText([{ last: { used: 3_000 } }, { queue: { num: { range: [0, 3] }, flags: 'bypass' } }])).toBe(
    'last used 3s queue flags bypass to 0-3',
  )
})
