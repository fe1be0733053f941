"""`curia agent` and gossip: a client node, and who leaves when (agent.md 1, 24; contracts 5.6)."""
import re
import signal
import time

from cluster import Cluster, Node, node_id, wait_for
from gossip import FAILED_S
from runner import fixture, test

EXPECT = ('join.retry', 'gossip.', 'agent.leave', 'daemon.ended', 'catalog', 'view', 'stream.failed')


@fixture
def one():
    with Cluster(1) as c:
        yield c


def client(c, k, **config):
    ip = c.net.ip(k)
    own = dict({'node_name': 'n%d' % k, 'node_id': node_id(k), 'bind_addr': ip, 'client_addr': ip, 'advertise_addr': ip,
                'data_dir': '%s/n%d/data' % (c.dir, k), 'retry_join': [c[1].ip], 'retry_interval': '500ms',
                'disable_update_check': True, 'log_level': 'DEBUG'}, **config)
    c.nodes[k] = Node(c, k, own)
    return c.nodes[k].start(wait=False)


def status(c, name):
    members = c[1].daemon('gossipd').call('Members.List')['members']
    return {m['name']: m['status'] for m in members}.get(name)


def wait_status(c, name, wanted, seconds=10):
    wait_for(lambda: status(c, name) == wanted, seconds, '%s of %s' % (wanted, name), every=0.1)


@test
def agent_1_a_client_runs_no_server_and_leaves_on_sigterm(one):
    node = client(one, 11)
    wait_status(one, 'n11', 'MEMBER_ALIVE')
    wait_for(lambda: 'Consul agent running!' in node.logs(), 20)
    assert not re.search(r'(raftd|catalogd): daemon.ready', node.logs())
    assert node.stop() == 0
    assert status(one, 'n11') == 'MEMBER_LEFT'
    assert 'Graceful exit completed' in node.logs()


@test
def agent_1_leave_on_terminate_false_stops_without_a_leave(one):
    node = client(one, 12, leave_on_terminate=False)
    wait_status(one, 'n12', 'MEMBER_ALIVE')
    wait_for(lambda: 'Consul agent running!' in node.logs(), 20)
    assert node.stop() == 1
    wait_status(one, 'n12', 'MEMBER_FAILED', FAILED_S)
    node.start(wait=False)
    wait_status(one, 'n12', 'MEMBER_ALIVE')


@test
def agent_94_sigterm_to_gossipd_alone_is_no_leave(one):
    node = client(one, 13)
    wait_status(one, 'n13', 'MEMBER_ALIVE')
    wait_for(lambda: 'Consul agent running!' in node.logs(), 20)
    pid = node.daemon('gossipd').signal(signal.SIGTERM)
    wait_for(lambda: node.daemon('gossipd').restarted_since(pid), 10, 'restart of gossipd')
    end = time.monotonic() + 8
    while time.monotonic() < end:
        assert status(one, 'n13') == 'MEMBER_ALIVE'
        time.sleep(0.1)


@test
def agent_66_who_has_left_comes_back_by_itself_only_where_that_is_said(one):
    stays, returns = client(one, 16), client(one, 17, rejoin_after_leave=True)
    for node in (stays, returns):
        wait_status(one, node.config['node_name'], 'MEMBER_ALIVE')
        wait_for(lambda: 'Consul agent running!' in node.logs(), 20)
    for node in (stays, returns):
        node.process.terminate()
        node.config['retry_join'] = []
    for node in (stays, returns):
        assert node.process.wait(20) == 0
        assert status(one, node.config['node_name']) == 'MEMBER_LEFT'
    stays.start(wait=False)
    wait_for(lambda: stays.logs().count('Consul agent running!') == 2, 20)
    assert [m['name'] for m in stays.daemon('gossipd').call('Members.List')['members']] == ['n16']
    stays.kill()  # before the other one finds it
    returns.start(wait=False)
    wait_status(one, 'n17', 'MEMBER_ALIVE')
    assert status(one, 'n16') == 'MEMBER_LEFT'
    returns.kill()  # a leave takes its time


@test
def agent_67_retry_join_that_is_exhausted_ends_the_node(one):
    node = client(one, 14, retry_join=['127.0.0.1:1'], retry_max=2, retry_interval='200ms')
    assert node.process.wait(30) == 1
    assert '==> gossipd: agent: max join LAN retry exhausted, exiting' in node.logs(), node.logs()
    del one.nodes[14]


@test
def agent_24_start_join_that_fails_ends_the_node(one):
    node = client(one, 15, retry_join=[], start_join=['127.0.0.1:1'])
    assert node.process.wait(30) == 1
    assert 'start_join: nobody could be joined: Failed to join 127.0.0.1:1: Connection refused' in node.logs()
    del one.nodes[15]
