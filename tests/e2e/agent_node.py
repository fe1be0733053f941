"""The node as its agent shows and changes it: self, monitor, reload, definitions of files (http-api.md 2.2, agent.md 2, 6)."""
import http.client
import json
import os
import stat
import time

from agentapi import catalog_checks, catalog_services, checks, equal, put, register, services
from cluster import DAEMONS, Cluster, wait_for
from runner import fixture, test

EXPECT = ('agent.reload',)


@fixture
def one():
    def each(k, config):
        config['services'] = [{'name': 'filed', 'port': 7, 'check': {'id': 'beat', 'ttl': '1h'}}]
        config['check'] = {'name': 'mem', 'ttl': '1h'}
        config['ports'] = {'grpc': 8502}
    with Cluster(1, each=each) as c:
        wait_for(lambda: 'Consul agent running!' in c[1].logs(), 20)  # xdsd, too; a reload is not taken before
        yield c[1]


@test
def agent_9_definitions_of_files_are_registered(one):
    wait_for(lambda: 'filed' in (catalog_services(one, 'n1') or {}), 20)
    assert {'beat', 'mem'} <= set(catalog_checks(one, 'n1')), catalog_checks(one, 'n1')
    assert services(one)['filed']['Port'] == 7


@test
def http_191_a_token_is_refused_while_there_are_no_acls(one):
    answer = one.put('/v1/agent/token/default', b'{"Token":"x"}')
    assert (answer.status, answer.text) == (401, 'ACL support disabled'), answer


@test
def http_273_nothing_is_asked_about_tokens_while_there_are_no_acls(one):
    for method, path in (('GET', 'tokens'), ('GET', 'token/self'), ('GET', 'policies?index=x'), ('PUT', 'bootstrap'),
                         ('PUT', 'policy'), ('DELETE', 'role/x'), ('GET', 'replication')):
        answer = one.request(method, '/v1/acl/' + path)
        assert (answer.status, answer.text) == (401, 'ACL support disabled'), (path, answer)


@test
def http_157_self_is_what_gossip_and_the_node_say(one):
    body = one.get('/v1/agent/self').json()
    assert body['Member']['Tags']['role'] == 'consul' and body['Member']['Status'] == 1, body['Member']
    assert body['Meta'] == {'consul-network-segment': ''}, body['Meta']
    assert body['Stats']['agent'] == {'check_monitors': '0', 'check_ttls': '2', 'checks': '2', 'services': '1'}
    assert body['Stats']['serf_lan']['members'] == '1', body['Stats']
    assert body['DebugConfig']['TaggedAddresses']['lan'] == one.ip, body['DebugConfig']
    assert body['DebugConfig']['SerfPortLAN'] == 8301


@test
def http_host_says_what_the_host_has_left(one):
    body = one.get('/v1/agent/host').json()
    assert sorted(body) == ['CPU', 'CollectionTime', 'Disk', 'Errors', 'Host', 'Memory'], body
    assert body['Memory']['total'] > body['Memory']['used'] > 0 and body['CPU'], body
    assert body['Disk']['total'] > 0 and body['Host']['os'] == 'linux' and body['Errors'] is None, body
    assert abs(body['CollectionTime'] / 1e9 - time.time()) < 60, body


@test
def agent_4_58_60_a_reload_takes_up_what_changed_and_no_more(one):
    put(one, 'check/pass/beat?note=fine')
    register(one, 'api')
    index = one.get('/v1/health/service/filed').index
    one.config['services'].append({'name': 'added'})
    one.config['node_meta'] = {'rack': '7'}
    del one.config['check']
    one.write_config()
    put(one, 'reload')
    wait_for(lambda: 'added' in catalog_services(one, 'n1'), 5)
    wait_for(lambda: 'mem' not in catalog_checks(one, 'n1'), 5)
    wait_for(lambda: one.get('/v1/catalog/node/n1').json()['Node']['Meta'].get('rack') == '7', 5)
    assert checks(one)['beat']['Status'] == 'passing' and 'api' in services(one)
    assert one.get('/v1/health/service/filed').json()[0]['Checks'][-1]['Status'] == 'passing'
    one.config['services'] = [s for s in one.config['services'] if s['name'] != 'added']
    one.write_config()
    put(one, 'reload')
    wait_for(lambda: 'added' not in catalog_services(one, 'n1'), 5)
    assert services(one)['filed']['Port'] == 7
    put(one, 'service/deregister/api')


@test
def agent_5_96_a_reload_that_is_no_good_changes_nothing(one):
    good = json.dumps(one.config)
    for bad, text in (({'services': [{'name': 'x', 'bogus': 1}]}, 'invalid config key service.bogus'),
                      ({'checks': [{'name': 'x'}]}, 'TTL must be > 0 for TTL checks'),
                      ({'node_meta': {'consul-x': '1'}}, "Key prefix 'consul-' is reserved"),
                      ({'nosuch': 1}, 'invalid config key nosuch')):
        one.config = dict(json.loads(good), **bad)
        one.write_config()
        answer = one.put('/v1/agent/reload', b'')
        assert answer.status == 500 and text in answer.text, answer
        assert list(services(one)) == ['filed'], services(one)
    one.config = json.loads(good)
    one.write_config()
    put(one, 'reload')


@test
def agent_97_every_daemon_takes_the_whole_configuration_and_names_a_key_of_none(one):
    path, known = one.dir + '/checked.json', json.dumps(one.config)
    whole = dict(json.loads(known), gossip_lan={'probe_interval': '2s'}, raft_trailing_logs=5, enable_script_checks=True,
                 dns_config={'node_ttl': '3s'}, catalogd={'grpc_port': 8504}, pid_file=one.dir + '/pid',
                 xdsd={'catalog': [one.ip]})
    for daemon in (*DAEMONS, 'xdsd'):
        with open(path, 'w') as f:
            json.dump(whole, f)
        one.daemon(daemon).call('Daemon.Check', {'config_path': path})
        for more, name in (({'nosuch': 1}, 'nosuch'), ({'raftd': {'nosuch': 1}}, 'raftd.nosuch'),
                           ({'dns_config': {'nosuch': 1}}, 'dns_config.nosuch')):
            with open(path, 'w') as f:
                json.dump(dict(whole, **more), f)
            try:
                one.daemon(daemon).call('Daemon.Check', {'config_path': path})
                raise AssertionError('%s takes %s' % (daemon, name))
            except RuntimeError as e:
                assert 'invalid config key ' + name in str(e), (daemon, e)


@test
def agent_100_what_is_written_for_the_daemons_is_for_nobody_else(one):
    put(one, 'reload')  # they are written once more
    for daemon in (*DAEMONS, 'xdsd', 'curia'):
        path = '%s/%s.json' % (one.run_dir, daemon)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, (daemon, oct(os.stat(path).st_mode))
        with open(path) as f:
            keys = json.load(f)
        assert ('services' in keys) == (daemon in ('agentd', 'curia')), (daemon, keys)
        assert keys['node_id'] == one.config['node_id'], (daemon, keys)
    assert [name for name in os.listdir(one.run_dir) if '.json' in name and not name.endswith('.json')] == []


@test
def a_reload_says_which_changes_wait_for_a_restart(one):
    put(one, 'reload')
    assert 'takes effect when' not in one.logs(), 'no such key has changed so far'
    one.config['domain'] = 'other'
    one.write_config()
    put(one, 'reload')
    said = 'key=domain text="has changed, and takes effect when the agent is started again"'
    wait_for(lambda: said in one.logs(), 10, 'a word of the key')
    assert one.logs().count('takes effect when') == 1, one.logs()
    del one.config['domain']
    one.write_config()
    put(one, 'reload')


@test
def agt_190_monitor_streams_the_lines_of_the_daemons(one):
    equal(one.get('/v1/agent/monitor?loglevel=zz'), 400, 'Bad request: Unknown log level: zz')
    for query, wanted in (('debug', b'sync.written: service="seen"'), ('debug&logjson', b'"@module":"agentd"')):
        conn = http.client.HTTPConnection(one.ip, 8500, timeout=10)
        conn.request('GET', '/v1/agent/monitor?loglevel=' + query)
        reply = conn.getresponse()
        assert reply.status == 200 and reply.getheader('Transfer-Encoding') == 'chunked', reply.headers
        time.sleep(0.3)  # from now on: the follower is in place once it is answered upstream
        register(one, 'seen', Port=int(time.time()) % 60000 + 1)
        text, end = b'', time.monotonic() + 10
        while wanted not in text and time.monotonic() < end:
            text += reply.read1(65536)
        assert wanted in text, text
        conn.close()
        put(one, 'service/deregister/seen')
    # whoever hangs up is forgotten
    wait_for(lambda: int(one.daemon('agentd').status()['items']['http.connections']) <= 1, 5)


@test
def cli_monitor_and_reload_do_the_same(one):
    done = one.curia('reload')
    assert done.returncode == 0, done
    done = one.curia('members')
    assert done.returncode == 0 and b'n1' in done.stdout and b'alive' in done.stdout, done
    done = one.curia('maint', '-enable', '-reason=why')
    assert done.returncode == 0, done
    assert checks(one)['_node_maintenance']['Notes'] == 'why'
    assert one.curia('maint', '-disable').returncode == 0
    assert '_node_maintenance' not in checks(one)
    with open(one.dir + '/web.json', 'w') as f:
        json.dump({'service': {'name': 'cli', 'port': 80, 'check': {'ttl': '1h', 'status': 'passing'}}}, f)
    done = one.curia('services', 'register', one.dir + '/web.json')
    assert done.returncode == 0, done
    assert one.get('/v1/health/service/cli?passing').json()[0]['Service']['Port'] == 80
    assert one.curia('services', 'deregister', '-id=cli').returncode == 0
    assert 'cli' not in services(one)
