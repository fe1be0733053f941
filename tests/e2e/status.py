"""Status, agent/self, metrics, Raft configuration, and what every daemon offers on the bus."""
from cluster import Cluster, node_id, wait_for, DAEMONS
from runner import fixture, test


@fixture
def three():
    with Cluster(3) as c:
        yield c


@test
def http_201_every_server_names_the_leader_and_all_peers(three):
    leader = three.wait_leader()
    for node in three:
        assert node.get('/v1/status/leader').json() == '%s:8300' % leader.ip
        assert sorted(node.get('/v1/status/peers').json()) == sorted('%s:8300' % n.ip for n in three)


@test
def http_231_raft_configuration_has_every_server_and_one_leader(three):
    leader = three.wait_leader()
    for query in ('', '?stale'):
        for node in three:
            a = node.get('/v1/operator/raft/configuration' + query)
            assert a.status == 200 and isinstance(a.json()['Index'], int), a
            servers = {s['ID']: s for s in a.json()['Servers']}
            assert sorted(servers) == [node_id(k) for k in (1, 2, 3)], a
            for s in servers.values():
                assert s['Voter'] is True and s['ProtocolVersion'] == '3', s
            assert [i for i, s in servers.items() if s['Leader']] == [node_id(leader.k)], a


@test
def http_232_a_peer_is_removed_by_id_or_address_not_by_both(three):
    path = '/v1/operator/raft/peer'
    for query, status, text in (
            ('', 400, 'Bad request: Must specify either ?id'),
            ('?id=zz&address=1.2.3.4:1', 400, 'Bad request: Must specify only one of ?id or ?address'),
            ('?id=zz', 500, 'id "zz" was not found in the Raft configuration'),
            ('?address=1.2.3.4:1', 500, 'address "1.2.3.4:1" was not found in the Raft configuration'),
            ('?id=' + node_id(three.wait_leader().k), 409, 'this server leads: stop it')):
        for node in three:
            a = node.delete(path + query)
            assert a.status == status and a.text.startswith(text), (query, a)
    for words, text in ((('-id=zz',), b'Error removing peer: Unexpected response code: 500 (id "zz" was not found'),
                        ((), b'Error removing peer: an address or id is required for the peer to remove'),
                        (('-id=a', '-address=b'), b'Error removing peer: cannot give both an address and id')):
        done = three[1].curia('operator', 'raft', 'remove-peer', *words)
        assert done.returncode == 1 and done.stderr.startswith(text), done


@test
def http_157_agent_self_has_its_members_and_string_stats(three):
    for node in three:
        body = node.get('/v1/agent/self').json()
        for member in ('Config', 'DebugConfig', 'Coord', 'Member', 'Stats', 'Meta'):
            assert member in body, (member, list(body))
        config = body['Config']
        assert config['Version'] == '1.9.8' and config['Curia'], config
        assert config['Datacenter'] == 'dc1' and config['NodeName'] == 'n%d' % node.k, config
        assert config['NodeID'] == node_id(node.k) and config['Server'] is True, config
        for section, stats in body['Stats'].items():
            for name, value in stats.items():
                assert isinstance(value, str), (section, name, value)
        assert int(body['Stats']['raft']['applied_index']) > 0
    states = sorted(n.get('/v1/agent/self').json()['Stats']['raft']['state'] for n in three)
    assert states == ['Follower', 'Follower', 'Leader'], states


@test
def http_189_metrics_have_their_five_members(three):
    for node in three:
        a = node.get('/v1/agent/metrics')
        body = a.json()
        assert sorted(body) == ['Counters', 'Gauges', 'Points', 'Samples', 'Timestamp'], a
        assert body['Timestamp'].endswith('+0000 UTC'), body['Timestamp']
    a = three[1].get('/v1/agent/metrics?format=prometheus')
    assert a.status == 415 and a.text == ('Prometheus is not enabled since its retention time is not '
                                          'positive'), a


@test
def cli_88_call_lists_the_methods_of_each_daemon(three):
    for name in DAEMONS:
        done = three[1].curia('call', '-addr', 'ipc://%s/%s.sock' % (three[1].run_dir, name), name)
        lines = done.stdout.decode().splitlines()
        assert done.returncode == 0 and lines == sorted(lines), done
        assert 'Daemon.Status(DaemonStatusRequest) DaemonStatusReply' in lines, lines
        assert any(line.startswith('Daemon.Metrics(') for line in lines), lines


@test
def cli_88_status_and_metrics_answer_on_all_daemons(three):
    for node in three:
        for name in DAEMONS:
            status = node.daemon(name).status()
            assert status['daemon'] == name and status['pid'] == node.daemon(name).pid, status
            assert status['ready'] is True and status['node_name'] == 'n%d' % node.k, status
            assert node.daemon(name).call('Daemon.Metrics')['metrics'], name


@test
def cli_89_call_tells_errors_on_stderr_with_exit_1(three):
    def call(*args):
        return three[1].curia('call', '-addr', 'ipc://%s/raftd.sock' % three[1].run_dir, *args)
    for args, start in ((('raftd', 'Daemon.Nope'), b'No such method: Daemon.Nope'),
                        (('raftd', 'Daemon.Status', '{"x'), b'Invalid request: '),
                        (('nosuchd', 'Daemon.Status'), b'Unknown daemon: nosuchd')):
        done = call(*args)
        assert done.returncode == 1 and done.stdout == b'' and done.stderr.startswith(start), done


@test
def cli_91_call_reaches_another_host_by_its_address(three):
    done = three[1].curia('call', '-addr', 'tcp://%s:8300' % three[2].ip, 'catalogd', 'Daemon.Status')
    assert done.returncode == 0 and b'"n2"' in done.stdout, done


@test
def cli_4_20_list_peers_is_a_table(three):
    leader = three.wait_leader()
    done = three[1].curia('operator', 'raft', 'list-peers')
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0 and lines[0].split() == ['Node', 'ID', 'Address', 'State', 'Voter',
                                                         'RaftProtocol'], done
    assert len(lines) == 4, lines
    for line in lines[1:]:
        name, ident, address, state, voter, protocol = line.split()
        assert voter == 'true' and protocol == '3', line
        assert (state == 'leader') == (ident == node_id(leader.k)), line


@test
def contracts_6_1_state_hashes_agree_at_the_same_index(three):
    for i in range(50):
        three[1 + i % 3].put('/v1/kv/h/%d' % (i % 9), b'%d' % i)

    def agree():
        items = [n.daemon('catalogd').status()['items'] for n in three]
        seen = {(i['applied_index'], i['state_hash']) for i in items}
        return len(seen) == 1
    wait_for(agree, 10, 'one (applied_index, state_hash) on all servers')
