"""Rows about the catalog for bench.py: registrations beside how many services there are."""
import json
import os

from cluster import Cluster
from http1 import Http

SIZES = (100, 20000)
MODES = ('same', 'check', 'change', 'new')
DAEMONS = ('gossipd', 'raftd', 'catalogd', 'agentd')  # without dnsd, whose view follows each registration


def registration(n, services):
    return {'Node': 'node-%d' % (n % max(1, services // 100)), 'Address': '10.0.0.1',
            'Service': {'ID': 's-%d' % n, 'Service': 'svc-%d' % (n % max(1, services // 10)),
                        'Tags': ['v1', 'master'], 'Port': 80},
            'Check': {'Name': 'alive', 'CheckID': 'service:s-%d' % n, 'ServiceID': 's-%d' % n, 'Status': 'passing'}}


def fill(ip, services):
    http = Http(ip)
    for n in range(services):
        got = http.put('/v1/catalog/register', json.dumps(registration(n, services)).encode())
        assert got.text == 'true', got


def bench(measured, wrk, show):
    """Registrations, 64 at once, that change nothing, a check, a service, or add both."""
    for services in SIZES:
        with Cluster(1, {'log_level': 'INFO', 'ports': {'dns': -1}}) as c:
            node = c.wait_leader()
            pids = {d: [node.daemon(d).pid] for d in DAEMONS}
            fill(node.ip, services)
            for mode in MODES:
                os.environ.update(SERVICES=str(services), MODE=mode, BASE='1000000')
                got = measured(pids, wrk('http://%s:8500' % node.ip, 'register.lua', 64))
                show('register %s of %d' % (mode, services), got)
