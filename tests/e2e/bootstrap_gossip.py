"""Contracts 4.1: servers with nothing but retry_join and bootstrap_expect find each other by gossip, become one
cluster, and find each other again after all of them have moved."""
import re
import shutil
import time

from cluster import node_id, wait_for
from joined import Joined
from runner import test

EXPECT = ('raft', 'gossip', 'member', 'catalog', 'duty', 'bus', 'peer')  # servers come, go and move


def move(node, ip, join):
    node.ip = node.host = ip
    node.config.update(bind_addr=ip, client_addr=ip, advertise_addr=ip, retry_join=join)


def voters(node):
    return {s['ID'] for s in node.get('/v1/operator/raft/configuration').json()['Servers'] if s['Voter']}


@test
def contracts_4_1_servers_that_only_join_become_one_cluster():
    with Joined(3) as c:
        assert voters(c[2]) == {node_id(k) for k in (1, 2, 3)}
        listed = c[1].curia('operator', 'raft', 'list-peers').stdout.decode()
        assert sorted(line.split()[0] for line in listed.splitlines()[1:]) == ['n1', 'n2', 'n3'], listed
        assert c[3].put('/v1/kv/x', b'1').text == 'true'
        assert c[1].get('/v1/kv/x?raw').body == b'1'


@test
def contracts_4_1_two_of_three_wait_for_the_third():
    with Joined(3, start=False) as c:
        c[1].start()
        c[2].start()
        wait_for(lambda: len(c[2].get('/v1/agent/members').json()) == 2, 20, 'two members')
        time.sleep(2)  # nothing may come of it
        assert c[1].leader() == '' == c[2].leader()
        c[3].start()
        c.wait_leader()


@test
def contracts_4_1_a_different_expectation_keeps_all_from_bootstrapping():
    def each(k, config):
        config['bootstrap_expect'] = 2 if k == 3 else 3
    with Joined(3, each=each, start=False) as c:
        for node in c:
            node.start()
        wait_for(lambda: all('conflicting expect value' in n.logs() for n in c), 20, 'the sentence in each log')
        assert [n.leader() for n in c] == [''] * 3


def configured_at(nodes):
    """The index of the entry with the configuration, which all must name."""
    indexes = {int(n.daemon('raftd').call('Log.Status')['committed_configuration_index']) for n in nodes}
    assert len(indexes) == 1, indexes
    return indexes.pop()


@test
def consensus_36_a_server_that_moves_is_sent_its_entries_there_without_a_new_configuration():
    with Joined(3) as c:
        leader = c.wait_leader()
        moved = c.followers()[0]
        rest = [n for n in c if n is not moved]
        before, term = configured_at(c), leader.daemon('raftd').call('Log.Status')['term']
        moved.daemon('gossipd').call('Members.Leave')  # one that is alive, or has failed just now, keeps its address
        moved.kill()
        move(moved, c.net.ip(20), [n.ip for n in rest])
        moved.start()
        assert leader.put('/v1/kv/there', b'1').text == 'true'
        wait_for(lambda: moved.get('/v1/kv/there?raw&stale').body == b'1', 20, 'replication to the new address')
        assert configured_at(c) == before and c.wait_leader() is leader
        assert leader.daemon('raftd').call('Log.Status')['term'] == term
        servers = leader.get('/v1/operator/raft/configuration').json()['Servers']
        assert {s['ID']: s['Address'] for s in servers} == {n.config['node_id']: n.ip + ':8300' for n in c}, servers


@test
def contracts_4_1_consensus_36_a_cluster_whose_servers_all_moved_finds_itself_again():
    with Joined(3) as c:
        assert c[1].put('/v1/kv/before', b'kept').text == 'true'
        configuration = configured_at(c)
        for node in c:
            node.stop()
        for node in c:  # everybody elsewhere, and nobody knows where
            move(node, c.net.ip(10 + node.k), [c.net.ip(11)])
        c.start()
        assert c[2].get('/v1/kv/before?raw').body == b'kept'
        assert c[3].put('/v1/kv/after', b'1').text == 'true'
        assert configured_at(c) == configuration
        assert voters(c[1]) == {node_id(k) for k in (1, 2, 3)}


def advised(node):
    """The commands that the log of a server says to run elsewhere, in order, as words."""
    line = [line for line in node.logs().splitlines() if 'raft.other_id' in line][-1]
    return [command.split()[1:] for command in re.findall('`(.*?)`', line)]


@test
def issue_a_server_that_lost_its_data_and_its_id_says_how_it_comes_back():
    with Joined(3) as c:
        assert c[1].put('/v1/kv/kept', b'1').text == 'true'
        c[3].kill()
        shutil.rmtree(c[3].data_dir)
        c[3].config['node_id'] = node_id(9)  # as a new one would be made
        c[3].start(wait=False)
        wait_for(lambda: 'raft.other_id' in c[3].logs(), 30, 'the advice')
        for words in advised(c[3]):
            if 'add-peer' in words:
                words = [*words, '-run-dir=' + c[1].run_dir]

            def is_done():  # what a leader wrote that was lost meanwhile is done, too
                done = c[1].curia(*words)
                return done.returncode == 0 or b'was not found' in done.stderr
            wait_for(is_done, 30, ' '.join(words))
        wait_for(lambda: voters(c[1]) == {node_id(k) for k in (1, 2, 9)}, 10, 'three voters')
        c[3].wait_http()
        wait_for(lambda: c[3].get('/v1/kv/kept?raw').body == b'1', 30, 'the state')
