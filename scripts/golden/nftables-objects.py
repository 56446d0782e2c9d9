#!/usr/bin/env python3
"""Records what nft sends to the kernel for named objects and flowtables, into test/golden/captured/nftables-objects.json.

usage: nftables-objects.py        as root; needs nftables, util-linux and cc

Also of those that the kernel refuses: what is recorded is what was sent. Shares no code with the library.
"""
import json, os, platform, re, struct, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', '..', 'test', 'golden', 'captured', 'nftables-objects.json')
NEWOBJ, NEWFLOWTABLE = 0xa12, 0xa16
OBJECTS = [
    'counter inet t a { packets 5 bytes 700; }',
    'quota inet t a { over 5 mbytes used 3 kbytes; }',
    'limit ip t a { rate over 400 mbytes/minute burst 9 kbytes; }',
    'ct helper ip t a { type "ftp" protocol tcp; l3proto ip; }',
    'ct helper inet t a { type "sip" protocol udp; l3proto ip6; }',
    'ct timeout ip t a { protocol tcp; l3proto ip; policy = { established: 120, close: 20, syn_sent2: 7, unack: 8 }; }',
    'ct timeout ip6 t a { protocol udp; l3proto ip6; policy = { unreplied: 10, replied: 500 }; }',
    'ct expectation ip t a { protocol udp; dport 5432; timeout 1h; size 12; l3proto ip; }',
    'synproxy ip t a { mss 1460; wscale 7; timestamp sack-perm; }',
    'synproxy inet t a { mss 1220; wscale 0; }',
    'secmark inet t a { "system_u:object_r:ssh_server_packet_t:s0"; }',
    'flowtable inet t a { hook ingress priority filter; devices = { lo }; }',
    'flowtable ip t a { hook ingress priority filter + 10; devices = { lo, eth9 }; flags offload; }',
    'flowtable ip6 t a { hook ingress priority -5; devices = { lo }; counter; }',
]


def messages(datagram):
    while len(datagram) >= 16:
        size, kind = struct.unpack_from('=IH', datagram)
        yield kind, datagram[16:size]
        datagram = datagram[(size + 3) & ~3:]


def record(shim, log, text):
    family = re.match(r'(?:ct )?\w+ (\w+)', text).group(1)
    subprocess.run(['nft', f'flush ruleset; add table {family} t'], check=True)
    open(log, 'w').close()
    env = dict(os.environ, LD_PRELOAD=shim, GOLDEN_LOG=log, GOLDEN_PROTOCOL='12')
    done = subprocess.run(['nft', f'add {text}'], capture_output=True, text=True, env=env)
    sent = [body.hex() for line in open(log) if line.startswith('send')
            for kind, body in messages(bytes.fromhex(line.split()[1])) if kind in (NEWOBJ, NEWFLOWTABLE)]
    if len(sent) != 1:
        sys.exit(f'{text}: {len(sent)} messages: {done.stderr}')
    return dict(text=text, sent=sent[0])


def main():
    version = re.search(r'v(\S+)', subprocess.run(['nft', '--version'], capture_output=True, text=True, check=True).stdout).group(1)
    kernel = re.match(r'\d+\.\d+', platform.release()).group(0)
    with tempfile.TemporaryDirectory() as scratch:
        shim, log = os.path.join(scratch, 'shim.so'), os.path.join(scratch, 'log')
        subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', shim, os.path.join(HERE, 'shim.c'), '-ldl'], check=True)
        entries = [dict(kernel=kernel, nftables=version, **record(shim, log, text)) for text in OBJECTS]
    with open(OUT, 'w') as out:
        out.write('[\n' + ',\n'.join(json.dumps(entry) for entry in entries) + '\n]\n')
    print(f'{len(entries)} captured')


if 'GOLDEN_INSIDE' in os.environ:
    main()
else:
    inside = 'ip link set lo up && exec "$0" "$@"'
    os.execvpe('unshare', ['unshare', '-n', 'sh', '-c', inside, sys.executable, os.path.abspath(__file__)], dict(os.environ, GOLDEN_INSIDE='1'))
