"""Restarts of every daemon under load: no ghost, no flap, nothing lost (issue 4)."""
import json
import random
import threading
import time

from agentapi import catalog_checks, catalog_services, checks, put, register, services
from cluster import Cluster, wait_for
from http1 import Http
from runner import test

EXPECT = ('',)  # what breaks may be complained about
BUILD = 'release'
RESTARTS = 10


class Load(threading.Thread):
    """Registers and deregisters for as long as it is let."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.stop, self.there = Http(node.ip), False, set()

    def run(self):
        n = 0
        while not self.stop:
            n += 1
            name = 'load%d' % (n % 20)
            try:
                if name in self.there:
                    put(self.node, 'service/deregister/' + name)
                    self.there.discard(name)
                else:
                    register(self.node, name, Port=n % 1000 + 1)
                    self.there.add(name)
            except Exception:
                self.node.close()
                time.sleep(0.05)
                # what came of it shows in the agent's own list
                try:
                    self.there = {s for s in services(self.node) if s.startswith('load')}
                except Exception:
                    self.node.close()


@test(seconds=300)
def ten_restarts_of_every_daemon_leave_no_ghost_and_flap_no_check():
    with Cluster(1, config={'enable_script_checks': True}) as c:
        one = c[1]
        register(one, 'steady', Checks=[
            {'CheckID': 'ttl', 'TTL': '1h'},
            {'CheckID': 'http', 'HTTP': 'http://%s:8500/v1/status/leader' % one.ip, 'Interval': '2s',
             'FailuresBeforeCritical': 3},
            {'CheckID': 'run', 'Args': ['/bin/true'], 'Interval': '2s'}])
        put(one, 'check/pass/ttl?note=fine')
        wait_for(lambda: {i: k['Status'] for i, k in checks(one).items()} ==
                 {'ttl': 'passing', 'http': 'passing', 'run': 'passing'}, 10)
        wait_for(lambda: all(k['Status'] == 'passing' for k in catalog_checks(one, 'n1').values()), 10)
        before = {i: k['ModifyIndex'] for i, k in catalog_checks(one, 'n1').items() if i != 'serfHealth'}
        load = Load(one)
        load.start()
        for i in range(RESTARTS):
            for name in ('agentd', 'catalogd', 'raftd', 'gossipd'):
                pid = one.daemon(name).kill() if i % 2 else one.daemon(name).signal(15)
                wait_for(lambda: one.daemon(name).restarted_since(pid), 20)
                wait_for(lambda: one.get('/v1/status/leader').text == '"%s:8300"' % one.ip, 20)
        load.stop = True
        load.join(20)
        one.wait_http()
        in_sync = lambda: one.daemon('agentd').status()['items']['node.in_sync'] == 'yes'
        wait_for(in_sync, 40)
        local = set(services(one))
        known = lambda: set(catalog_services(one, 'n1') or {}) - {'consul'}
        wait_for(lambda: known() == local, 60, 'the catalog to hold what the agent has')
        assert 'steady' in local and load.there <= local, (load.there, local)
        after = {i: k['ModifyIndex'] for i, k in catalog_checks(one, 'n1').items() if i != 'serfHealth'}
        assert after == before, 'a check flapped: %s %s' % (before, after)
        assert checks(one)['ttl']['Output'] == 'fine'
