"""Reads of health as discovery does them: by conditional reads, while something changes, and by many who wait."""
import os
import resource
import select
import socket
import threading
import time

from cluster import Cluster
from discovery import register
from http1 import Http

AIMS = {10: 20, 1000: 200}  # instances: us of CPU a request
POLLERS = int(os.environ.get('POLLERS', '5000'))
POLLERS_ROW = '%d long polls' % POLLERS
WAKES = 7
CONFIG = {'log_level': 'INFO', 'limits': {'http_max_conns_per_client': 20000}}


def row_name(size, changing=False):
    return 'health of %d' % size + (', changing' if changing else '')


def instance(http, size, i, note=''):
    """An instance as they are in the field: some tags and metadata, a check of its own and one of its node."""
    name = 'web%d' % size
    register(http, 'node-%04d' % i,
             {'ID': name, 'Service': name, 'Port': 8000 + i, 'Tags': ['primary', 'v1'],
              'Meta': {'version': '1.2.3', 'team': 'platform'}},
             [{'CheckID': 'serfHealth', 'Name': 'Serf Health Status', 'Status': 'passing',
               'Output': 'Agent alive and reachable'},
              {'CheckID': 'service:' + name, 'Name': 'Service check', 'Status': 'passing', 'ServiceID': name,
               'Notes': note, 'Output': 'HTTP GET http://10.0.0.1:8000/health: 200 OK'}],
             address='10.0.%d.%d' % (i // 250, i % 250), NodeMeta={'consul-network-segment': ''})


class Changing(threading.Thread):
    """One instance changes once a second."""

    def __init__(self, ip, size):
        super().__init__(daemon=True)
        self.http, self.size, self.ended = Http(ip), size, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def run(self):
        n = 0
        while not self.ended.wait(1):
            n += 1
            instance(self.http, self.size, 3, 'note %d' % n)

    def __exit__(self, *error):
        self.ended.set()
        self.join()


def bench_health(measured, wrk, show, pids_of):
    with Cluster(1, CONFIG) as c:
        for size in AIMS:
            for i in range(size):
                instance(c[1], size, i)
        pids, url = pids_of(c), 'http://%s:8500' % c[1].ip
        for size in AIMS:
            path = '/v1/health/service/web%d?passing' % size
            body = c[1].get(path)
            assert len(body.json()) == size, body
            run = wrk(url, 'path.lua', 64, path)
            show(row_name(size), measured(pids, run), KB=len(body.body) / 1000)
            with Changing(c[1].ip, size):
                show(row_name(size, changing=True), measured(pids, run))


# ---- many who wait ----

class Pollers:
    """Connections that each have a blocking read under way."""

    def __init__(self, ip, path, count):
        self.path, self.poll = path, select.epoll()
        self.socks = {}
        for _ in range(count):
            sock = socket.create_connection((ip, 8500))
            self.socks[sock.fileno()] = sock
            self.poll.register(sock.fileno(), select.EPOLLIN | select.EPOLLET)

    def ask(self, index):
        text = ('GET %s&index=%d&wait=10m HTTP/1.1\r\nHost: x\r\n\r\n' % (self.path, index)).encode()
        for sock in self.socks.values():
            sock.sendall(text)

    def wait(self, start):
        """When each was answered, in ms from start; what came stays in the sockets meanwhile.

        Looks every 2 ms: one process that is woken by each answer would be most of what is measured."""
        at, seen, end = [], set(), start + 20
        while len(seen) < len(self.socks):
            time.sleep(0.002)
            events = self.poll.poll(0, maxevents=len(self.socks))
            assert time.monotonic() < end, '%d of %d woken' % (len(seen), len(self.socks))
            now = (time.monotonic() - start) * 1000
            for fd, _ in events:
                if fd not in seen:
                    seen.add(fd)
                    at.append(now)
        return at

    def drain(self):
        for sock in self.socks.values():
            got = sock.recv(1 << 20)
            head, _, body = got.partition(b'\r\n\r\n')
            length = int(head.lower().split(b'content-length: ')[1].split(b'\r\n')[0])
            while len(body) < length:
                body += sock.recv(1 << 20)

    def close(self):
        for sock in self.socks.values():
            sock.close()


def bench_pollers(row):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Cluster(1, CONFIG) as c:
        node, http = c[1], Http(c[1].ip)
        instance(http, 10, 0)
        agentd = node.daemon('agentd')
        rss = agentd.rss()
        path = '/v1/health/service/web10?passing'
        pollers = Pollers(node.ip, path, POLLERS)
        last = []
        for n in range(WAKES):
            index = http.get(path).index
            pollers.ask(index)
            while int(agentd.status()['items']['view.waiters']) < POLLERS:
                time.sleep(0.05)
            if n == 0:
                memory = agentd.rss() - rss
            start = time.monotonic()
            instance(http, 10, 0, 'wake %d' % n)
            acked = (time.monotonic() - start) * 1000
            at = sorted(pollers.wait(start))
            last.append((at[-1], at[len(at) // 2], acked))
            pollers.drain()
        pollers.close()
    middle = sorted(last)[len(last) // 2]
    row(POLLERS_ROW, all_woken_ms=middle[0], worst_ms=max(last)[0], half_ms=middle[1],
        write_ms=middle[2], KiB_each=memory / POLLERS / 1024)
