"""A client node: its services reach every server, it finds another server when one goes, it leaves (agent.md 11 to 13)."""
import http.server
import json
import threading
import time

from agentapi import catalog_checks, catalog_services, checks, equal, put, register, register_check, services
from cluster import Cluster, wait_for
from runner import fixture, test
from waiting import Wait

EXPECT = ('daemon.ended', 'peer', 'raft.', 'bus.', 'lost', 'gossip', 'member', 'catalog', 'sync.failed')


class Answering(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        body = b'ok' if self.status == 200 else b'broken'
        self.send_response(self.status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@fixture
def pool():
    with Cluster(3, clients=1) as c:
        yield c


def healthy(node, name):
    return [e['Service']['ID'] for e in node.get('/v1/health/service/%s?passing' % name).json()]


@test
def http_158_every_agent_lists_all_members(pool):
    names = ['n1', 'n2', 'n3', 'n4']
    for node in pool:
        wait_for(lambda: sorted(m['Name'] for m in node.get('/v1/agent/members').json()) == names, 30)
    by_name = {m['Name']: m for m in pool[4].get('/v1/agent/members').json()}
    assert by_name['n4']['Tags']['role'] == 'node' and by_name['n1']['Tags']['role'] == 'consul', by_name
    assert all(m['Status'] == 1 for m in by_name.values()), by_name
    assert sorted(by_name['n1']) == ['Addr', 'DelegateCur', 'DelegateMax', 'DelegateMin', 'Name', 'Port',
                                     'ProtocolCur', 'ProtocolMax', 'ProtocolMin', 'Status', 'Tags'], by_name
    wait_for(lambda: sorted(m['Name'] for m in pool[1].get('/v1/agent/members?wan=1').json()) == [
        'n1.dc1', 'n2.dc1', 'n3.dc1'], 10)
    equal(pool[1].put('/v1/agent/force-leave/nope', b''), 500, "agent: No node found with name 'nope'")  # http 188


@test
def a_service_of_the_client_is_on_every_server_while_it_is_healthy(pool):
    client = pool[4]
    server = http.server.ThreadingHTTPServer((client.ip, 8080), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    register(client, 'web', Port=8080, Check={'HTTP': 'http://%s:8080/' % client.ip, 'Interval': '1s'})
    for node in pool:
        wait_for(lambda: healthy(node, 'web') == ['web'], 10)
    output = catalog_checks(pool[1], 'n4')['service:web']['Output']
    assert output == 'HTTP GET http://%s:8080/: 200 OK Output: ok' % client.ip, output
    index = pool[2].get('/v1/health/service/web?passing').index
    wait = Wait(pool[2], '/v1/health/service/web?passing&index=%d&wait=20s' % index, done=lambda a: a.json() == [])
    Answering.status = 500
    assert wait.result(5).status == 200
    Answering.status = 200
    wait_for(lambda: healthy(pool[3], 'web') == ['web'], 5)
    server.shutdown()
    server.server_close()
    wait_for(lambda: healthy(pool[3], 'web') == [], 5)
    refused = 'dial tcp %s:8080: connect: connection refused' % client.ip  # the first may find it closing
    wait_for(lambda: checks(client)['service:web']['Output'].endswith(refused), 5)
    put(client, 'service/deregister/web')
    assert pool[1].get('/v1/health/service/web').json() == []


@test
def agent_33_a_tcp_check_says_what_it_connects_to(pool):
    client = pool[4]
    register_check(client, 'http', TCP='%s:8500' % client.ip, Interval='1s')
    register_check(client, 'none', TCP='%s:1' % client.ip, Interval='1s')
    wait_for(lambda: checks(client)['http']['Output'] == 'TCP connect %s:8500: Success' % client.ip, 5)
    wait_for(lambda: checks(client)['none']['Output'] ==
             'dial tcp %s:1: connect: connection refused' % client.ip, 5)
    wait_for(lambda: catalog_checks(pool[1], 'n4').get('http', {}).get('Status') == 'passing', 5)
    for name in ('http', 'none'):
        put(client, 'check/deregister/' + name)


@test
def a_client_goes_on_when_its_server_goes(pool):
    client = pool[4]
    register(client, 'steady', Check={'TTL': '1h', 'Status': 'passing'})
    for k in (1, 2, 3):
        pool[k].kill()
        wait_for(lambda: client.get('/v1/kv/x').status == 404, 20)
        put(client, 'check/%s/service:steady?note=without%%20n%d' % (('warn', 'pass', 'fail')[k - 1], k))
        other = pool[k % 3 + 1]
        wait_for(lambda: catalog_checks(other, 'n4')['service:steady']['Output'] == 'without n%d' % k, 40)
        pool[k].start()
        pool.wait_leader(among=[pool[j] for j in (1, 2, 3)])
    put(client, 'service/deregister/steady')


@test
def a_client_whose_agent_restarts_knows_its_services(pool):
    client = pool[4]
    register(client, 'again', Port=1, Check={'TTL': '1h', 'Status': 'passing'})
    client.kill()
    client.start()
    assert services(client)['again']['Port'] == 1
    wait_for(lambda: 'again' in (catalog_services(pool[1], 'n4') or {}), 60)
    put(client, 'service/deregister/again')


@test
def agent_13_a_client_that_is_told_to_leave_is_gone_at_once(pool):
    client = pool[4]
    register(client, 'brief')
    answer = client.put('/v1/agent/leave', b'')
    equal(answer, 200, '')
    assert client.process.wait(20) == 0, client.logs()[-2000:]
    left = lambda: [m['Status'] for m in pool[1].get('/v1/agent/members').json() if m['Name'] == 'n4'] in ([3], [])
    wait_for(left, 10)
    wait_for(lambda: catalog_services(pool[1], 'n4') is None, 10, 'the node out of the catalog')


@test
def agent_61_a_node_that_dies_is_critical_and_comes_back_as_it_was(pool):
    client = pool[4]
    if client.process.poll() is not None:
        client.start()
    register(client, 'story', Port=1, Check={'TTL': '1h'})
    put(client, 'check/pass/service:story')
    for node in pool:
        wait_for(lambda: healthy(node, 'story') == ['story'], 20)
    wait_for(lambda: catalog_checks(pool[1], 'n4')['serfHealth']['Status'] == 'passing', 20)
    node = pool[1].get('/v1/catalog/node/n4').json()['Node']
    assert node['Meta'] == {'consul-network-segment': ''} and node['ID'] == client.config['node_id'], node
    assert node['TaggedAddresses']['lan'] == client.ip, node
    client.kill()
    wait_for(lambda: catalog_checks(pool[1], 'n4')['serfHealth']['Status'] == 'critical', 30)
    assert healthy(pool[2], 'story') == []
    client.start()
    for node in pool:
        wait_for(lambda: healthy(node, 'story') == ['story'], 30)
    put(client, 'service/deregister/story')


@test
def agent_2_3_a_client_leaves_on_sigterm_and_keeps_its_name_on_kill(pool):
    client = pool[4]
    if client.process.poll() is not None:
        client.start()
    status = lambda: [m['Status'] for m in pool[1].get('/v1/agent/members').json() if m['Name'] == 'n4']
    wait_for(lambda: status() == [1], 20, 'n4 back in the pool')
    assert client.stop() == 0
    wait_for(lambda: status() in ([3], []), 10, 'n4 left')
    client.start()
    wait_for(lambda: status() == [1], 20, 'n4 back in the pool')
    client.kill()
    wait_for(lambda: status() == [4], 30, 'n4 failed')
    client.start()
    wait_for(lambda: status() == [1], 30, 'n4 back in the pool')
