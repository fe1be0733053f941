"""The catalog follows gossip's members (agent.md 12, items 61 to 63; contracts 5.5), on three servers."""
import json

from cluster import Cluster, wait_for
from runner import fixture, test

EXPECT = ('daemon.ended', 'gossip', 'catalog.lost', 'raft', 'member', 'bus.', 'duty')  # servers and gossipd are killed


def each(_, own):
    own['retry_join'] = [own['bind_addr'].rsplit('.', 1)[0] + '.1']
    own['retry_interval'] = '1s'


@fixture
def three():
    with Cluster(3, each=each) as c:
        c.wait_leader()
        wait_for(lambda: health(c.wait_leader()) == {'n1': 'passing', 'n2': 'passing', 'n3': 'passing'}, 30)
        yield c


def health(node):
    checks = json.loads(node.get('/v1/health/state/any').body)
    return {c['Node']: c['Status'] for c in checks if c['CheckID'] == 'serfHealth'}


def names(node):
    return sorted(n['Node'] for n in json.loads(node.get('/v1/catalog/nodes').body))


def created(node):
    """Since when each node is there without a break; what its agent adds to its row in the meantime is no matter."""
    return {n['Node']: n['CreateIndex'] for n in node.get('/v1/catalog/nodes').json()}


@test
def agent_62_servers_bear_the_service_consul(three):
    got = json.loads(three[2].get('/v1/catalog/service/consul').body)
    assert [s['Node'] for s in got] == ['n1', 'n2', 'n3'], got
    for s in got:
        assert s['ServicePort'] == 8300 and s['ServiceTags'] == [], s
        assert sorted(s['ServiceMeta']) == ['non_voter', 'raft_version', 'read_replica', 'serf_protocol_current',
                                            'serf_protocol_max', 'serf_protocol_min', 'version'], s
    assert three[1].get('/v1/catalog/services').json() == {'consul': []}


@test
def a_gossipd_that_ends_on_the_leader_deregisters_nobody(three):
    leader = three.wait_leader()
    before = created(leader)
    pid = leader.daemon('gossipd').pid
    leader.daemon('gossipd').kill()
    wait_for(lambda: leader.daemon('gossipd').pid != pid and leader.get('/v1/agent/members').status == 200, 20)
    wait_for(lambda: len(leader.get('/v1/agent/members').json()) == 3, 20)
    assert created(leader) == before and sorted(before) == ['n1', 'n2', 'n3'], before
    assert health(leader) == {'n1': 'passing', 'n2': 'passing', 'n3': 'passing'}, health(leader)


@test
def agent_61_a_dead_server_turns_critical_and_passes_again(three):
    leader = three.wait_leader()
    victim = next(n for n in three if n is not leader)
    name = 'n%d' % victim.k
    victim.kill()
    wait_for(lambda: health(leader)[name] == 'critical', 30)
    assert names(leader) == ['n1', 'n2', 'n3']
    victim.start()
    wait_for(lambda: health(leader)[name] == 'passing', 30)


@test
def agent_63_a_dead_leader_is_marked_by_the_next_one(three):
    leader = three.wait_leader()
    rest = [n for n in three if n is not leader]
    name = 'n%d' % leader.k
    leader.kill()
    wait_for(lambda: health(rest[0])[name] == 'critical', 60)
    leader.start()
    wait_for(lambda: health(rest[0])[name] == 'passing', 30)
