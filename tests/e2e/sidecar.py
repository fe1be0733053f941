"""Proxies of the mesh as their agent has them: http-api.md 5.7 items 167 to 170, mesh.md 10 items 26 to 34."""
import json
import threading

from agentapi import catalog_services, checks, equal, put, register, services
from cluster import Cluster, wait_for
from http1 import Http
from runner import fixture, test

EXPECT = ('daemon.ended: name=agentd',)


@fixture
def one():
    file = {'id': 'f1', 'name': 'file', 'port': 9000, 'connect': {'sidecar_service': {'tags': ['s']}}}
    with Cluster(1, config={'services': [file], 'ports': {'sidecar_max_port': 21003}}) as c:
        wait_for(lambda: 'f1-sidecar-proxy' in (catalog_services(c[1], 'n1') or {}), 30, 'the sidecar of a file')
        yield c[1]


def with_sidecar(node, name, status=200, sidecar=None, **more):
    return register(node, name, status, Connect={'SidecarService': sidecar or {}}, **more)


@test
def http_167_a_sidecar_beside_its_service(one):
    equal(one.put('/v1/agent/service/register', json.dumps({
        'id': 'web1', 'name': 'web', 'tags': ['a', 'B'], 'port': 80, 'address': '10.1.1.1', 'meta': {'k': 'v'},
        'enable_tag_override': True, 'connect': {'sidecar_service': {}}})), 200)
    a = one.get('/v1/agent/service/web1-sidecar-proxy').json()
    del a['ContentHash']
    address = {'Address': '10.1.1.1', 'Port': 21001}
    assert a == {
        'Kind': 'connect-proxy', 'ID': 'web1-sidecar-proxy', 'Service': 'web-sidecar-proxy', 'Tags': ['a', 'B'],
        'Meta': {'k': 'v'}, 'Port': 21001, 'Address': '10.1.1.1',
        'TaggedAddresses': {'lan_ipv4': address, 'wan_ipv4': address}, 'Weights': {'Passing': 1, 'Warning': 1},
        'EnableTagOverride': False, 'Datacenter': 'dc1',
        'Proxy': {'DestinationServiceName': 'web', 'DestinationServiceID': 'web1', 'LocalServiceAddress': '127.0.0.1',
                  'LocalServicePort': 80, 'MeshGateway': {}, 'Expose': {}}}, a
    assert 'Connect' not in services(one)['web1']  # what was nested is not kept
    found = checks(one)
    listening, alias = (found['service:web1-sidecar-proxy:%d' % i] for i in (1, 2))
    assert (listening['Name'], listening['Type']) == ('Connect Sidecar Listening', 'tcp'), listening
    assert (alias['Name'], alias['Type']) == ('Connect Sidecar Aliasing web1', 'alias'), alias
    wait_for(lambda: checks(one)['service:web1-sidecar-proxy:2']['Status'] == 'passing', 10, 'what it stands for passes')
    proxies = wait_for(lambda: one.get('/v1/health/connect/web').json(), 10, 'the proxy in the catalog')
    assert [p['Service']['ID'] for p in proxies] == ['web1-sidecar-proxy'], proxies
    assert proxies[0]['Service']['Proxy']['DestinationServiceID'] == 'web1', proxies
    put(one, 'service/deregister/web1')
    assert not {'web1', 'web1-sidecar-proxy'} & set(services(one)), services(one)
    wait_for(lambda: one.get('/v1/health/connect/web').text == '[]', 10, 'it is gone')


@test
def http_168_169_ports_are_kept_and_given_back(one):
    def port(id):
        return one.get('/v1/agent/service/%s-sidecar-proxy' % id).json()['Port']
    assert port('f1') == 21000
    for i, name in enumerate(('p', 'q', 'r')):
        with_sidecar(one, name)
        assert port(name) == 21001 + i
    with_sidecar(one, 'p', Port=81)
    assert port('p') == 21001
    text = ('Bad request: Invalid SidecarService: no port provided for sidecar_service and none left in the '
            'configured range [21000, 21003]')
    equal(with_sidecar(one, 's', status=500), 500, text)
    assert 's' not in services(one)  # all of it or nothing
    with_sidecar(one, 's', sidecar={'Port': 4000})
    put(one, 'service/deregister/q')
    with_sidecar(one, 't')
    assert port('t') == 21002 and port('s') == 4000
    pid = one.daemon('agentd').kill()
    wait_for(lambda: one.daemon('agentd').restarted_since(pid), 30)
    ports = wait_for(lambda: {n: port(n) for n in ('f1', 'p', 'r', 's', 't')}, 30, 'the agent')
    assert ports == {'f1': 21000, 'p': 21001, 'r': 21003, 's': 4000, 't': 21002}, ports
    for name in ('p', 'r', 's', 't'):
        put(one, 'service/deregister/' + name)
    assert sorted(services(one)) == ['f1', 'f1-sidecar-proxy'], services(one)


@test
def http_170_what_the_agent_names_itself_is_refused(one):
    assert 'A SidecarService cannot specify an ID' in with_sidecar(one, 'x', 400, {'ID': 'y'}).text
    nested = {'Connect': {'SidecarService': {}}}
    assert 'A SidecarService cannot have a nested SidecarService' in with_sidecar(one, 'x', 400, nested).text
    equal(with_sidecar(one, 'x', 500, {'Check': {'TCP': 'h:1'}}), 500,
          'Bad request: Invalid check in sidecar_service: Interval must be > 0 for Script, HTTP, or TCP checks')
    assert 'x' not in services(one)


@test
def mesh_33_34_a_proxy_of_ones_own_is_looked_at_like_a_sidecar(one):
    def refused(text, **proxy):
        more = dict({'DestinationServiceName': 'w'}, **proxy)
        equal(register(one, 'p', 400, Kind='connect-proxy', Port=1, Proxy=more), 400, text)
    refused('1 error occurred:\n\t* upstreams cannot contain duplicates by local bind address and port; '
            '"127.0.0.1:1" is specified twice\n\n',
            Upstreams=[{'DestinationName': n, 'LocalBindPort': 1} for n in 'ab'])
    refused('2 errors occurred:\n\t* unknown upstream destination type: "x"\n\t* upstream local bind port cannot be '
            'zero\n\n', Upstreams=[{'DestinationName': 'a', 'DestinationType': 'x', 'LocalBindPort': 1},
                                   {'DestinationName': 'b'}])


@test
def a_proxy_is_shown_as_the_agent_and_as_the_catalog_have_it(one):
    upstreams = [{'DestinationName': 'db', 'LocalBindPort': 9191},
                 {'DestinationType': 'prepared_query', 'DestinationName': 'q1', 'Datacenter': 'dc2',
                  'LocalBindPort': 9192, 'Config': {'a': 1}}]
    paths = [{'ListenerPort': 22, 'Path': '/m', 'LocalPathPort': 1, 'Protocol': 'http'}]
    register(one, 'px', Kind='connect-proxy', Port=5, Proxy={
        'DestinationServiceName': 'shown', 'Config': {'x': 'y'}, 'Upstreams': upstreams,
        'MeshGateway': {'Mode': 'local'}, 'Expose': {'Paths': paths}})
    head = '"DestinationServiceName":"shown","Config":{"x":"y"},"Upstreams":[{"DestinationType":"service",'
    # the proxy's own mode counts for its upstreams, too (mesh.md 2.6)
    tail = ('"LocalBindPort":9191,"MeshGateway":{"Mode":"local"}},{"DestinationType":"prepared_query",'
            '"DestinationName":"q1","Datacenter":"dc2","LocalBindPort":9192,"Config":{"a":1},"MeshGateway":{}}],'
            '"MeshGateway":{"Mode":"local"},"Expose":{"Paths":[{"ListenerPort":22,"Path":"/m","LocalPathPort":1,"Protocol":"http"')
    text = one.get('/v1/agent/service/px').text
    assert '"Proxy":{' + head + '"DestinationName":"db",' + tail + ',"ParsedFromCheck":false}]}}' in text, text
    text = one.get('/v1/catalog/connect/shown').text
    assert '"ServiceProxy":{' + head + '"DestinationName":"db","Datacenter":"",' + tail + '}]}}' in text, text
    put(one, 'service/deregister/px')


@test
def who_waits_for_proxies_wakes_when_one_comes_and_goes(one):
    index = one.get('/v1/health/connect/woken').index
    for act in (lambda: with_sidecar(one, 'woken'), lambda: put(one, 'service/deregister/woken')):
        got = []
        path = '/v1/health/connect/woken?index=%d&wait=60s' % index
        waiter = threading.Thread(target=lambda: got.append(Http(one.ip, timeout=90).get(path)))
        waiter.start()
        act()
        waiter.join(90)
        assert got and got[0].index > index, got
        index = one.get('/v1/health/connect/woken').index
    equal(one.get('/v1/health/connect/woken'), 200, '[]')


@test
def mesh_39_40_what_config_entries_say_of_a_proxy(one):
    def proxy():
        return one.get('/v1/agent/service/central-sidecar-proxy').json()['Proxy']
    def catalog():
        found, = one.get('/v1/health/connect/central').json()
        return found['Service']
    def entry(kind, name, **more):
        equal(one.put('/v1/config', json.dumps(dict({'Kind': kind, 'Name': name}, **more))), 200, 'true')
    def becomes(config, upstream):
        def is_so():
            for p in (proxy(), catalog()['Proxy']):
                if p.get('Config') != config or p['Upstreams'][0].get('Config') != upstream:
                    return False
            return True
        wait_for(is_so, 30, config)
    entry('proxy-defaults', 'global', Config={'protocol': 'http', 'x': 1})
    own = {'Config': {'y': 2}, 'Upstreams': [{'DestinationName': 'db', 'LocalBindPort': 9}]}
    with_sidecar(one, 'central', sidecar={'Proxy': own})
    becomes({'protocol': 'http', 'x': 1, 'y': 2}, {'protocol': 'http'})
    hash = one.get('/v1/agent/service/central-sidecar-proxy')['X-Consul-ContentHash']
    entry('service-defaults', 'central', Protocol='grpc')
    becomes({'protocol': 'grpc', 'x': 1, 'y': 2}, {'protocol': 'http'})
    assert one.get('/v1/agent/service/central-sidecar-proxy')['X-Consul-ContentHash'] != hash
    entry('service-defaults', 'db', Protocol='tcp')
    becomes({'protocol': 'grpc', 'x': 1, 'y': 2}, {'protocol': 'tcp'})
    pid = one.daemon('agentd').kill()
    wait_for(lambda: one.daemon('agentd').restarted_since(pid), 30)
    wait_for(lambda: one.daemon('agentd').status()['items']['node.in_sync'] == 'yes', 60, 'in sync again')
    becomes({'protocol': 'grpc', 'x': 1, 'y': 2}, {'protocol': 'tcp'})
    for path in ('proxy-defaults/global', 'service-defaults/central', 'service-defaults/db'):
        equal(one.delete('/v1/config/' + path), 200)
    becomes({'y': 2}, None)
    put(one, 'service/deregister/central')
