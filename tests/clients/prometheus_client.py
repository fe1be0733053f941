"""Prometheus' `consul_sd_configs`, unchanged, finds its targets: what is registered is found, what goes is dropped, also
after agentd was killed. (Its code as a Go module, tests/clients/prometheus: Debian's prometheus is built without it.)"""
import json
import os
import subprocess
import threading

from cluster import ROOT, Cluster, wait_for
from discovery import deregister, register
from runner import fixture, test

EXPECT = ('catalog.lost', 'daemon.ended')

CONFIG = "{server: '%s:8500', refresh_interval: 1s, tags: [scraped]}"


class Prometheus:
    def __init__(self, node):
        self.log = open(os.path.join(node.dir, 'prometheus.log'), 'wb')
        self.process = subprocess.Popen([os.path.join(ROOT, 'build', 'prometheus-sd'), CONFIG % node.ip],
                                        stdout=subprocess.PIPE, stderr=self.log)
        self.sources = {}
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.sources.update(json.loads(line))

    def targets(self):
        """(service, address, health) of what it would scrape."""
        return {(t['__meta_consul_service'], t['__address__'], t['__meta_consul_health'])
                for targets in list(self.sources.values()) for t in targets}

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


@fixture
def prometheus(one):
    p = Prometheus(one)
    try:
        yield p
    finally:
        p.stop()


def web(one, name, port, status='passing', tags=('scraped',)):
    register(one, name, {'ID': 'web', 'Service': 'web', 'Port': port, 'Tags': list(tags)},
             [{'CheckID': 'c', 'Name': 'c', 'ServiceID': 'web', 'Status': status}], address='127.0.0.1')


def become(prometheus, *ports, but=()):
    wanted = {('web', '127.0.0.1:%d' % p, 'passing') for p in ports} | set(but)
    wait_for(lambda: prometheus.targets() == wanted, 20, 'targets %r' % wanted, every=0.1)


@test
def what_is_registered_is_found(one, prometheus):
    web(one, 'p1', 1001)
    web(one, 'p2', 1002, status='critical')
    web(one, 'p3', 1003, tags=())
    become(prometheus, 1001, but=[('web', '127.0.0.1:1002', 'critical')])


@test
def a_change_of_health_and_a_new_instance_are_seen(one, prometheus):
    web(one, 'p2', 1002)
    web(one, 'p4', 1004)
    become(prometheus, 1001, 1002, 1004)


@test
def what_goes_is_dropped_also_after_a_crash(one, prometheus):
    deregister(one, 'p1')
    become(prometheus, 1002, 1004)
    pid = one.daemon('agentd').kill()
    wait_for(lambda: one.daemon('agentd').restarted_since(pid), 10)
    one.close()
    one.wait_http()
    deregister(one, 'p2')
    become(prometheus, 1004)
