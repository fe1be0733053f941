"""A majority is lost for good (contracts 3.10, 4.2; consensus 17, 87): what is left goes on, what comes back follows."""
import json
import os
import shutil

from cluster import Cluster, node_id, wait_for
from http1 import Http
from load import put_many
from runner import test

EXPECT = ('peer', 'raft.', 'bus.', 'lost', 'catalog.ready', 'state.pull', 'recovery', 'cluster')

RAISED = 1 << 24  # contracts 6.4: what a recovery adds to the index that clients see


def raft_status(node):
    return node.daemon('raftd').call('Log.Status')


def put_peers(node, servers):
    """raft/peers.json as an operator writes it; servers: (number, votes)."""
    rows = [{'id': node_id(k), 'address': node.cluster.net.ip(k) + ':8300', 'non_voter': not votes}
            for k, votes in servers]
    with open(peers_path(node), 'w') as f:
        json.dump(rows, f)


def peers_path(node):
    return os.path.join(node.data_dir, 'raft', 'peers.json')


def writes_go_on(node, key):
    return wait_for(lambda: node.put('/v1/kv/' + key, b'1').text == 'true', 30, 'a write')


def index_of(node, key):
    return node.get('/v1/kv/' + key).json()[0]['ModifyIndex']


@test
def consensus_87_a_survivor_goes_on_by_peers_json_and_the_others_follow_it():
    with Cluster(3) as c:
        put_many(c[1].ip, 'before/%d', 200)
        keep = c.wait_leader()
        lost = [n for n in c if n is not keep]
        seen = keep.get('/v1/kv/before/?recurse').index
        old = raft_status(keep)
        for node in lost:
            node.kill()
        assert keep.put('/v1/kv/alone', b'1', timeout=20).status == 500  # there is no quorum
        keep.stop()
        put_peers(keep, [(keep.k, True), (lost[0].k, False)])  # the other one is not named
        keep.start()
        assert wait_for(keep.leader, 20) != ''
        assert not os.path.exists(peers_path(keep))  # taken once
        writes_go_on(keep, 'after')
        status = raft_status(keep)
        assert status['cluster_id'] != old['cluster_id'] and status['term'] > old['term'], status
        # nothing is lost that this server had, and no index goes backwards
        assert len(keep.get('/v1/kv/before/?recurse').json()) == 200
        assert index_of(keep, 'after') >= seen + RAISED
        assert keep.get('/v1/kv/before/1').index >= seen
        # a named one comes back under the prior id: its log is set aside, its state replaced
        back = lost[0].start()
        wait_for(lambda: 'raft.set_aside' in back.logs(), 30, 'the log set aside')
        wait_for(lambda: back.get('/v1/kv/after?stale&raw').body == b'1', 30, 'the state pulled')
        assert back.get('/v1/kv/after?raw').body == b'1'
        assert back.put('/v1/kv/through', b'2').text == 'true'
        assert raft_status(back)['cluster_id'] == status['cluster_id']
        wait_for(lambda: raft_status(back)['last_index'] == raft_status(keep)['last_index'], 10)
        servers = keep.get('/v1/operator/raft/configuration').json()['Servers']
        assert {s['ID']: s['Voter'] for s in servers} == {node_id(keep.k): True, node_id(back.k): False}
        # one that is not named is ignored, and disturbs nobody
        left_out = lost[1].start(wait=False)
        wait_for(lambda: raft_status(left_out)['cluster_id'] == old['cluster_id'], 30)
        writes_go_on(keep, 'undisturbed')
        assert raft_status(keep)['term'] == status['term']
        # the file put there again does nothing
        keep.stop()
        put_peers(keep, [(keep.k, True), (lost[0].k, False)])
        keep.start()
        wait_for(keep.leader, 20)
        writes_go_on(keep, 'again')
        assert raft_status(keep)['cluster_id'] == status['cluster_id']
        assert not os.path.exists(peers_path(keep))


@test
def consensus_21_87_two_survivors_with_the_same_file_are_one_cluster():
    with Cluster(3) as c:
        put_many(c[1].ip, 'k/%d', 50)
        c.wait_leader()
        lost, behind, ahead = c[1], c[2], c[3]
        behind.kill()
        put_many(ahead.ip, 'more/%d', 50)
        for node in (lost, ahead):
            node.kill()
        everybody = [(k, True) for k in (1, 2, 3)]
        for node in (behind, ahead):
            put_peers(node, everybody)
        behind.start(wait=False)
        ahead.start(wait=False)
        for node in (behind, ahead):
            node.wait_http()
        writes_go_on(behind, 'on')
        ids = {raft_status(n)['cluster_id'] for n in (behind, ahead)}
        assert len(ids) == 1, ids
        assert len(behind.get('/v1/kv/more/?recurse').json()) == 50  # the newer log has led
        lost.start()
        wait_for(lambda: lost.get('/v1/kv/on?raw').body == b'1', 30, 'the third follows')
        for node in c:
            assert raft_status(node)['cluster_id'] in ids
        # all three vote again: one may fail
        ahead.kill()
        writes_go_on(lost, 'three')


@test
def consensus_58_a_file_that_cannot_be_followed_refuses_the_start_and_stays():
    with Cluster(1) as c:
        node = c[1]
        writes_go_on(node, 'a')
        before = raft_status(node)['cluster_id']
        for text, want in (('{"no": "list"}', 'recovery failed to parse peers.json'),
                           ('[]', 'recovery failed to parse peers.json'),
                           ('[{"id": "%s"}]' % node_id(7), 'it does not name this server')):
            node.stop()
            with open(peers_path(node), 'w') as f:
                f.write(text)
            node.start(wait=False)
            wait_for(lambda: want in node.logs(), 30, want)
            assert node.process.wait(30) != 0
            assert os.path.exists(peers_path(node))
        os.remove(peers_path(node))
        node.start()
        writes_go_on(node, 'b')
        assert raft_status(node)['cluster_id'] == before


@test
def contracts_3_10_recover_makes_a_cluster_of_the_server_it_runs_on():
    with Cluster(3) as c:
        put_many(c[1].ip, 'r/%d', 50)
        c.wait_leader()
        done = c[1].curia('operator', 'raft', 'recover', '-run-dir', c[1].run_dir)
        assert done.returncode == 1 and b'the cluster has a leader' in done.stderr, done
        keep = c[1]
        for node in (c[2], c[3]):
            node.kill()
        done = wait_for(lambda: [d for d in [keep.curia('operator', 'raft', 'recover', '-run-dir', keep.run_dir)]
                                 if not d.returncode], 20, 'recover')[0]
        assert b'goes on alone as cluster ' in done.stdout, done
        writes_go_on(keep, 'on')
        assert len(keep.get('/v1/kv/r/?recurse').json()) == 50
        assert index_of(keep, 'on') > RAISED


@test
def arch_known_limit_servers_that_lost_their_states_at_once_are_recovered_by_the_one_that_has_its():
    small = {'raft_trailing_logs': 10}
    with Cluster(2, config=small) as c:
        put_many(c[1].ip, 'x/%d', 3000)
        leader = c.wait_leader()
        keep, wiped = (c[1], c[2]) if leader is c[1] else (c[2], c[1])
        wait_for(lambda: int(raft_status(wiped).get('floor', 0)) > 1000, 60, 'a compaction')
        wiped.stop()
        put_many_after = keep.put('/v1/kv/never', b'1', timeout=20)
        assert put_many_after.status == 500
        shutil.rmtree(os.path.join(wiped.data_dir, 'catalog'))
        keep.stop()
        put_peers(keep, [(keep.k, True), (wiped.k, False)])
        keep.start()
        writes_go_on(keep, 'on')
        wiped.start()
        wait_for(lambda: wiped.get('/v1/kv/on?raw').body == b'1', 40, 'the state pulled')


@test
def contracts_4_2_a_promise_whose_proposer_is_gone_is_forgotten_on_its_host():
    """Server 3 is never there: the proposer opens no round before all have answered, so one is made by hand."""
    with Cluster(2, start=False) as c:
        c[1].start(wait=False)
        c[2].start(wait=False)
        c[2].wait_http()
        c.wait_leader()
        done = c[2].curia('operator', 'raft', 'forget-promise', '-run-dir', c[2].run_dir)
        assert done.returncode == 1 and b'holds no promise' in done.stderr, done
        done = c[2].curia('operator', 'raft', 'forget-promise', '-run-dir', '/nowhere')
        assert done.returncode == 1 and b'nobody answers at ipc:///nowhere/raftd.sock' in done.stderr, done
        done = c[2].curia('operator', 'raft', 'forget-promise', 'x')
        assert done.returncode == 1 and b'Too many arguments' in done.stderr, done
        for command in ('forget-promise', 'recover'):
            done = c[2].curia('operator', 'raft', command, '-help')
            assert done.returncode == 0 and b'Usage: ' in done.stdout, done
