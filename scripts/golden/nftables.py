#!/usr/bin/env python3
"""Records what nft sends to the kernel for rules, and how it lists them again, into test/golden/captured/nftables-rules.json.

usage: nftables.py        as root; needs nftables, util-linux and cc

Every rule is loaded as text and listed as JSON; then the JSON that was listed is loaded, which gives the bytes that belong to
it. Everything happens in one network namespace that is flushed before every rule. Shares no code with the library.
"""
import json, os, platform, re, struct, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', '..', 'test', 'golden', 'captured', 'nftables-rules.json')
NETLINK_NETFILTER = '12'
NEWRULE, NEWSET, NEWSETELEM = 0xa06, 0xa09, 0xa0c
CHAINS = {
    'ip': ('ip', 'type filter hook input priority 0;'),
    'ip-nat': ('ip', 'type nat hook prerouting priority -100;'),
    'ip-snat': ('ip', 'type nat hook postrouting priority 100;'),
    'ip-tp': ('ip', 'type filter hook prerouting priority -150;'),
    'ip6': ('ip6', 'type filter hook input priority 0;'),
    'ip6-nat': ('ip6', 'type nat hook prerouting priority -100;'),
    'inet': ('inet', 'type filter hook input priority 0;'),
    'inet-nat': ('inet', 'type nat hook prerouting priority -100;'),
    'inet-snat': ('inet', 'type nat hook postrouting priority 100;'),
    'inet-tp': ('inet', 'type filter hook prerouting priority -150;'),
    'arp': ('arp', 'type filter hook input priority 0;'),
    'bridge': ('bridge', 'type filter hook prerouting priority 0;'),
    'netdev': ('netdev', 'type filter hook ingress device lo priority 0;'),
}
OBJECTS = '''
 counter c1 { }
 quota q1 { over 5 mbytes }
 limit l1 { rate 5/second }
 set s { type ipv4_addr; }
 set cs { type ipv4_addr . inet_service; }
 set aa { type ipv4_addr . ipv4_addr; }
 set three { type ipv4_addr . ipv4_addr . inet_service; }
 set ds { type ipv4_addr; size 1000; flags dynamic,timeout; }
 set dcs { type ipv4_addr . inet_service; size 1000; flags dynamic,timeout; }
 map dm { type ipv4_addr : mark; size 1000; flags dynamic,timeout; }
 map vm { type ipv4_addr : verdict; }
 map cvm { type inet_service . ipv4_addr : verdict; }
 map mm { type ipv4_addr : mark; }
 map am { type ipv4_addr : ipv4_addr; }
 map pm { type inet_service : ipv4_addr . inet_service; }
 map pm2 { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
 set es { type ether_addr; }
'''
CT_OBJECTS = '''
 ct helper h1 { type "ftp" protocol tcp; }
 ct timeout t1 { protocol tcp; policy = { established : 100 }; }
'''


def hook(kind, rule):
    """The chain that takes the rule: some expressions work in some hooks only."""
    if 'rt mtu' in rule or rule.startswith('rt '):
        return 'type filter hook forward priority 0;'
    # A socket, a route's device or a fingerprint is not known everywhere.
    if 'fib ' in rule or rule.startswith(('osf', 'socket')):
        return CHAINS[kind][1].replace('input', 'prerouting')
    if rule.startswith('dup') or 'cgroupv2' in rule or 'notrack' in rule or 'oif' in rule and kind == 'ip':
        return CHAINS[kind][1].replace('input', 'prerouting') if 'oif' not in rule else 'type filter hook output priority 0;'
    return CHAINS[kind][1]


def attributes(body):
    while len(body) >= 4:
        size, kind = struct.unpack_from('=HH', body)
        yield kind & 0x3fff, body[4:size]
        body = body[(size + 3) & ~3:]


def messages(datagram):
    while len(datagram) >= 16:
        size, kind = struct.unpack_from('=IH', datagram)
        yield kind, datagram[20:size]
        datagram = datagram[(size + 3) & ~3:]


class Nft:
    def __init__(self, scratch):
        self.shim = os.path.join(scratch, 'shim.so')
        self.log = os.path.join(scratch, 'log')
        subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', self.shim, os.path.join(HERE, 'shim.c'), '-ldl'], check=True)

    def plain(self, *arguments, text=None):
        return subprocess.run(['nft', *arguments], input=text, capture_output=True, text=True)

    def sent(self, *arguments, text):
        """The rule's expressions and the sets that were sent with it, in hexadecimal digits; None if nft sent no rule."""
        open(self.log, 'w').close()
        env = dict(os.environ, LD_PRELOAD=self.shim, GOLDEN_LOG=self.log, GOLDEN_PROTOCOL=NETLINK_NETFILTER)
        done = subprocess.run(['nft', *arguments, '-f', '-'], input=text, capture_output=True, text=True, env=env)
        rule, sets, elements = None, [], []
        for line in open(self.log):
            direction, data = line.split()
            if direction != 'send':
                continue
            for kind, body in messages(bytes.fromhex(data)):
                found = dict(attributes(body))
                if kind == NEWRULE:
                    rule = found[4].hex()
                elif kind == NEWSET and struct.unpack('>I', found[3])[0] & 1:
                    sets.append(body.hex())
                elif kind == NEWSETELEM and b'%d' in found[2]:
                    elements.append(body.hex())
        return done, rule, sets, elements


def record(nft, kind, rule):
    family = CHAINS[kind][0]
    objects = OBJECTS + (CT_OBJECTS if family in ('ip', 'ip6', 'inet') else '')
    table = f'table {family} t {{\n{objects}\n chain sub {{ }}\n chain c {{ {hook(kind, rule if isinstance(rule, str) else "")} }}\n}}\n'
    entry = dict(family=family, rule=rule)

    def fresh():
        nft.plain('flush', 'ruleset')
        made = nft.plain('-f', '-', text=table)
        if made.returncode:
            sys.exit(made.stderr)

    def add(statements):
        return nft.sent('-j', text=json.dumps({'nftables': [{'add': {'rule': dict(family=family, table='t', chain='c', expr=statements)}}]}))

    fresh()
    if isinstance(rule, str):
        done, *bytes_sent = nft.sent(text=f'add rule {family} t c {rule}')
        if done.returncode or bytes_sent[0] is None:
            print(f'{kind} {rule}: {done.stderr.splitlines()[0] if done.stderr else "not sent"}')
            return None
        entry['text'] = dict(zip(('expressions', 'sets', 'elements'), bytes_sent))
        listed = json.loads(nft.plain('-j', 'list', 'chain', family, 't', 'c').stdout)
        entry['statements'] = next(one['rule']['expr'] for one in listed['nftables'] if 'rule' in one)
        lines = nft.plain('list', 'chain', family, 't', 'c').stdout.splitlines()
        entry['listed'] = lines[3].strip() if len(lines) > 4 else ''
        fresh()
        done, *bytes_sent = add(entry['statements'])
        if done.returncode:
            entry['refused'] = (done.stderr.splitlines() or ['?'])[0]
    else:
        entry['statements'] = rule
        done, *bytes_sent = add(rule)
    if bytes_sent[0] is not None:
        entry['json'] = dict(zip(('expressions', 'sets', 'elements'), bytes_sent))
        if entry.get('text') == entry['json']:
            del entry['json']
    return entry


def main():
    version = re.search(r'v(\S+)', subprocess.run(['nft', '--version'], capture_output=True, text=True, check=True).stdout).group(1)
    kernel = re.match(r'\d+\.\d+', platform.release()).group(0)
    rules, kind = [], ''
    for line in open(os.path.join(HERE, 'nftables-rules.txt')).read().splitlines():
        if line.startswith('[{'):
            rules.append((kind, json.loads(line)))
        elif line.startswith('['):
            kind = line[1:-1]
        elif line and not line.startswith('#'):
            rules.append((kind, line))
    with tempfile.TemporaryDirectory() as scratch:
        nft = Nft(scratch)
        entries = [dict(kernel=kernel, nftables=version, **entry) for entry in (record(nft, *rule) for rule in rules) if entry]
    with open(OUT, 'w') as out:
        out.write('[\n' + ',\n'.join(json.dumps(entry) for entry in entries) + '\n]\n')
    print(f'{len(entries)} captured; {sum("refused" in entry for entry in entries)} that nft does not take back as JSON')


if 'GOLDEN_INSIDE' in os.environ:
    main()
else:
    inside = 'ip link set lo up && exec "$0" "$@"'
    os.execvpe('unshare', ['unshare', '-n', 'sh', '-c', inside, sys.executable, os.path.abspath(__file__)], dict(os.environ, GOLDEN_INSIDE='1'))
