"""Contracts 7.1 on three servers and a client node, which has no catalogd of its own: it finds those of the servers
among gossip's members, uses one, and leaves it for another when it is lost."""
import re
import signal
import threading
import time

from agentapi import register as own
from cluster import Cluster, wait_for
from dig import dig
from discovery import instance, register
from http1 import Http
from runner import fixture, test
from waiting import Wait

EXPECT = ('catalog.lost', 'join.retry', 'sync.failed', 'daemon.ended', 'raft', 'duty', 'member', 'gossip')  # servers are killed
SERVERS = 3


@fixture
def four():
    with Cluster(SERVERS, clients=1) as c:
        yield c


def used_by(c):
    """The server whose catalogd the client asks."""
    agentd = c[4].daemon('agentd')
    url = agentd.status()['items'].get('catalog', '')
    found = [n for n in c if n.k <= SERVERS and n.ip in url]
    return found[0] if found else None


@test
def a_client_node_serves_the_catalog_of_the_servers(four):
    agentd = four[4].daemon('agentd')
    wait_for(lambda: agentd.metric('view.catalogs') == SERVERS, 20, 'three servers among the members')
    wait_for(lambda: agentd.metric('view.catalogs_connected') == 2, 10, 'one in use, one connected')
    instance(four[4], 'c1', 'sclient')
    for node in four:
        assert len(node.get('/v1/health/service/sclient?passing').json()) == 1


@test
def cli_22_23_members_lists_servers_and_clients_and_the_wan_pool_by_datacenter(four):
    for node in (four[1], four[4]):
        def rows(*args):
            lines = node.curia('members', *args).stdout.decode().splitlines()
            return sorted((f[0], f[3], f[7]) for f in map(str.split, lines[1:]))
        wait_for(lambda: rows() == [('n%d' % k, 'server', '<all>') for k in (1, 2, 3)] + [('n4', 'client', '<default>')], 20)
        wait_for(lambda: rows('-wan') == [('n%d.dc1' % k, 'server', '<all>') for k in (1, 2, 3)], 20)


@test
def a_blocking_read_at_the_client_wakes_with_a_change_at_any_server(four):
    index = four[4].get('/v1/health/service/sclient').index
    w = Wait(four[4], '/v1/health/service/sclient?index=%d&wait=20s' % index)
    instance(four[2], 'c2', 'sclient')
    assert len(w.result().json()) == 2


@test
def the_server_in_use_is_killed_and_reads_and_waits_go_on(four):
    client = four[4]
    index = client.get('/v1/health/service/sclient').index
    wait = Wait(client, '/v1/health/service/sclient?index=%d&wait=60s' % index)
    errors, count, ended = [], [0], threading.Event()

    def read():
        http = Http(client.ip)
        while not ended.is_set():
            a = http.get('/v1/health/service/sclient?stale')
            count[0] += 1
            if a.status != 200 or len(a.json()) != 2:
                errors.append(a)
    reader = threading.Thread(target=read)
    reader.start()
    used = wait_for(lambda: used_by(four), 5, 'the server in use')
    moves = client.daemon('agentd').metric('view.moves')
    used.kill()
    try:
        wait_for(lambda: client.daemon('agentd').metric('view.moves') > moves, 10, 'another server in use')
        enough = count[0] + 100
        wait_for(lambda: count[0] >= enough, 20, 'reads after the loss')
    finally:
        ended.set()
    reader.join()
    assert not errors and count[0] > 10, (errors[:3], count)
    other = used_by(four)
    assert other is not None and other is not used, other
    left = [n for n in four if n is not used]
    four.wait_leader(among=left)
    instance(other, 'c3', 'sclient')
    assert len(wait.result().json()) == 3
    used.start()
    four.wait_leader()


@test
def dns_and_http_of_the_client_agree_again(four):
    register(four[1], 'c1', checks=[{'CheckID': 'check:sclient', 'Name': 'x', 'Status': 'critical',
                                     'ServiceID': 'sclient'}])
    wait_for(lambda: len(four[4].get('/v1/health/service/sclient?passing').json()) == 2, 5)


@test
def agent_101_a_client_whose_servers_are_all_gone_starts_with_what_it_knew():
    def each(k, config):
        config['ports'] = {'grpc': 8502}
    with Cluster(1, clients=1, each=each) as c:
        server, client = c[1], c[2]
        instance(server, 'far', 'web')
        own(client, 'own', Port=7)

        def answers():
            return dig(client.ip, 'web.service.consul SRV').answer

        def is_saved():
            with open(client.data_dir + '/dns/view', 'rb') as f:
                return b'far' in f.read()
        known = wait_for(answers, 10)
        wait_for(lambda: 'own' in server.get('/v1/catalog/services').json(), 10)
        client.daemon('dnsd').signal(signal.SIGTERM)  # at its end it saves at once
        wait_for(is_saved, 20)
        client.kill()
        server.kill()
        before = len(client.logs())
        client.start(wait=False)
        wait_for(lambda: 'Consul agent running!' in client.logs()[before:], 20)  # so xdsd listens, too
        assert answers() == known
        assert client.get('/v1/agent/services').json()['own']['Port'] == 7
        assert len(re.findall('dnsd: view.kept: .* text="answering from what was known', client.logs()[before:])) == 1
        assert client.daemon('dnsd').status()['items']['view'] == 'kept'
        server.start()
        wait_for(lambda: client.daemon('dnsd').status()['items']['view'] == 'live', 20)
        client.kill()  # a leave takes its time
