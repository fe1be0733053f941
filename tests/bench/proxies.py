"""Rows about the mesh for bench.py: many proxies on one xdsd, one endpoint changes."""
import json
import os
import resource
import subprocess

from cluster import Cluster, wait_for
from http1 import Http

PROXIES, CHANGES, INSTANCES = 1000, 20, 10
ROW = 'xds %d proxies' % PROXIES
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tests', 'bench', 'xds_load')


def proxy(http, id, service, port, **more):
    body = {'Node': 'edge', 'Address': '10.0.0.1', 'SkipNodeUpdate': more.pop('skip', True), 'Service': {
        'ID': id, 'Service': id, 'Kind': 'connect-proxy', 'Port': port, 'Address': '10.0.0.1',
        'Proxy': dict({'DestinationServiceName': service, 'LocalServicePort': 80}, **more)}}
    a = http.put('/v1/catalog/register', json.dumps(body).encode())
    assert a.text == 'true', a


def fill(http):
    for i in range(INSTANCES):
        proxy(http, 'db%d' % i, 'db', 20000 + i, skip=False)
    up = [{'DestinationName': 'db', 'LocalBindPort': 9191}]
    for i in range(PROXIES):
        proxy(http, 'p%d' % i, 'web', 21000, Upstreams=up)


def bench(row):
    """From the write of one endpoint's change until all proxies were sent it, by the client's clock."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8 * PROXIES)), hard))
    config = {'log_level': 'INFO', 'connect': {'enabled': True}, 'ports': {'dns': -1, 'grpc': 8502}}
    with Cluster(1, config) as c:
        node, http, xdsd = c[1], Http(c[1].ip), c[1].daemon('xdsd')
        fill(http)
        wait_for(lambda: node.get('/v1/connect/ca/roots').status == 200, 20)
        wait_for(lambda: xdsd.status()['items']['view.instances'] == str(PROXIES + INSTANCES + 1), 20)
        before = xdsd.rss()
        load = subprocess.Popen([PROGRAM, node.ip + ':8502', str(PROXIES), 'edge', 'p'], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        assert load.stdout.readline() == 'ready\n'
        held = (xdsd.rss() - before) / PROXIES / 1024
        pushes, size, cpu, took = xdsd.metric('xds.pushes'), xdsd.metric('xds.push_bytes'), xdsd.cpu_s(), []
        for i in range(CHANGES):
            load.stdin.write('go\n')
            load.stdin.flush()
            proxy(http, 'db0', 'db', 30000 + i)
            took.append([int(x) for x in load.stdout.readline().split()])
        pushes, size = xdsd.metric('xds.pushes') - pushes, xdsd.metric('xds.push_bytes') - size
        took.sort(key=lambda pair: pair[1])
        row(ROW, half_ms=took[CHANGES // 2][0], all_ms=took[CHANGES // 2][1], worst_ms=took[-1][1],
            cpu_us=(xdsd.cpu_s() - cpu) / pushes * 1e6, bytes_a_push=size / pushes, kib_a_proxy=held)
        load.stdin.close()
        load.wait(20)
