"""xdsd towards proxies that are no Envoy: what it refuses, what it counts, and its resources, which are those of
tests/golden/envoy and which Envoy takes (mesh.md items 96, 102, 104 to 106, 109 to 115, 124, 156, 158)."""
import contextlib
import json
import os
import re
import tempfile
import time

import grpc

from ads import TYPES, Stream, Stubs, decoded
from cluster import ROOT, Cluster, wait_for
from envoy_sidecar import validate
from runner import fixture, test

EXPECT = ('stream.refused', 'proxy.nack')
GOLDEN = os.path.join(ROOT, 'tests', 'golden', 'envoy')
INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED


@fixture
def pb():
    with tempfile.TemporaryDirectory() as folder:
        yield Stubs(folder)


@fixture
def one():
    with Cluster(1, config={'connect': {'enabled': True}, 'ports': {'grpc': 8502}}) as c:
        wait_for(lambda: c[1].get('/v1/connect/ca/roots').status == 200, 20, 'a CA')
        yield c[1]


@contextlib.contextmanager
def stream(pb, one, *args, **kw):
    s = Stream(pb, one.ip, *args, **kw)
    try:
        yield s
    finally:
        s.close()


def put(one, path, body):
    a = one.put(path, json.dumps(body))
    assert a.status == 200, a


def register(one, id, service=None, port=20000, address='10.0.0.1', kind='connect-proxy', check=None, **proxy):
    body = {'Node': 'edge', 'Address': '10.0.0.9', 'Service': {
        'ID': id, 'Service': id, 'Kind': kind, 'Address': address, 'Port': port}}
    if kind:
        body['Service']['Proxy'] = dict({'DestinationServiceName': service or id, 'LocalServicePort': 8080}, **proxy)
    if check:
        body['Check'] = {'Name': 'c', 'CheckID': 'c-' + id, 'ServiceID': id, 'Status': check}
    put(one, '/v1/catalog/register', body)


def names(response):
    return sorted(r.name for r in response.resources)


# ---- bad input ----

@test
def mesh_104_a_type_is_required(pb, one):
    for delta in (True, False):
        with stream(pb, one, delta=delta) as s:
            s.ask('')
            assert s.ended() == (INVALID, 'type URL is required for ADS')


@test
def mesh_105_an_envoy_that_is_too_old_is_refused(pb, one):
    node = pb.core.Node(id='x', user_agent_name='envoy')
    version = node.user_agent_build_version.version
    version.major_number, version.minor_number, version.patch = 1, 25, 3
    with stream(pb, one, node=node) as s:
        s.ask('cluster')
        assert s.ended() == (INVALID, 'Envoy 1.25.3 is too old and is not supported by Curia')


@test
def mesh_106_unknown_types_are_ignored(pb, one):
    register(one, 'web106')
    before = one.daemon('xdsd').metric('xds.unknown_type')
    with stream(pb, one, 'web106') as s:
        s.ask('type.googleapis.com/envoy.config.nothing.v3.Nothing', ['a'])
        assert 'local_app' in s.resources('cluster')
    assert one.daemon('xdsd').metric('xds.unknown_type') == before + 1


@test
def issue_requests_that_are_none_are_refused(pb, one):
    with stream(pb, one) as s:
        s.requests.put(b'\xff\xff\xff')
        assert s.ended() == (INVALID, 'the request is no discovery request, or too large')
    with stream(pb, one, node=pb.core.Node()) as s:
        s.ask('cluster')
        assert s.ended() == (INVALID, 'node.id is required')
    with stream(pb, one) as s:
        s.node = None
        s.ask('cluster')
        assert s.ended() == (INVALID, 'the first request must name its node')
    with stream(pb, one, node=pb.core.Node(id='x' * 512)) as s:
        s.ask('cluster')
        assert s.ended()[0] == INVALID
    with stream(pb, one, method='FetchResources') as s:
        s.ask('cluster')
        assert s.ended()[0] == grpc.StatusCode.UNIMPLEMENTED


@test
def mesh_6_2_what_is_no_proxy_has_no_resources(pb, one):
    register(one, 'plain', kind='')
    with stream(pb, one, 'plain') as s:
        s.ask('cluster')
        assert s.ended() == (grpc.StatusCode.INTERNAL, 'Invalid service kind')


@test
def issue_requests_have_limits(pb, one):
    many = ['n%d' % i for i in range(16385)]
    for delta in (True, False):
        with stream(pb, one, delta=delta) as s:
            s.ask('endpoint', many)
            assert s.ended() == (EXHAUSTED, 'more than 16384 resources of one type')
    with stream(pb, one) as s:
        s.ask('endpoint', ['n' * 1025])
        assert s.ended() == (EXHAUSTED, 'a resource name is longer than 1024 bytes')
    with stream(pb, one, node=pb.core.Node(id='x', metadata=b'\x0a' * 5000000)) as s:
        s.ask('cluster')
        assert s.ended()[0] == EXHAUSTED


@test
def mesh_156_a_large_node_may_come_with_every_request(pb, one):
    register(one, 'web156')
    asks = one.daemon('xdsd').metric('xds.asks')
    with stream(pb, one, 'web156') as s:
        s.node.client_features.extend(['x' * 110] * 560)  # some 62 KB
        for i in range(200):
            s.ask('endpoint', ['e%d' % i])
        s.ask('cluster')
        while (response := s.next()).type_url != TYPES['cluster']:
            pass  # the first answer of a type comes, also when it is empty
        assert names(response) == ['local_app']
        assert one.daemon('xdsd').metric('xds.asks') == asks + 201


@test
def mesh_102_an_unknown_proxy_waits_in_silence(pb, one):
    with stream(pb, one, 'web102') as s:
        s.ask('cluster')
        wait_for(lambda: one.daemon('xdsd').metric('xds.proxies') > 0, 20, 'it is known')
        assert s.got.empty()
        register(one, 'web102')
        assert names(s.next()) == ['local_app']


@test
def mesh_96_what_was_refused_is_not_sent_again_until_it_changes(pb, one):
    up = [{'DestinationName': 'db96', 'LocalBindAddress': '127.0.0.1', 'LocalBindPort': 9000}]
    register(one, 'web96', Upstreams=up)
    xdsd = one.daemon('xdsd')
    with stream(pb, one, 'web96') as s:
        s.ask('cluster')
        first = s.next()
        key = '-----BEGIN EC PRIVATE KEY-----secret'
        nacks, acks, stale = (xdsd.metric('xds.' + name) for name in ('nacks', 'acks', 'stale'))
        s.ack(first, error='Error adding/updating cluster(s) x: no\n' + key)
        for _ in range(100):  # of a response that was answered already: stale
            s.ack(first, error='again')
        wait_for(lambda: xdsd.metric('xds.stale') >= stale + 100, 20, 'all were heard')
        assert xdsd.metric('xds.nacks') == nacks + 1 and xdsd.metric('xds.acks') == acks
        assert s.got.empty()
        register(one, 'web96', Upstreams=up, Config={'local_connect_timeout_ms': 1234})
        assert names(s.next()) == ['local_app']
    assert 'secret' not in one.logs(), 'a key has come into the log'


@test
def mesh_107_who_does_not_read_gets_the_newest_state_only(pb, one):
    up = [{'DestinationName': 'db107', 'LocalBindAddress': '127.0.0.1', 'LocalBindPort': 9000}]
    register(one, 'slow', Upstreams=up)
    register(one, 'quick', Upstreams=up)
    cluster = next(n for n in all_of(pb, one, 'quick', 'cluster') if n.startswith('db107'))
    xdsd = one.daemon('xdsd')
    with stream(pb, one, 'slow') as slow, stream(pb, one, 'quick') as quick:
        for s in (slow, quick):
            s.ask('endpoint', [cluster])
            s.ack(s.next())
        slow.reads.clear()
        before, begun = xdsd.metric('xds.pushes'), time.monotonic()
        for i in range(100):
            register(one, 'db107-proxy', 'db107', port=10000 + i)
        while (response := quick.next()) and ports(pb, response) != [10099]:
            quick.ack(response)
        # At most five a second to the quick one, and one under way to the slow one.
        pushes = xdsd.metric('xds.pushes') - before
        assert pushes <= 5 * (time.monotonic() - begun) + 5, pushes
        slow.reads.set()
        while (response := slow.next()) and ports(pb, response) != [10099]:
            slow.ack(response)


def ports(pb, response):
    found = [decoded(r.resource) for r in response.resources]
    return [e['endpoint']['address']['socket_address']['port_value'] for one in found for group in one['endpoints']
            for e in group.get('lb_endpoints', [])]


def all_of(pb, one, id, kind, names=(), delta=False):
    with stream(pb, one, id, delta=delta) as s:
        return s.resources(kind, names)


# ---- resources ----

def whole(pb, one, id):
    """All resources of a proxy, kind by kind."""
    with stream(pb, one, id, delta=False) as s:
        found = {'cluster': s.resources('cluster'), 'listener': s.resources('listener')}
        eds = [n for n, c in found['cluster'].items() if c['type'] == 'EDS']
        if eds:
            found['endpoint'] = s.resources('endpoint', eds)
        if 'rds' in json.dumps(found['listener']):
            found['route'] = s.resources('route', ['public_listener'])
        leaf = re.search('leaf:[a-z0-9]+', json.dumps(found)).group()
        found['secret'] = s.resources('secret', ['roots', leaf])
    return found


def plain(found, one):
    """Without what differs from run to run."""
    domain = one.get('/v1/connect/ca/roots').json()['TrustDomain']
    text = json.dumps(found, indent=1, sort_keys=True).replace(domain, 'TD')
    return re.sub(r'-----BEGIN [^"]*', 'PEM', text) + '\n'


def bootstrap(found):
    """The resources as Envoy starts with them; what a proxy only takes by name is put where it may stand."""
    hcm = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
    xds = {'name': 'xds', 'type': 'STATIC', 'connect_timeout': '1s', 'load_assignment': {'cluster_name': 'xds'}}
    clusters = [xds, *found['cluster'].values()]
    clusters += [{'name': 'of ' + name, 'type': 'STATIC', 'connect_timeout': '1s', 'load_assignment': one}
                 for name, one in found.get('endpoint', {}).items()]
    filters = [{'name': 'envoy.filters.http.' + name, 'typed_config': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.%s.v3.%s' % (name, kind)}}
        for name, kind in (('rbac', 'RBAC'), ('router', 'Router'))]
    listeners = [*found['listener'].values()]
    listeners += [{'name': 'of ' + name, 'address': {'socket_address': {'address': '127.0.0.1', 'port_value': 1}},
                   'filter_chains': [{'filters': [{'name': 'hcm', 'typed_config': {
                       '@type': hcm, 'stat_prefix': 'x', 'route_config': one, 'http_filters': filters}}]}]}
                  for name, one in found.get('route', {}).items()]
    return {
        'node': {'id': 'x', 'cluster': 'x'},
        'layered_runtime': {'layers': [{'name': 'base', 'static_layer': {
            'envoy.features.fail_on_any_deprecated_feature': True}}]},
        'static_resources': {'clusters': clusters, 'listeners': listeners, 'secrets': [*found['secret'].values()]},
        'dynamic_resources': {'ads_config': {'api_type': 'GRPC', 'transport_api_version': 'V3', 'grpc_services': {
            'envoy_grpc': {'cluster_name': 'xds'}}}}}


def upstream(name, port, **config):
    return {'DestinationName': name, 'LocalBindPort': port, 'Config': config}


def intend(one, destination, *sources):
    put(one, '/v1/config', {'Kind': 'service-intentions', 'Name': destination, 'Sources': list(sources)})


def l7(action, **http):
    return {'Action': action, 'HTTP': http}


@fixture
def proxies(one):
    """One of each shape, and what they call."""
    register(one, 'gtcp')
    intend(one, 'gtcp', {'Name': 'web', 'Action': 'deny'}, {'Name': 'a', 'Action': 'allow'},
           {'Name': '*', 'Action': 'deny'})
    for protocol in ('http', 'http2', 'grpc'):
        put(one, '/v1/config', {'Kind': 'service-defaults', 'Name': 'g' + protocol, 'Protocol': protocol})
        register(one, 'g' + protocol, LocalServiceAddress='127.0.0.2', Config={'local_connect_timeout_ms': 250})
    intend(one, 'ghttp', {'Name': 'web', 'Permissions': [
        l7('allow', PathPrefix='/admin', Methods=['GET', 'PUT']), l7('deny', PathExact='/x', Header=[
            {'Name': 'h', 'Present': True}, {'Name': 'i', 'Regex': 'a.*', 'Invert': True}]),
        l7('deny', PathRegex='/r[0-9]+')]}, {'Name': '*', 'Action': 'deny'})
    register(one, 'gnamed', LocalServiceAddress='app.example', address='', Config={
        'bind_address': '10.0.0.7', 'bind_port': 4444, 'protocol': 'http'})
    register(one, 'db1-proxy', 'gdb', port=21001, check='passing')
    register(one, 'db2-proxy', 'gdb', port=21002, check='critical')
    register(one, 'db3-proxy', 'gdb', port=21003, address='a.name.that.is.no.ip')
    register(one, 'gclient', Upstreams=[
        upstream('gdb', 9001, connect_timeout_ms=1500, limits={'max_connections': 0, 'max_concurrent_requests': 9},
                 passive_health_check={'interval': '10s', 'max_failures': 3, 'max_ejection_percent': 100}),
        upstream('gapi', 9002, protocol='http'), upstream('ghttp2', 9003), upstream('ggrpc', 9004),
        dict(upstream('gfar', 9005), Datacenter='dc2')])
    known = one.get('/v1/catalog/service/gclient').index  # or a first answer would be followed by others
    wait_for(lambda: int(one.daemon('xdsd').status()['items']['feed.index']) >= known, 20, 'xdsd knows all of it')
    yield ['gtcp', 'ghttp', 'ghttp2', 'ggrpc', 'gnamed', 'gclient']


@test
def mesh_109_to_124_resources_are_those_of_the_golden_files(pb, one, proxies):
    wrong = []
    for id in proxies:
        path = os.path.join(GOLDEN, id[1:] + '.json')
        text = plain(whole(pb, one, id), one)
        if os.environ.get('CURIA_GOLDEN') == 'write':
            os.makedirs(GOLDEN, exist_ok=True)
            with open(path, 'w') as f:
                f.write(text)
        with open(path) as f:
            if f.read() != text:
                wrong.append('%s: %s' % (path, text))
    assert not wrong, '\n'.join(wrong)


@test
def mesh_158_envoy_takes_them_and_calls_nothing_deprecated(pb, one, proxies):
    for id in proxies:
        said = validate(bootstrap(whole(pb, one, id)), os.path.join(one.dir, id + '.json'))
        assert not said, (id, said)
    bad = whole(pb, one, 'gtcp')
    bad['listener'] = {k: dict(v, address={}) for k, v in bad['listener'].items()}
    assert validate(bootstrap(bad), os.path.join(one.dir, 'bad.json')), 'it takes anything'


@test
def mesh_99_delta_and_state_of_the_world_say_the_same(pb, one, proxies):
    for id in proxies:
        assert all_of(pb, one, id, 'cluster', delta=True) == all_of(pb, one, id, 'cluster'), id
        assert all_of(pb, one, id, 'listener', delta=True) == all_of(pb, one, id, 'listener'), id
