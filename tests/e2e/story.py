"""The story of a service: three servers and a client node that found each other by gossip, a real nginx behind an HTTP
check, and `dig` on every node."""
import json
import os
import threading
import time

from cluster import wait_for
from dig import dig
from http1 import Http
from joined import Joined
from nginx import PORT, Nginx
from runner import fixture, test
from waiting import Wait

BUILD = 'release'  # how soon a change is seen is part of the story
EXPECT = ('catalog.lost', 'daemon.ended', 'raft', 'duty', 'member', 'gossip', 'bus', 'peer', 'mirror', 'check')
INTERVAL_S = 1
LEAVES_S = INTERVAL_S + 1
FAILED_S = 40  # for gossip to be sure that a node is gone


@fixture
def four():
    with Joined(3, clients=1) as c:
        wait_for(lambda: all(len(n.get('/v1/health/service/consul?passing').json()) == 3 for n in c), 30,
                 'three servers in the catalog')
        yield c


@fixture
def web(four):
    """nginx on the client's address, registered there by the command line."""
    client = four[4]
    with Nginx(client.ip) as nginx:
        path = os.path.join(client.dir, 'web.json')
        with open(path, 'w') as f:
            json.dump({'service': {'name': 'web', 'port': PORT, 'check': {
                'http': nginx.url, 'interval': '%ds' % INTERVAL_S, 'timeout': '10s'}}}, f)
        done = client.curia('services', 'register', path)
        assert done.returncode == 0 and done.stdout == b'Registered service: web\n', done
        wait_for(lambda: passing(four) == [1] * 4, 10, 'web passes on every node')
        yield nginx


def passing(c, nodes=None):
    return [len(n.get('/v1/health/service/web?passing').json()) for n in nodes or c]


def srv(node, *options):
    """The ports and targets that DNS names for web."""
    found = dig(node.ip, 'web.service.consul SRV', *options)
    assert found.status in ('NOERROR', 'NXDOMAIN'), found  # silence is no absence
    return [line.split()[4:] for line in found.answer if line.split()[3] == 'SRV'], found


def in_dns(c, count, nodes=None):
    return all(len(srv(n, *o)[0]) == count for n in nodes or c for o in ((), ('+tcp',)))


@test
def issue_a_registered_service_is_found_on_every_node(four, web):
    wait_for(lambda: in_dns(four, 1), 5, 'web in DNS over UDP and TCP')
    for node in four:
        where = node.get('/v1/health/service/web?passing').json()[0]
        assert where['Service']['Port'] == PORT and where['Node']['Node'] == 'n4', where
        for option in ((), ('+tcp',)):
            targets, found = srv(node, *option)
            assert targets == [['1', '1', str(PORT), 'n4.node.dc1.consul.']], found
            assert any(line.endswith(' A ' + four[4].ip) for line in found.additional), found


@test
def issue_a_service_leaves_dns_when_its_check_fails_and_returns(four, web):
    took = []
    while not took or (took[-1] > LEAVES_S and len(took) < 3):  # the machine may be busy with other things
        index = four[1].get('/v1/health/service/web?passing').index
        wait = Wait(four[1], '/v1/health/service/web?passing&index=%d&wait=30s' % index, done=lambda a: a.json() == [])
        web.stop()
        at = time.monotonic()
        try:
            wait_for(lambda: in_dns(four, 0), 20, 'web out of DNS everywhere')
            took.append(time.monotonic() - at)
            assert wait.result().status == 200
            index = four[2].get('/v1/health/service/web?passing').index
            wait = Wait(four[2], '/v1/health/service/web?passing&index=%d&wait=30s' % index,
                        done=lambda a: len(a.json()) == 1)
        finally:
            web.start()
        wait_for(lambda: in_dns(four, 1), 20, 'web back in DNS')
        assert wait.result().status == 200
    print('out of DNS on every node %s s after nginx ended' % ['%.2f' % t for t in took])
    assert min(took) <= LEAVES_S, took


@test
def contracts_5_5_a_paused_gossipd_stays_alive(four, web):
    gossipd = four[4].daemon('gossipd')
    gossipd.pause()
    time.sleep(3)
    gossipd.resume()
    time.sleep(2)  # what was said of it in the meantime is refuted, or would show now
    wait_for(lambda: {m['Name']: m['Status'] for m in four[1].get('/v1/agent/members').json()}['n4'] == 1, 10,
             'n4 among the living')
    wait_for(lambda: {c['Status'] for c in four[1].get('/v1/health/node/n4').json()} == {'passing'}, 10, 'its checks')


@test(seconds=240)
def contracts_5_5_gossipd_restarts_on_the_leader_and_nobody_is_deregistered(four, web):
    leader = four.wait_leader()
    gone = []
    stopping = threading.Event()

    def watch():
        http = Http(four[4].ip)
        while not stopping.is_set():
            names = {n['Node'] for n in http.get('/v1/catalog/nodes').json()}
            if names != {'n1', 'n2', 'n3', 'n4'}:
                gone.append(names)
            time.sleep(0.05)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(3):
            pid = leader.daemon('gossipd').kill()
            wait_for(lambda: leader.daemon('gossipd').restarted_since(pid), 10, 'gossipd again')
            wait_for(lambda: len(leader.get('/v1/agent/members').json()) == 4, 20, 'its members')
        time.sleep(3)
    finally:
        stopping.set()
        watcher.join()
    assert not gone, gone[:3]


@test(seconds=240)
def issue_ten_restarts_of_each_daemon_leave_no_ghost_and_flap_no_check(four, web):
    client = four[4]
    http = Http(four[1].ip)
    before = http.get('/v1/health/checks/web').json()
    bad, count, stopping = [], [0], threading.Event()

    def read():
        own = Http(four[1].ip)
        while not stopping.is_set():
            a = own.get('/v1/health/service/web?passing&stale')
            count[0] += 1
            if a.status != 200 or len(a.json()) != 1:
                bad.append((time.monotonic(), a))
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for round_ in range(10):
            for name in ('agentd', 'dnsd', 'gossipd'):
                pid = client.daemon(name).kill()
                wait_for(lambda name=name, pid=pid: client.daemon(name).restarted_since(pid), 20, name + ' again')
            wait_for(lambda: client.get('/v1/agent/services').json().get('web'), 20, 'the service at its agent')
        wait_for(lambda: in_dns(four, 1), 20, 'web in DNS')
    finally:
        stopping.set()
        reader.join()
    assert not bad and count[0] > 100, (bad[:3], len(bad), count)
    after = http.get('/v1/health/checks/web').json()
    assert [c['CheckID'] for c in after] == [c['CheckID'] for c in before], after
    assert after[0]['ModifyIndex'] == before[0]['ModifyIndex'], (before, after)
    assert set(http.get('/v1/catalog/node/n4').json()['Services']) == {'web'}


@test(seconds=240)
def issue_a_killed_client_leaves_dns_and_all_is_as_before_when_it_returns(four, web):
    servers = [four[k] for k in (1, 2, 3)]
    client = four[4]
    client.kill()

    def serf_health():
        return {c['CheckID']: c['Status'] for c in four[1].get('/v1/health/node/n4').json()}.get('serfHealth')
    wait_for(lambda: serf_health() == 'critical', FAILED_S, 'serfHealth critical')
    wait_for(lambda: in_dns(four, 0, servers), 2, 'web out of DNS')
    wait_for(lambda: passing(four, servers) == [0] * 3, 5, 'web out of the answers')
    client.start()
    wait_for(lambda: serf_health() == 'passing', FAILED_S, 'serfHealth passing')
    wait_for(lambda: in_dns(four, 1), 20, 'web in DNS')
    wait_for(lambda: passing(four) == [1] * 4, 5, 'web in the answers')
