"""Lost daemons, lost folders, lost servers: what comes back by itself, and what says what to do."""
import base64
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time

from cluster import Cluster, DAEMONS, environment, node_id, wait_for
from http1 import Http
from load import Load, put_many
from runner import test
from waiting import Wait

BUILD = 'release'
EXPECT = ('',)  # what breaks may be complained about


def same_state(nodes, seconds=30):
    """Waits until all list the same bytes at the same index."""
    def agree():
        answers = [n.get('/v1/kv/?recurse&stale') for n in nodes]
        assert all(a.status == 200 for a in answers), answers
        return len({(a.index, a.body) for a in answers}) == 1
    wait_for(agree, seconds, 'the same state on all')


@test(seconds=300)
def issue_each_daemon_of_one_node_is_restarted_under_load():
    with Cluster(3) as c:
        victim = c.followers()[0]
        load = Load(c, writers=3, readers=3)
        load.wait_more()
        for name in DAEMONS:
            pid = victim.daemon(name).kill()
            wait_for(lambda: victim.daemon(name).restarted_since(pid), 10, 'restart of ' + name)
            wait_for(lambda: victim.put('/v1/kv/again', name.encode()).text == 'true', 20, 'writes on ' + victim.ip)
            assert victim.get('/v1/kv/again?raw').body == name.encode()
        outcomes = load.stop()
        # a clear error: either the connection ended with its agentd, or a status with a sentence
        for _, what, status, text in outcomes:
            assert status in (0, 200, 404) or (status in (429, 500, 503) and text), (what, status, text)
        assert len(load.failures()) < len(outcomes) / 4, load.failures()[:20]


@test(seconds=300)
def issue_each_daemon_of_a_single_server_is_restarted_under_load():
    with Cluster(1) as c:
        load = Load(c, writers=2, readers=2)
        for name in DAEMONS + DAEMONS:
            load.wait_more()
            pid = c[1].daemon(name).kill()
            wait_for(lambda: c[1].daemon(name).restarted_since(pid), 10, 'restart of ' + name)
            wait_for(lambda: c[1].put('/v1/kv/again', name.encode()).text == 'true', 20, 'writes')
        load.stop()


def indexes(node):
    items = node.daemon('catalogd').status()['items']
    return [int(items[name + '_index']) for name in ('applied', 'stored', 'durable')]


@test()
def contracts_3_5_a_killed_catalogd_goes_on_from_its_last_fold_and_the_log_brings_the_rest():
    with Cluster(1) as c:
        node, catalogd = c[1], c[1].daemon('catalogd')
        put_many(node.ip, 'fold/%04d', 500)
        before = node.get('/v1/kv/fold/?keys')

        def is_ahead_of_its_disk():
            node.put('/v1/kv/last', b'x')
            applied, stored, _ = indexes(node)
            return stored < applied
        wait_for(is_ahead_of_its_disk, 10)
        pid = catalogd.kill()
        wait_for(lambda: catalogd.restarted_since(pid), 10)
        after = node.get('/v1/kv/fold/?keys')
        assert after.body == before.body and after.index == before.index, (before, after)
        assert node.get('/v1/kv/last?raw').body == b'x'
        # and by itself all of it comes to the disk, durably
        wait_for(lambda: len(set(indexes(node))) == 1, 20)
        path = os.path.join(node.data_dir, 'catalog', 'state.db')
        with contextlib.closing(sqlite3.connect('file:%s?mode=ro' % path, uri=True)) as db:
            assert db.execute('SELECT count(*) FROM kv').fetchone() == (501,)


@test(seconds=300)
def issue_a_server_without_its_catalog_folder_pulls_the_state_while_writes_go_on():
    with Cluster(3) as c:
        put_many(c[1].ip, 'pull/%04d', 2000, value=b'v' * 200)
        victim = c.followers()[0]
        load = Load(c, writers=2, readers=2)
        victim.stop()
        shutil.rmtree(os.path.join(victim.data_dir, 'catalog'))
        victim.start()
        c.wait_leader()
        wait_for(lambda: len(victim.get('/v1/kv/pull/?keys&stale').json()) == 2000, 30, 'all keys on ' + victim.ip)
        load.stop()
        same_state(c)


@test(seconds=300)
def consensus_21_75_the_leaders_catalog_folder_deleted_while_it_runs():
    with Cluster(3) as c:
        put_many(c[1].ip, 'gone/%04d', 500)
        leader = c.wait_leader()
        shutil.rmtree(os.path.join(leader.data_dir, 'catalog'))
        leader.daemon('catalogd').kill()
        wait_for(lambda: len(leader.get('/v1/kv/gone/?keys').json()) == 500, 40, 'all keys again')
        assert leader.put('/v1/kv/gone/x', b'1').text == 'true'
        same_state(c)


@test(seconds=300)
def issue_a_server_behind_the_compaction_pulls_the_state_while_writes_go_on():
    def small_log(k, config):
        config['raft_trailing_logs'] = 200
    with Cluster(3, each=small_log) as c:
        put_many(c[1].ip, 'cp/%04d', 200)
        victim = c.followers()[0]
        victim.kill()
        rest = [n for n in c if n is not victim]
        leader = c.wait_leader(among=rest)
        last = int(leader.get('/v1/agent/self').json()['Stats']['raft']['last_log_index'])
        load = Load(c, writers=1, readers=0, timeout=3)
        put_many(rest[0].ip, 'cp/%04d', 6000, value=b'w' * 500)

        def floor():
            items = leader.daemon('raftd').status()['items']
            return int(items['floor']) > last
        wait_for(floor, 60, 'a log that begins after what the dead server has')
        put_many(rest[1].ip, 'cp2/%04d', 500)
        victim.start()
        wait_for(lambda: len(victim.get('/v1/kv/cp2/?keys').json()) == 500, 60, 'all keys on ' + victim.ip)
        load.stop()
        same_state(c)


@test(seconds=300)
def consensus_32_a_state_that_is_pulled_wakes_no_wait_whose_key_it_leaves_as_it_was():
    def small_log(k, config):
        config['raft_trailing_logs'] = 20
    with Cluster(3, each=small_log) as c:
        c[1].put('/v1/kv/waited', b'1')
        victim = c.followers()[0]
        rest = [n for n in c if n is not victim]
        leader = c.wait_leader()
        wait_for(lambda: victim.get('/v1/kv/waited?stale').status == 200, 10)
        index = victim.get('/v1/kv/waited?stale').index
        catalogd = victim.daemon('catalogd')
        waits = [subprocess.Popen(  # at that catalogd itself: an agent would go to another one
            [os.path.join(c.bin, 'curia'), 'call', '-addr', 'ipc://%s/catalogd.sock' % victim.run_dir, 'catalogd', 'Kv.Get',
             json.dumps({'key': base64.b64encode(key).decode(), 'read': {'index': index, 'wait_ms': 120000}})],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) for key in (b'waited', b'moved')]
        wait_for(lambda: catalogd.metric('catalog.watch.waiting') >= 2, 10, 'two reads that hang')
        victim.pause()
        last = int(leader.daemon('raftd').call('Log.Status')['last_index'])
        put_many(rest[0].ip, 'cp/%04d', 200)
        rest[0].put('/v1/kv/moved', b'1')
        wait_for(lambda: int(leader.daemon('raftd').call('Log.Status')['floor']) > last, 30, 'a log that begins later')
        victim.resume()
        wait_for(lambda: catalogd.metric('catalog.pull.installed') == 1, 30, 'a state of another')
        assert json.loads(waits[1].communicate(timeout=60)[0])['pair']['key'] == base64.b64encode(b'moved').decode()
        assert waits[0].poll() is None, waits[0].communicate()
        c[1].put('/v1/kv/waited', b'2')
        assert json.loads(waits[0].communicate(timeout=60)[0])['pair']['key'] == base64.b64encode(b'waited').decode()


@test(seconds=300)
def issue_a_wiped_server_is_refused_under_its_old_id_and_told_what_to_do():
    with Cluster(3) as c:
        put_many(c[1].ip, 'w/%d', 100)
        victim = c.followers()[0]
        victim.kill()
        shutil.rmtree(victim.data_dir)
        os.makedirs(victim.data_dir)
        victim.start(wait=False)
        rest = [n for n in c if n is not victim]

        def told():
            for node in c:
                for line in node.logs().splitlines():
                    if 'removed and added anew' in line and node_id(victim.k) in line:
                        return line
            return None
        print(wait_for(told, 30, 'advice in a log'))
        assert rest[0].put('/v1/kv/w/after', b'1').text == 'true'
        a = Http(victim.ip, timeout=20)
        wait_for(lambda: a.get('/v1/kv/w/1?stale').status in (200, 404, 500), 20, 'an answer of the wiped server')
        # it counts for nothing: with one more server down there is no quorum
        other = [n for n in rest if n is not c.wait_leader(among=rest)][0]
        other.kill()
        last = [n for n in rest if n is not other][0]
        got = last.put('/v1/kv/w/none', b'1', timeout=30)
        assert got.status == 500, got
        other.start()
        c.wait_leader(among=rest)
        assert rest[0].get('/v1/kv/w/after').status == 200
        add_anew(rest, victim)
        # and it counts: with another one down there is a quorum
        other = [n for n in rest if n is not c.wait_leader(among=c)][0]
        other.kill()
        wait_for(lambda: victim.put('/v1/kv/w/last', b'1', timeout=20).text == 'true', 30, 'a write by two of three')
        other.start()
        wait_for(lambda: all(n.get('/v1/kv/w/last?stale').status == 200 for n in c), 30, 'one state everywhere')
        same_state(c)


def add_anew(rest, server):
    """What the advice in the logs says."""
    def raft(node, *words):
        done = node.curia('operator', 'raft', *words)
        return done.returncode, (done.stdout + done.stderr).decode()

    def add(node):
        return raft(node, 'add-peer', '-id=' + node_id(server.k), '-run-dir=' + node.run_dir)

    def peers(node):
        return {line.split()[1]: line.split()[4] for line in raft(node, 'list-peers')[1].splitlines()}
    def refused(node):
        code, text = add(node)
        assert code == 1 and 'Error adding peer: ' in text, text
        return 'remove it first' in text

    def removed():  # a leader that is lost meanwhile may have written it
        code, text = raft(rest[1], 'remove-peer', '-id=' + node_id(server.k))
        return (code, text) == (0, 'Removed peer with id "%s"\n' % node_id(server.k)) or 'was not found' in text
    for node in rest:  # whoever does not lead asks the leader
        wait_for(lambda: refused(node), 30, 'a refusal')
    wait_for(removed, 30, 'it is removed')
    wait_for(lambda: sorted(peers(rest[0])) == sorted(['ID'] + [node_id(n.k) for n in rest]), 10, 'two servers')
    wait_for(lambda: add(rest[0]) == (0, 'Added peer with id "%s"\n' % node_id(server.k)), 30, 'it is added')
    wait_for(lambda: peers(rest[1]).get(node_id(server.k)) == 'true', 10, 'a voter for all')
    for event in ('raft.server_removed', 'raft.server_added'):
        line = '%s: id=%s index=' % (event, node_id(server.k))
        wait_for(lambda: [n for n in rest if line in n.logs()], 10, line)


@test(seconds=300)
def issue_a_second_catalogd_follows_a_raftd_reads_writes_and_dies_unnoticed():
    with Cluster(3, start=False) as c:
        reader_ip = c.net.ip(9)
        for node in c:
            node.config['raftd']['readers'] = [reader_ip]
        c.start()
        put_many(c[1].ip, 'second/%d', 200)
        config = {'node_name': 'reader', 'node_id': node_id(9), 'datacenter': 'dc1', 'server': True,
                  'data_dir': os.path.join(c.dir, 'reader', 'data'), 'bind_addr': reader_ip,
                  'client_addr': reader_ip, 'advertise_addr': reader_ip, 'log_level': 'DEBUG',
                  'raftd': {'peers': c[1].config['raftd']['peers']},
                  'catalogd': {'follow': '%s:8310' % c[2].ip}, 'agentd': {'catalog': [reader_ip + ':8300']}}
        os.makedirs(config['data_dir'])
        second = c.spawn('reader', config, None, 'catalogd')
        edge = c.spawn('edge', dict(config, data_dir=config['data_dir'] + '2'), None, 'agentd')
        http = Http(reader_ip)
        wait_for(lambda: http.get('/v1/kv/second/1').status == 200, 20, 'reads at the second catalogd')
        assert len(http.get('/v1/kv/second/?keys&consistent').json()) == 200
        assert http.put('/v1/kv/second/w', b'through').text == 'true'
        assert c[3].get('/v1/kv/second/w?raw').body == b'through'
        assert http.get('/v1/kv/second/w?raw').body == b'through'
        before = c.wait_leader()
        load = Load(c, writers=2, readers=2)
        load.wait_more()
        second.kill()
        load.wait_more(500)
        assert not load.failures(), load.failures()[:5]
        load.stop()
        assert c.wait_leader() is before
        second.start()
        wait_for(lambda: http.get('/v1/kv/second/w?raw').body == b'through', 20, 'the second one again')
        edge.stop()


@test(seconds=300)
def issue_a_killed_server_catches_up_from_its_own_disk():
    with Cluster(3) as c:
        put_many(c[1].ip, 'own/%d', 300)
        victim = c.followers()[0]
        wait_for(lambda: len(victim.get('/v1/kv/own/?keys&stale').json()) == 300, 10)
        victim.kill()
        rest = [n for n in c if n is not victim]
        put_many(rest[0].ip, 'own2/%d', 300)
        size = len(victim.logs())
        victim.start()
        same_state(c)
        assert not re.search(r'pull', victim.logs()[size:], re.I), 'it pulled a state'


@test(seconds=300)
def contracts_5_4_leadership_leaves_a_leader_whose_catalogd_is_paused():
    with Cluster(3) as c:
        c[1].put('/v1/kv/t', b'1')
        leader = c.wait_leader()
        rest = [n for n in c if n is not leader]
        leader.daemon('catalogd').pause()
        start = time.monotonic()
        wait_for(lambda: c.wait_leader(1, among=rest) in rest, 15, 'another leader')
        print('moved after %.1f s' % (time.monotonic() - start))
        wait_for(lambda: rest[0].put('/v1/kv/t', b'2').text == 'true', 20, 'a write')
        leader.daemon('catalogd').resume()
        wait_for(lambda: leader.get('/v1/kv/t?raw').body == b'2', 10, 'the resumed server')


@test
def contracts_3_7_a_read_asked_of_a_leader_that_was_paused_is_asked_again():
    with Cluster(3) as c:
        c[1].put('/v1/kv/p', b'1')
        took = []
        while not took or (took[-1] >= 4 and len(took) < 3):  # the machine may be busy with other things
            leader = c.wait_leader()
            follower = next(n for n in c if n is not leader)
            assert follower.get('/v1/kv/p?raw').body == b'1'
            leader.daemon('raftd').pause()
            try:
                a = follower.get('/v1/kv/p?raw')
                took.append(a.seconds if a.body == b'1' else 60)
            finally:
                leader.daemon('raftd').resume()
        print('read after %s s' % took)
        assert took[-1] < 4, (took, a)


@test(seconds=300)
def issue_http_285_waits_go_on_when_their_catalogd_is_killed():
    with Cluster(3) as c:
        c[1].put('/v1/kv/wl', b'1')
        node = c.followers()[0]
        n = wait_for(lambda: node.get('/v1/kv/wl'), 5).index
        waits = [Wait(node, '/v1/kv/wl?index=%d&wait=50s' % n, timeout=60) for _ in range(10)]
        pid = node.daemon('catalogd').kill()
        wait_for(lambda: node.daemon('catalogd').restarted_since(pid), 10, 'catalogd again')
        wait_for(lambda: node.get('/v1/kv/wl').index == n, 20, 'reads through it')
        assert all(w.hangs for w in waits)
        c[1].put('/v1/kv/wl', b'2')
        answers = [w.result() for w in waits]
        assert all(a.status == 200 and a.index > n for a in answers), answers


@test(seconds=300)
def issue_failover_acknowledges_a_write_within_a_second_or_so():
    with Cluster(3) as c:
        took = []
        while not took or (took[-1] >= 5 and len(took) < 3):  # the machine may be busy with other things
            leader = c.wait_leader()
            for node in c:
                node.put('/v1/kv/fo', b'1')
            rest = [n for n in c if n is not leader]
            leader.kill()
            start = time.monotonic()
            wait_for(lambda: rest[0].put('/v1/kv/fo', b'2').text == 'true', 15, 'a write', every=0.01)
            took.append(time.monotonic() - start)
            leader.start()
        print('first write %s s after the kill' % took)
        assert took[-1] < 5, took  # the median of seven is tests/bench


@test(seconds=300)
def consensus_21_72_a_sole_voter_stays_leader_over_a_pause_of_its_catalogd():
    with Cluster(1) as c:
        assert c[1].put('/v1/kv/t', b'1').text == 'true'
        before = c[1].daemon('raftd').status()['items']['term']
        c[1].daemon('catalogd').pause()
        time.sleep(4)  # longer than a lease and an election: the pause is what is tested
        c[1].daemon('catalogd').resume()
        wait_for(lambda: c[1].put('/v1/kv/t', b'2').text == 'true', 10)
        assert c[1].daemon('raftd').status()['items']['term'] == before


@test(seconds=300)
def consensus_21_75_a_raft_folder_deleted_under_a_running_catalogd_is_refused():
    with Cluster(3) as c:
        put_many(c[1].ip, 'r/%d', 100)
        victim = c.followers()[0]
        rest = [n for n in c if n is not victim]
        shutil.rmtree(os.path.join(victim.data_dir, 'raft'))
        victim.daemon('raftd').kill()

        def told():
            return [line for n in c for line in n.logs().splitlines()
                    if 'removed and added anew' in line and node_id(victim.k) in line]
        wait_for(told, 30, 'advice in a log')
        assert rest[0].put('/v1/kv/r/after', b'1').text == 'true'


@test(seconds=300)
def consensus_21_78_a_catalog_of_another_cluster_is_refused_by_name():
    with Cluster(1) as a, Cluster(1) as b:
        put_many(a[1].ip, 'mine/%d', 50)
        put_many(b[1].ip, 'other/%d', 50)
        ids = [c[1].daemon('catalogd').status()['items']['cluster_id'] for c in (a, b)]
        a[1].stop()
        b[1].stop()
        ours = os.path.join(a[1].data_dir, 'catalog')
        os.rename(ours, ours + '.kept')
        shutil.copytree(os.path.join(b[1].data_dir, 'catalog'), ours)
        a[1].start(wait=False)
        wait_for(lambda: all(i in a[1].logs() for i in ids), 30, 'both cluster ids in the log')
        a[1].stop()
        shutil.rmtree(ours)
        os.rename(ours + '.kept', ours)
        a[1].start()
        assert len(a[1].get('/v1/kv/mine/?keys').json()) == 50
        assert a[1].get('/v1/kv/other/?keys').status == 404
