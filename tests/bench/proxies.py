"""Rows about the mesh for bench.py: many proxies on one xdsd, one endpoint changes."""
import json
import os
import resource
import subprocess

from cluster import Cluster, wait_for
from http1 import Http

PROXIES, CHANGES, INSTANCES = 1000, 20, 10
ROW, TWO = 'xds %d proxies' % PROXIES, 'xds, two for %d proxies' % PROXIES
CONFIG = {'log_level': 'INFO', 'connect': {'enabled': True}, 'ports': {'dns': -1, 'grpc': 8502}}
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tests', 'bench', 'xds_load')


def proxy(http, id, service, port, **more):
    body = {'Node': 'edge', 'Address': '10.0.0.1', 'SkipNodeUpdate': more.pop('skip', True), 'Service': {
        'ID': id, 'Service': id, 'Kind': 'connect-proxy', 'Port': port, 'Address': '10.0.0.1',
        'Proxy': dict({'DestinationServiceName': service, 'LocalServicePort': 80}, **more)}}
    a = http.put('/v1/catalog/register', json.dumps(body).encode())
    assert a.text == 'true', a


def fill(http, *groups):
    """Each group is so many proxies, named by a letter."""
    for i in range(INSTANCES):
        proxy(http, 'db%d' % i, 'db', 20000 + i, skip=False)
    up = [{'DestinationName': 'db', 'LocalBindPort': 9191}]
    for prefix, count in groups:
        for i in range(count):
            proxy(http, '%s%d' % (prefix, i), 'web', 21000, Upstreams=up)


class Load:
    """Proxies of a group that are connected to one xdsd."""

    def __init__(self, ip, prefix, count):
        self.process = subprocess.Popen([PROGRAM, ip + ':8502', str(count), 'edge', prefix], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == 'ready\n'

    def begin(self):
        self.process.stdin.write('go\n')
        self.process.stdin.flush()

    def end(self):
        """After how many ms half of them, and all, had been told."""
        return [int(x) for x in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


def change(http, loads, i):
    for load in loads:
        load.begin()
    proxy(http, 'db0', 'db', 30000 + i)
    return [load.end() for load in loads]


def ready(node, xdsds):
    wait_for(lambda: node.get('/v1/connect/ca/roots').status == 200, 20)
    for xdsd in xdsds:
        wait_for(lambda: xdsd.status()['items']['view.instances'] == str(PROXIES + INSTANCES + 1), 20)


def allow_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8 * PROXIES)), hard))


def bench(row):
    """From the write of one endpoint's change until all proxies were sent it, by the client's clock."""
    allow_connections()
    with Cluster(1, CONFIG) as c:
        node, http, xdsd = c[1], Http(c[1].ip), c[1].daemon('xdsd')
        fill(http, ('p', PROXIES))
        ready(node, [xdsd])
        before = xdsd.rss()
        load = Load(node.ip, 'p', PROXIES)
        held = (xdsd.rss() - before) / PROXIES / 1024
        pushes, size, cpu = xdsd.metric('xds.pushes'), xdsd.metric('xds.push_bytes'), xdsd.cpu_s()
        took = sorted((change(http, [load], i)[0] for i in range(CHANGES)), key=lambda pair: pair[1])
        pushes, size = xdsd.metric('xds.pushes') - pushes, xdsd.metric('xds.push_bytes') - size
        row(ROW, half_ms=took[CHANGES // 2][0], all_ms=took[CHANGES // 2][1], worst_ms=took[-1][1],
            cpu_us=(xdsd.cpu_s() - cpu) / pushes * 1e6, bytes_a_push=size / pushes, kib_a_proxy=held)
        load.close()


def bench_two(row):
    """What a change costs the first xdsd with all proxies, and with half of them at a second one."""
    allow_connections()
    with Cluster(1, CONFIG) as c:
        node, http, first = c[1], Http(c[1].ip), c[1].daemon('xdsd')
        ip = c.net.ip(21)
        second = c.spawn('second', dict(CONFIG, node_name='second', datacenter='dc1', server=False,
                                        node_id='00000021-0000-4000-8000-000000000000',
                                        data_dir=os.path.join(c.dir, 'second', 'data'), bind_addr=ip, client_addr=ip,
                                        advertise_addr=ip, xdsd={'catalog': [node.ip]}), None, 'xdsd').daemon()
        fill(http, ('p', PROXIES // 2), ('q', PROXIES // 2))
        ready(node, [first, second])

        def cost(loads):
            cpu = first.cpu_s(), second.cpu_s()
            for i in range(CHANGES):
                change(http, loads, i)
            return (first.cpu_s() - cpu[0]) / CHANGES * 1e3, (second.cpu_s() - cpu[1]) / CHANGES * 1e3
        here, moving = Load(node.ip, 'p', PROXIES // 2), Load(node.ip, 'q', PROXIES // 2)
        alone, _ = cost([here, moving])
        moving.close()
        there = Load(ip, 'q', PROXIES // 2)
        pair = cost([here, there])
        row(TWO, alone_ms_a_change=alone, first_ms=pair[0], second_ms=pair[1], of_one=sum(pair) / 2 / alone)
        here.close()
        there.close()
