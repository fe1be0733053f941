"""Three servers at rest: any server answers everything, blocking reads wake everywhere in time."""
import threading
import time

from cluster import Cluster, wait_for
from http1 import Http
from load import put_many
from runner import fixture, test
from waiting import Wait

WAKE_S = 0.05

EXPECT = ('catalog.ready', 'peer', 'raft.', 'bus.', 'lost')  # two tests start or lose servers


@fixture
def three():
    with Cluster(3) as c:
        yield c


@test
def http_276_a_read_on_any_server_sees_the_write_just_acknowledged(three):
    for i in range(60):
        writer, reader = three[1 + i % 3], three[1 + (i // 3) % 3]
        assert writer.put('/v1/kv/any', b'%d' % i).text == 'true'
        for mode in ('', '&consistent'):
            a = reader.get('/v1/kv/any?raw' + mode)
            assert a.body == b'%d' % i, (i, a)
            assert a['X-Consul-KnownLeader'] == 'true' and a['X-Consul-LastContact'] == '0', a


@test
def contracts_7_2_unchanged_is_not_said_of_a_write_that_the_read_waited_for(three):
    big = b'x' * 4096  # large enough to be kept by the edge and asked for conditionally
    for i in range(300):
        writer, reader = three[1 + i % 3], three[1 + (i // 3) % 3]
        assert writer.put('/v1/kv/kept', b'%d ' % i + big).text == 'true'
        a = reader.get('/v1/kv/kept?raw')
        assert a.body.split()[0] == b'%d' % i, (i, a.body[:20])


@test
def http_1_5_stale_reads_tell_their_age_on_followers(three):
    three[1].put('/v1/kv/st', b'1')
    leader = three.wait_leader()
    wait_for(lambda: all(n.get('/v1/kv/st?stale').status == 200 for n in three), 5)
    for node in three:
        a = node.get('/v1/kv/st?stale')
        assert a['X-Consul-KnownLeader'] == 'true' and int(a['X-Consul-LastContact']) < 2000, a
        assert node is not leader or a['X-Consul-LastContact'] == '0', a


@test
def http_73_cas_from_three_servers_lets_one_win(three):
    won = []
    three[1].put('/v1/kv/race', b'')
    for round_ in range(20):
        n = three[1].get('/v1/kv/race').json()[0]['ModifyIndex']

        def attempt(node):
            http = Http(node.ip)
            if http.put('/v1/kv/race?cas=%d' % n, b'%d by %d' % (round_, node.k)).text == 'true':
                won.append(round_)
        threads = [threading.Thread(target=attempt, args=(node,)) for node in three]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert won.count(round_) == 1, won


@test
def issue_a_blocking_read_wakes_within_50_ms_on_any_server(three):
    def late():
        """Of 90 wakes, nine of ten."""
        found = []
        for i in range(30):
            n = three[1].put('/v1/kv/wake', b'%d' % i) and three[1].get('/v1/kv/wake').index
            waits = [Wait(node, '/v1/kv/wake?index=%d&wait=60s' % n, timeout=90) for node in three]
            three[1 + i % 3].put('/v1/kv/wake', b'changed %d' % i)
            at = time.monotonic()
            answers = [w.result(20) for w in waits]
            assert all(a.index > n for a in answers), (n, answers)
            found += [w.at - at for w in waits]
        found.sort()
        print('wake after the answer to the write: median %.1f ms, worst %.1f ms' %
              (found[len(found) // 2] * 1e3, found[-1] * 1e3))
        return found[len(found) * 9 // 10]
    # the machine that runs the tests may be busy with other things
    assert any(late() < WAKE_S for _ in range(4))


@test
def issue_no_server_wakes_a_wait_for_10000_writes_to_other_keys(three):
    three[1].put('/v1/kv/calm', b'1')
    n = three[1].get('/v1/kv/calm').index
    waits = [Wait(node, '/v1/kv/calm?index=%d&wait=80s' % n, timeout=90) for node in three]
    wait_for(lambda: all(node.daemon('catalogd').metric('catalog.watch.waiting') for node in three), 10, 'the watches')
    before = [node.daemon('catalogd').metric('catalog.watch.woken') for node in three]
    put_many(three[2].ip, 'busy/%d', 10000)
    assert [node.daemon('catalogd').metric('catalog.watch.woken') for node in three] == before
    assert all(w.hangs for w in waits)
    three[3].put('/v1/kv/calm', b'2')
    assert all(w.result(5).index > n for w in waits)


@test
def consensus_21_71_after_an_election_without_traffic_every_server_answers():
    with Cluster(3) as c:
        c[1].put('/v1/kv/quiet', b'1')
        leader = c.wait_leader()
        leader.kill()
        rest = [n for n in c if n is not leader]
        c.wait_leader(among=rest)
        for node in rest:
            for mode in ('', '&consistent'):
                assert node.get('/v1/kv/quiet?raw' + mode).body == b'1'


@test
def issue_4_1_no_server_leads_before_all_of_bootstrap_expect_are_there():
    with Cluster(3, start=False) as c:
        c[1].start()
        c[2].start()
        time.sleep(3)  # nothing may come of it
        assert c[1].leader() == '' == c[2].leader()
        a = c[1].get('/v1/kv/x', timeout=20)
        assert a.status == 500 and a.text == 'No cluster leader', a
        c[3].start()
        c.wait_leader()
        assert c[3].put('/v1/kv/x', b'1').text == 'true'


@test
def contracts_3_6_a_cluster_restarted_as_a_whole_has_everything():
    with Cluster(3) as c:
        put_many(c[1].ip, 'all/%d', 300)
        before = c[1].get('/v1/kv/all/?recurse')
        for node in c:
            node.kill()
        for node in c:
            node.start(wait=False)
        for node in c:
            node.wait_http()
        c.wait_leader()
        for node in c:
            after = node.get('/v1/kv/all/?recurse')
            assert after.body == before.body and after.index == before.index
