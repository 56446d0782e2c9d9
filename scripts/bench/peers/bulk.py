# The work of floor.cc with pyroute2 (IPRoute outside, NetNS inside), for scripts/bench/bulk.mjs. Usage: bulk.py N. IPv6 as the kernel has it.
import json
import os
import resource
import sys
import time

from pyroute2 import IPRoute, NetNS, netns

PER_BRIDGE = 1000
count = int(sys.argv[1])


def gateway(i):
    return f'10.{100 + i // PER_BRIDGE}.0.1'


def address(i):
    number = i % PER_BRIDGE
    return f'10.{100 + i // PER_BRIDGE}.{number // 250 + 1}.{number % 250 + 1}'


def mac(side, i):
    return f'02:0{side}:00:00:{i >> 8:02x}:{i & 255:02x}'


def processor():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def connect(host, i, bridge):
    name = f'b{i}'
    netns.create(name)
    peer = {'ifname': 'eth0', 'address': mac(1, i), 'net_ns_fd': name}
    host.link('add', ifname=f'bp{i}', kind='veth', address=mac(2, i), peer=peer)
    port = host.link_lookup(ifname=f'bp{i}')[0]
    host.link('set', index=port, master=bridge, state='up')
    with NetNS(name) as inside:
        inside.link('set', index=1, state='up')
        eth0 = inside.link_lookup(ifname='eth0')[0]
        inside.addr('add', index=eth0, address=address(i), prefixlen=16)
        inside.link('set', index=eth0, state='up')
        inside.route('add', dst='default', gateway=gateway(i))


def links():
    with open('/proc/thread-self/net/dev', encoding='ascii') as table:
        return sum(1 for _ in table) - 2


start, start_processor = time.monotonic(), processor()
with IPRoute() as host:
    bridges = []
    for b in range((count + PER_BRIDGE - 1) // PER_BRIDGE):
        host.link('add', ifname=f'bench{b}', kind='bridge', address=mac(3, b))
        bridges.append(host.link_lookup(ifname=f'bench{b}')[0])
        host.addr('add', index=bridges[b], address=gateway(b * PER_BRIDGE), prefixlen=16)
        host.link('set', index=bridges[b], state='up')
    for i in range(count):
        connect(host, i, bridges[i // PER_BRIDGE])
    made, made_processor = time.monotonic(), processor()
    for i in range(count):
        netns.remove(f'b{i}')
    for bridge in bridges:
        host.link('del', index=bridge)
    removed, removed_processor = time.monotonic(), processor()
    while links() > 1:
        time.sleep(0.002)
    gone = time.monotonic()


def each(seconds):
    return round(seconds * 1e6 / count, 1)


print(
    json.dumps(
        {
            'create': each(made - start),
            'createCpu': each(made_processor - start_processor),
            'remove': each(removed - made),
            'removeCpu': each(removed_processor - made_processor),
            'gone': each(gone - made),
        }
    )
)
os._exit(0)
