"""The agent's services and checks over HTTP, in the catalog, and across restarts (http-api.md 5.7, agent.md 27)."""
import http.server
import json
import os
import signal
import ssl
import subprocess
import threading

from agentapi import (catalog_checks, catalog_services, checks, put, register, register_check, services,
                      status_of)
from cluster import Cluster, wait_for
from runner import fixture, test

EXPECT = ('daemon.ended: name=agentd', 'service.reaped')  # it is killed often


@fixture
def one():
    with Cluster(1, config={'enable_script_checks': True, 'node_meta': {'rack': '7'}}) as c:
        register(c[1], 'doomed', Check={'TTL': '1h', 'DeregisterCriticalServiceAfter': '1s'})  # see the last test
        yield c[1]


@test
def agt_160_a_registration_is_in_the_catalog_when_it_is_answered(one):
    for i in range(20):
        register(one, 'now', ID='now%d' % i, Port=8000 + i, Check={'TTL': '1h', 'Status': 'passing'})
        found = one.get('/v1/health/service/now?passing').json()
        assert len(found) == i + 1, found
    for i in range(20):
        put(one, 'service/deregister/now%d' % i)
        assert len(one.get('/v1/health/service/now').json()) == 19 - i
    assert 'now' not in one.get('/v1/catalog/services').json()


@test
def agt_164_addresses_and_weights_reach_the_catalog(one):
    register(one, 'addr', Address='10.1.1.1', Port=80, Weights={'Passing': 3, 'Warning': 2}, Meta={'k': 'v'},
             Tags=['B', 'a'])
    found = one.get('/v1/catalog/service/addr').json()[0]
    assert found['ServiceTaggedAddresses'] == {
        'lan_ipv4': {'Address': '10.1.1.1', 'Port': 80}, 'wan_ipv4': {'Address': '10.1.1.1', 'Port': 80}}, found
    assert found['ServiceWeights'] == {'Passing': 3, 'Warning': 2} and found['ServiceTags'] == ['B', 'a'], found
    assert found['ServiceMeta'] == {'k': 'v'} and found['Node'] == 'n1', found
    put(one, 'service/deregister/addr')


@test
def agent_58_node_metadata_and_addresses_are_the_agents(one):
    def known():
        node = one.get('/v1/catalog/node/n1').json()
        return node and node['Node'] if node and node['Node']['Meta'] else None
    node = wait_for(known, 30, 'the node with its metadata')
    assert node['Meta'] == {'consul-network-segment': '', 'rack': '7'}, node
    assert node['TaggedAddresses'] == {name: one.ip for name in ('lan', 'lan_ipv4', 'wan', 'wan_ipv4')}, node
    assert node['Address'] == one.ip and node['ID'] == one.config['node_id'], node


@test
def agt_181_a_ttl_follows_its_notes_and_expires(one):
    register_check(one, 'beat', TTL='1500ms')
    put(one, 'check/pass/beat?note=hi')
    assert catalog_checks(one, 'n1')['beat']['Output'] == 'hi'
    wait_for(lambda: status_of(one, 'n1', 'beat') == 'critical', 5)
    assert catalog_checks(one, 'n1')['beat']['Output'] == ('TTL expired (last output before timeout follows): hi')
    put(one, 'check/warn/beat')
    assert status_of(one, 'n1', 'beat') == 'warning'
    put(one, 'check/deregister/beat')
    assert 'beat' not in catalog_checks(one, 'n1')


@test
def agt_192_what_the_catalog_loses_comes_back_and_what_it_gains_goes(one):
    register(one, 'mine', Check={'TTL': '1h'})
    one.put('/v1/catalog/deregister', json.dumps({'Node': 'n1', 'ServiceID': 'mine'}))
    one.put('/v1/catalog/register', json.dumps(
        {'Node': 'n1', 'SkipNodeUpdate': True, 'Service': {'Service': 'ghost'},
         'Check': {'CheckID': 'stray', 'Name': 'stray', 'Status': 'passing'}}))
    one.daemon('agentd').kill()  # its next life begins with a full sync
    wait_for(lambda: 'mine' in (catalog_services(one, 'n1') or {}), 30)
    wait_for(lambda: 'ghost' not in catalog_services(one, 'n1') and 'stray' not in catalog_checks(one, 'n1'), 30)
    assert 'service:mine' in catalog_checks(one, 'n1')
    put(one, 'service/deregister/mine')


@test
def agent_55_tags_are_the_catalogs_where_the_service_says_so(one):
    register(one, 'tagged', Tags=['mine'], EnableTagOverride=True)
    found = catalog_services(one, 'n1')['tagged']
    one.put('/v1/catalog/register', json.dumps(
        {'Node': 'n1', 'SkipNodeUpdate': True, 'Service': dict(found, Tags=['theirs'])}))
    one.daemon('agentd').kill()
    wait_for(lambda: services(one)['tagged']['Tags'] == ['theirs'], 30)
    assert catalog_services(one, 'n1')['tagged']['Tags'] == ['theirs']
    put(one, 'service/deregister/tagged')


@test
def agt_193_a_restart_keeps_services_notes_and_maintenance(one):
    register(one, 'kept', Port=7, Checks=[{'CheckID': 'beat', 'TTL': '1h'},
                                          {'CheckID': 'run', 'Args': ['/bin/sh', '-c', 'echo fine'],
                                           'Interval': '1s'}])
    put(one, 'check/pass/beat?note=still%20here')
    put(one, 'service/maintenance/kept?enable=true&reason=why')
    wait_for(lambda: status_of(one, 'n1', 'run') == 'passing', 5)
    in_sync = lambda: one.daemon('agentd').status()['items']['node.in_sync'] == 'yes'
    wait_for(in_sync, 20)
    index = one.get('/v1/health/service/kept').index
    for signal_number in (signal.SIGKILL, signal.SIGTERM):
        pid = one.daemon('agentd').signal(signal_number)
        wait_for(lambda: one.daemon('agentd').restarted_since(pid), 10)
        one.wait_http()
        assert services(one)['kept']['Port'] == 7
        assert checks(one)['beat']['Output'] == 'still here' and checks(one)['beat']['Status'] == 'passing'
        assert checks(one)['_service_maintenance:kept']['Notes'] == 'why'
        wait_for(in_sync, 20)
        wait_for(lambda: checks(one)['run']['Status'] == 'passing', 5)
        wait_for(in_sync, 5)
    assert one.get('/v1/health/service/kept').index == index, 'a check flapped'
    put(one, 'service/deregister/kept')
    assert len(os.listdir(os.path.join(one.data_dir, 'services'))) == 1  # that of the doomed one


@test
def agent_28_29_scripts_say_what_their_exit_says(one):
    def run(name, text, **more):
        register_check(one, name, Args=['/bin/sh', '-c', text], Interval='1s', **more)
    run('ok', 'echo fine')
    run('meh', 'echo so so; exit 1')
    run('bad', 'exit 3')
    run('slow', 'echo begun; sleep 60', Timeout='300ms')
    run('long', 'printf 0123456789', OutputMaxSize=4)
    wait_for(lambda: checks(one)['ok']['Status'] == 'passing', 5)
    wait_for(lambda: checks(one)['meh']['Status'] == 'warning', 5)
    wait_for(lambda: checks(one)['slow']['Output'] == 'Timed out (300ms) running check\n\nbegun\n', 5)
    wait_for(lambda: checks(one)['long']['Output'] == 'Captured 4 of 10 bytes\n...\n6789', 5)
    assert checks(one)['bad']['Status'] == checks(one)['slow']['Status'] == 'critical'
    for name in ('ok', 'meh', 'bad', 'slow', 'long'):
        put(one, 'check/deregister/' + name)


@test
def agent_32_a_certificate_nobody_knows_is_critical_unless_it_is_not_looked_at(one):
    key, cert = os.path.join(one.dir, 'key.pem'), os.path.join(one.dir, 'cert.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-keyout', key, '-out', cert, '-subj', '/CN=x', '-days', '2'], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = http.server.ThreadingHTTPServer((one.ip, 8443), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *args: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = 'https://%s:8443/' % one.ip
    register_check(one, 'strict', HTTP=url, Interval='1s')
    register_check(one, 'lax', HTTP=url, Interval='1s', TLSSkipVerify=True)
    wait_for(lambda: checks(one)['lax']['Status'] == 'passing', 5)
    wait_for(lambda: checks(one)['strict']['Output'].startswith('Get "%s": ' % url), 5)
    assert checks(one)['strict']['Status'] == 'critical', checks(one)['strict']
    server.shutdown()
    server.server_close()
    for name in ('strict', 'lax'):
        put(one, 'check/deregister/' + name)


@test
def agent_38_an_alias_follows_its_service_and_another_node(one):
    register(one, 'base', Check={'TTL': '1h', 'Status': 'passing'})
    register_check(one, 'shadow', AliasService='base')
    wait_for(lambda: status_of(one, 'n1', 'shadow') == 'passing', 5)
    put(one, 'check/fail/service:base?note=down')
    wait_for(lambda: status_of(one, 'n1', 'shadow') == 'critical', 1)
    assert checks(one)['shadow']['Output'] == 'Aliased check "Service \'base\' check" failing: down'
    register_check(one, 'far', AliasNode='ext9', AliasService='db')
    wait_for(lambda: checks(one)['far']['Output'] == 'Service db could not be found on node ext9', 5)
    one.put('/v1/catalog/register', json.dumps(
        {'Node': 'ext9', 'Address': '10.9.9.9', 'Service': {'Service': 'db'},
         'Check': {'CheckID': 'd', 'Name': 'd', 'ServiceID': 'db', 'Status': 'warning', 'Output': 'slow'}}))
    wait_for(lambda: checks(one)['far']['Output'] == 'Aliased check "d" failing: slow', 70)
    one.put('/v1/catalog/register', json.dumps(
        {'Node': 'ext9', 'Address': '10.9.9.9',
         'Check': {'CheckID': 'd', 'Name': 'd', 'ServiceID': 'db', 'Status': 'passing'}}))
    wait_for(lambda: checks(one)['far']['Status'] == 'passing', 5)
    for name in ('shadow', 'far'):
        put(one, 'check/deregister/' + name)
    put(one, 'service/deregister/base')
    one.put('/v1/catalog/deregister', json.dumps({'Node': 'ext9'}))


@test
def agent_49_kill_9_during_registrations_loses_none_that_was_answered(one):
    answered = []
    for i in range(100):
        try:
            register(one, 'many%d' % i)
            answered.append('many%d' % i)
        except OSError:
            one.wait_http()
        if i % 25 == 12:
            one.daemon('agentd').kill()
    one.wait_http()
    missing = set(answered) - set(services(one))
    assert not missing, missing
    in_sync = lambda: one.daemon('agentd').status()['items']['node.in_sync'] == 'yes'
    wait_for(in_sync, 20)
    missing = set(answered) - set(catalog_services(one, 'n1'))
    assert not missing, missing
    for name in set(services(one)) - {'doomed'}:
        put(one, 'service/deregister/' + name)


@test(seconds=300)
def agent_42_a_service_that_is_critical_for_too_long_is_removed(one):
    # a minute at least, whatever is asked for, counted anew by each life of the agent; looked at every 30 s
    assert 'doomed' in services(one)
    wait_for(lambda: 'doomed' not in services(one), 100)
    wait_for(lambda: 'doomed' not in catalog_services(one, 'n1'), 5)
    assert os.listdir(os.path.join(one.data_dir, 'services')) == []
    assert os.listdir(os.path.join(one.data_dir, 'checks')) == ['state']
