#!/usr/bin/env python3
"""Sends requests that ip itself would refuse, packed by hand, and prints what the kernel says: a line of JSON each.

Run by capture.py in a namespace of its own. Half of the sockets ask for acknowledgements without the request (NETLINK_CAP_ACK).
"""
import json, socket, struct

REQUEST, ACK, CREATE, EXCL = 1, 4, 0x400, 0x200
SOL_NETLINK, CAP_ACK, EXT_ACK, STRICT = 270, 10, 11, 12


def attr(kind, data):
    return struct.pack('=HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)


def u32(value):
    return struct.pack('=I', value)


def message(kind, flags, body):
    return struct.pack('=IHHII', 16 + len(body), kind, flags, 0, 0) + body


def create(name, kind, data=b'', extra=b''):
    info = attr(1, kind + b'\0') + (attr(2, data) if data else b'')
    return message(16, REQUEST | ACK | CREATE | EXCL, bytes(16) + attr(3, name) + extra + attr(18, info))


REQUESTS = [
    ('vxlan id of 25 bits', create(b'vx0\0', b'vxlan', attr(1, u32(1 << 24)))),
    ('vxlan localbypass out of range', create(b'vx0\0', b'vxlan', attr(1, u32(42)) + attr(31, b'\2'))),
    ('vxlan source ports reversed', create(b'vx0\0', b'vxlan', attr(1, u32(42)) + attr(10, struct.pack('>HH', 9, 5)))),
    ('link name too long', create(b'a-name-of-17-byte\0', b'bridge')),
    ('link name with a slash', create(b'a/b\0', b'bridge')),
    ('peer name too long', create(b'v0\0', b'veth', attr(1, bytes(16) + attr(3, b'a-name-of-17-byte\0')))),
    ('mtu of two bytes', create(b'br0\0', b'bridge', extra=attr(4, b'\1\2'))),
    ('bridge with a multicast address', create(b'br0\0', b'bridge', extra=attr(1, bytes.fromhex('010000000001')))),
    ('bridge forward mask', create(b'br0\0', b'bridge', attr(9, struct.pack('=H', 1)))),
    ('macvlan mode unknown', create(b'mv0\0', b'macvlan', attr(1, u32(3)), attr(5, u32(1)))),
    ('IPv4 prefix of 33 bits', message(20, REQUEST | ACK | CREATE, struct.pack('=BBBBI', 2, 33, 0, 0, 1) + attr(2, bytes([10, 0, 0, 1])))),
    ('IPv4 address without an address', message(20, REQUEST | ACK | CREATE, struct.pack('=BBBBI', 2, 24, 0, 0, 1))),
    ('IPv4 address on no link', message(20, REQUEST | ACK | CREATE, struct.pack('=BBBBI', 2, 24, 0, 0, 99) + attr(2, bytes([10, 0, 0, 1])))),
    ('route with bits beyond its prefix', message(24, REQUEST | ACK | CREATE, struct.pack('=BBBBBBBBI', 2, 24, 0, 0, 254, 3, 253, 1, 0)
                                                 + attr(1, bytes([10, 0, 0, 1])) + attr(4, u32(1)))),
    ('route by an unknown nexthop', message(24, REQUEST | ACK | CREATE, struct.pack('=BBBBBBBBI', 2, 24, 0, 0, 254, 3, 0, 1, 0)
                                           + attr(1, bytes([10, 0, 0, 0])) + attr(30, u32(9)))),
    ('neighbour on no link', message(28, REQUEST | ACK | CREATE, struct.pack('=BxxxiHBB', 2, 99, 0x80, 0, 0) + attr(1, bytes([10, 0, 0, 9])))),
    ('namespace id without a namespace', message(88, REQUEST | ACK, struct.pack('=Bxxx', 0) + attr(1, u32(7)))),
]

for number, (name, request) in enumerate(REQUESTS):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        for option in (EXT_ACK, STRICT) + ((CAP_ACK,) if number % 2 else ()):
            s.setsockopt(SOL_NETLINK, option, 1)
        s.send(request)
        print(json.dumps(dict(name=name, request=request.hex(), reply=s.recv(1 << 16).hex())))
