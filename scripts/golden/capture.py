#!/usr/bin/env python3
"""Records the bytes that ip and bridge exchange with the kernel, into test/golden/captured.

usage: capture.py [AREA …]        as root; needs iproute2, util-linux and cc

Every recipe runs in a network and a mount namespace of its own. Sequence numbers and port ids are set to zero, so that a
second capture differs only where the kernel or iproute2 does. Shares no code with the library whose codec it checks.
"""
import json, os, platform, re, struct, subprocess, sys, tempfile

import recipes

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', '..', 'test', 'golden', 'captured')
RTM = dict(NEWLINK=16, DELLINK=17, GETLINK=18, SETLINK=19, NEWADDR=20, DELADDR=21, GETADDR=22, NEWROUTE=24, DELROUTE=25, GETROUTE=26, NEWNEIGH=28,
           DELNEIGH=29, GETNEIGH=30, NEWRULE=32, DELRULE=33, GETRULE=34, GETNEIGHTBL=66, SETNEIGHTBL=67, NEWNSID=88, GETNSID=90,
           NEWNEXTHOP=104, DELNEXTHOP=105, GETNEXTHOP=106, NEWLINKPROP=108, DELLINKPROP=109)
ERROR, DONE = 2, 3
INSIDE = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && mount -t sysfs sysfs /sys && ip link set lo up && eval "$SETUP" && export GOLDEN_LOG LD_PRELOAD=$SHIM && exec $COMMAND'


def messages(datagram):
    """(type, the message with its sequence number and port id set to zero) of each message."""
    while len(datagram) >= 16:
        size, kind, flags, _, _ = struct.unpack_from('=IHHII', datagram)
        if size < 16:  # iproute2 sends more bytes than some of its messages have
            return
        body = datagram[16:size]
        if kind == ERROR:
            echo = struct.unpack_from('=IHH', body, 4)
            body = body[:4] + struct.pack('=IHHII', *echo, 0, 0) + body[20:]
        yield kind, struct.pack('=IHHII', size, kind, flags, 0, 0) + body
        datagram = datagram[(size + 3) & ~3:]


def isolated(command, shim='', log='', setup=()):
    env = dict(os.environ, SHIM=shim, GOLDEN_LOG=log, SETUP=' && '.join(setup) or ':', COMMAND=command)
    return subprocess.run(['unshare', '-nm', '--propagation', 'private', 'sh', '-c', INSIDE], env=env, capture_output=True, text=True, timeout=20)


def run(shim, setup, command):
    """The datagrams of one command in order, as (direction, bytes)."""
    with tempfile.NamedTemporaryFile('r') as log:
        done = isolated(command, shim, log.name, setup)
        lines = [line.split() for line in log]
    if not lines:
        sys.exit(f'{command}: nothing was sent\n{done.stderr}')
    return [(direction, bytes.fromhex(data)) for direction, data in lines]


def capture(shim, name, setup, command, wanted):
    datagrams = run(shim, setup, command)
    sent = [(i, message) for i, (direction, data) in enumerate(datagrams) if direction == 'send' for kind, message in messages(data) if kind == RTM[wanted]]
    if not sent:
        sys.exit(f'{name}: {command}: no {wanted} among the messages sent')
    # ip looks links up by name in messages of no family, before and after the one that the recipe is about.
    at, request = next((s for s in sent if wanted == 'GETLINK' and s[1][16]), sent[-1])
    answers = []
    for direction, data in datagrams[at + 1:]:
        if direction == 'send':
            break
        answers += messages(data)
    entry = dict(name=name, setup=setup, recipe=command, request=request.hex())
    errors = [message for kind, message in answers if kind == ERROR]
    if errors and struct.unpack_from('=i', errors[-1], 16)[0]:
        entry['errno'] = -struct.unpack_from('=i', errors[-1], 16)[0]
        entry['reply'] = errors[-1].hex()
    else:
        objects = [message + bytes(-len(message) % 4) for kind, message in answers if kind not in (ERROR, DONE)]
        if objects:
            entry['reply'] = b''.join(objects).hex()
    return entry


def handmade():
    done = isolated(sys.executable + ' ' + os.path.join(HERE, 'handmade.py'))
    for line in done.stdout.splitlines():
        entry = json.loads(line)
        kind, reply = next(messages(bytes.fromhex(entry['reply'])))
        errno = -struct.unpack_from('=i', reply, 16)[0]
        if kind != ERROR or errno == 0:
            sys.exit(f"{entry['name']}: the kernel took it")
        yield dict(name='by hand: ' + entry['name'], recipe='scripts/golden/handmade.py', request=entry['request'], errno=errno, reply=reply.hex())
    if done.returncode:
        sys.exit(done.stderr)


def main():
    iproute2 = re.search(r'iproute2-([^\s,]+)', subprocess.run(['ip', '-V'], capture_output=True, text=True, check=True).stdout).group(1)
    kernel = re.match(r'\d+\.\d+', platform.release()).group(0)
    with tempfile.TemporaryDirectory() as scratch:
        shim = os.path.join(scratch, 'shim.so')
        subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', shim, os.path.join(HERE, 'shim.c'), '-ldl'], check=True)
        os.makedirs(OUT, exist_ok=True)
        for area in sys.argv[1:] or recipes.AREAS:
            entries = [dict(kernel=kernel, iproute2=iproute2, **capture(shim, *recipe)) for recipe in recipes.AREAS[area]]
            if area == 'refused':
                entries += [dict(kernel=kernel, iproute2=iproute2, **entry) for entry in handmade()]
            with open(os.path.join(OUT, area + '.json'), 'w') as out:
                out.write('[\n' + ',\n'.join(json.dumps(entry) for entry in entries) + '\n]\n')
            refused = [f"{entry['name']} ({entry['errno']})" for entry in entries if 'errno' in entry]
            print(f"{area}: {len(entries)} captured; the kernel refused {', '.join(refused) or 'none'}")


main()
