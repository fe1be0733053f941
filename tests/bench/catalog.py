"""Rows about the catalog for bench.py: registrations beside how many services there are."""
import contextlib
import json
import os
import statistics

from cluster import Cluster
from http1 import Http

SIZES = (100, 20000)
ROUNDS = 5
FLAT = 'register %s, many to few'
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


class Target:
    """A server with that many services, alone on its processors while the others have nothing to do."""

    def __init__(self, cluster, services):
        self.services, node = services, cluster.wait_leader()
        self.pids = {d: [node.daemon(d).pid] for d in DAEMONS}
        self.url = 'http://%s:8500' % node.ip
        fill(node.ip, services)

    def measure(self, measured, wrk, mode):
        os.environ.update(SERVICES=str(self.services), MODE=mode, BASE='1000000')
        return measured(self.pids, wrk(self.url, 'register.lua', 64))


def bench(measured, wrk, show, row):
    """Registrations, 64 at once, that change nothing, a check, a service, or add both.

    Few and many services in turn, ROUNDS times, since processors are not equally fast at all times: of each row the
    round in the middle counts, and what many cost of few is told from rounds that followed each other."""
    with contextlib.ExitStack() as stack:
        config = {'log_level': 'INFO', 'ports': {'dns': -1}}
        targets = [Target(stack.enter_context(Cluster(1, config)), services) for services in SIZES]
        for mode in MODES:
            rounds = [[t.measure(measured, wrk, mode) for t in targets] for _ in range(ROUNDS)]
            for target, got in zip(targets, zip(*rounds)):
                middle = sorted(got, key=lambda one: one['cpu_us'])[ROUNDS // 2]
                show('register %s of %d' % (mode, target.services), middle)
            ratios = [many['cpu_us'] / few['cpu_us'] for few, many in rounds]
            row(FLAT % mode, of_few=statistics.median(ratios), least=min(ratios), most=max(ratios))
