"""Garbage at gossipd's port: bounded memory, and the pool goes on."""
import os
import socket
import time

from cluster import wait_for
from gossip import Pool
from runner import test

BUILD = 'release'  # memory is measured: a sanitizer keeps what was freed
GARBAGE_S = 20  # in which the reference runs out of memory
GARBAGE_LIMIT_KIB = 32 * 1024  # issue 4


def fire_packets(pool, to, seconds):
    """Random datagrams, and captured kinds with random bytes in them. How many were sent."""
    count, end = 0, time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((pool.net.ip(200), 0))
        while time.monotonic() < end:
            size = 1 + os.urandom(1)[0] * (1 + count % 5)
            s.sendto((bytes([count % 16]) if count % 2 else b'') + os.urandom(size), (to.ip, 8301))
            count += 1
    return count


def fire_streams(to, seconds):
    """Connections that send garbage, cut messages, lengths that never come, or nothing; many stay open."""
    held, count, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            s = socket.create_connection((to.ip, 8301), timeout=1)
        except OSError:
            continue
        first = [b'', b'\x06', b'\x08\x81\xaaUserMsgLen\xce\x01\x3f\xff\xff', b'\x09\x82\xa4Algo\x00\xa3Buf\xdb\x01',
                 b'\x06\x83\xa4Join\xc3\xa5Nodes\xcd\xff\xff\xacUserStateLen\x00'][count % 5]
        try:
            s.sendall(first + os.urandom(1 << (count % 17)))
        except OSError:
            pass  # refused already: as it should be
        held.append(s)
        count += 1
        while len(held) > 200:
            held.pop(0).close()
    for s in held:
        s.close()
    return count


@test(seconds=300)
def issue_garbage_at_the_port_costs_bounded_memory_and_no_member():
    with Pool() as p:
        g1 = p.gossipd('g1')
        s1 = p.serf('s1', join='g1')
        p.wait_all()
        before = g1.memory_kib()
        packets = fire_packets(p, g1, GARBAGE_S)
        streams = fire_streams(g1, GARBAGE_S)
        most = g1.memory_kib('VmHWM')
        print('%d packets, %d streams: %d KiB, then %d KiB' % (packets, streams, before, most))
        assert most - before < GARBAGE_LIMIT_KIB, (before, most)
        wait_for(lambda: g1.status('s1') == 'alive' and s1.status('g1') == 'alive', 30, every=0.2)
        assert len(g1.members()) == 2, g1.members()
        p.gossipd('g2', join='g1')
        p.wait_all(30)
