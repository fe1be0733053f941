"""Tokens at xdsd and dnsd: who is given the configuration of a proxy, for how long, and what DNS may see (mesh.md items
42, 103; dns.md item 70; the issue's tokens that vanish in mid-stream)."""
import contextlib
import json
import os
import signal
import tempfile

import grpc

from ads import Stream, Stubs
from cluster import Cluster, wait_for
from dig import dig
from envoy_sidecar import Sidecar
from runner import fixture, test

EXPECT = ('stream.refused', 'mirror.refused', 'sync.blocked', 'daemon.ended')
OWN = 'aaaaaaaa-0000-4000-8000-000000000002'  # the daemons' own token
UNKNOWN = (grpc.StatusCode.UNAUTHENTICATED, 'unauthenticated: ACL not found')
DENIED = (grpc.StatusCode.PERMISSION_DENIED, 'permission denied')
READ_ALL = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" intentions = "read" }'


class Manager:
    """The node, asked with the token that may everything."""

    def __init__(self, node, secret):
        self.node, self.ip, self.secret = node, node.ip, secret
        self.headers = {'X-Consul-Token': secret}

    def put(self, path, body):
        answer = self.node.put('/v1/' + path, json.dumps(body), headers=self.headers)
        assert answer.status == 200, answer
        return answer.json() if answer.text else None

    def delete(self, path):
        answer = self.node.delete('/v1/' + path, headers=self.headers)
        assert answer.status == 200, answer

    def policy(self, name, rules):
        return self.put('acl/policy', {'Name': name, 'Rules': rules})['ID']

    def token(self, *policies, secret=None):
        body = {'Policies': [{'ID': p} for p in policies]}
        return self.put('acl/token', dict(body, SecretID=secret) if secret else body)

    def register(self, name, service=None):
        """A proxy before `service`; without one a plain service."""
        body = {'ID': name, 'Service': name, 'Address': '10.0.0.1', 'Port': 20000}
        if service:
            body.update(Kind='connect-proxy', Proxy={'DestinationServiceName': service, 'LocalServicePort': 8080})
        self.put('catalog/register', {'Node': 'edge', 'Address': '10.0.0.9', 'Service': body})


def good(answer):
    return answer if answer.status == 200 else None


@fixture
def pb():
    with tempfile.TemporaryDirectory() as folder:
        yield Stubs(folder)


@fixture
def one():
    config = {'connect': {'enabled': True}, 'ports': {'grpc': 8502},
              'acl': {'enabled': True, 'default_policy': 'deny', 'token_ttl': '1s',
                      'tokens': {'default': OWN}}}
    with Cluster(1, config=config) as c:
        first = wait_for(lambda: good(c[1].put('/v1/acl/bootstrap')), 20, 'a manager')
        yield Manager(c[1], first.json()['SecretID'])


@fixture
def seen(one):
    """The same, once the daemons' own token is there."""
    read = one.policy('read-all', READ_ALL)
    own = one.token(read, secret=OWN)
    one.register('plain')
    wait_for(lambda: addresses(one, 'plain') == ['10.0.0.1'], 20, 'the view of DNS')
    yield one, read, own


@contextlib.contextmanager
def stream(pb, one, proxy, token=None, **kw):
    s = Stream(pb, one.ip, proxy, token=token, **kw)
    try:
        yield s
    finally:
        s.close()


def refusal(pb, one, proxy, token=None, **kw):
    with stream(pb, one, proxy, token, **kw) as s:
        s.ask('cluster')
        ended = s.ended()
        assert s.got.empty()
        return ended


def addresses(one, service):
    return [line.split()[-1] for line in dig(one.ip, service + '.service.consul').answer]


def status(one, service):
    return dig(one.ip, service + '.service.consul').status


# ---- DNS ----

@test
def dns_70_an_unknown_default_token_answers_nobody(one):
    assert wait_for(lambda: status(one, 'plain'), 20, 'an answer') == 'SERVFAIL'


@test
def dns_70_what_the_default_token_may_not_read_is_not_there(seen):
    one, read, own = seen
    one.register('other')
    wait_for(lambda: addresses(one, 'other') == ['10.0.0.1'], 20, 'a service that may be read')
    one.put('acl/policy/' + read, {'Name': 'read-all', 'Rules': READ_ALL + ' service "other" { policy = "deny" }'})
    wait_for(lambda: status(one, 'other') == 'NXDOMAIN', 20, 'a service that may not be read')
    assert addresses(one, 'plain') == ['10.0.0.1']
    one.put('acl/policy/' + read, {'Name': 'read-all', 'Rules': READ_ALL})
    wait_for(lambda: addresses(one, 'other') == ['10.0.0.1'], 20, 'that it may be read again')


# ---- streams ----

@test
def mesh_103_a_stream_needs_a_token_that_may_write_its_service(pb, seen):
    one, read, own = seen
    weak = one.token(read)['SecretID']
    good = one.token(one.policy('write-web', 'service "web" { policy = "write" }'))['SecretID']
    one.register('web-proxy', 'web')
    with stream(pb, one, 'web-proxy', good) as s:  # its proxy is known now, and has a certificate
        assert 'local_app' in s.resources('cluster')
        for delta in (True, False):
            assert refusal(pb, one, 'web-proxy', delta=delta) == DENIED
            assert refusal(pb, one, 'web-proxy', weak, delta=delta) == DENIED
            assert refusal(pb, one, 'web-proxy', '12345678-1111-4111-8111-111111111111', delta=delta) == UNKNOWN
        assert refusal(pb, one, 'web-proxy', 'deny') == (grpc.StatusCode.INTERNAL, 'Cannot resolve root ACL')
        one.register('db-proxy', 'db')
        assert refusal(pb, one, 'db-proxy', good) == DENIED
        assert s.error is None and s.got.empty()
    identity = one.put('acl/token', {'ServiceIdentities': [{'ServiceName': 'db'}]})['SecretID']
    with stream(pb, one, 'db-proxy', identity, delta=False) as s:
        assert 'local_app' in s.resources('cluster')


@test
def issue_5_a_token_that_vanishes_ends_its_stream(pb, seen):
    one, read, own = seen
    write = one.policy('write-gone', 'service "gone" { policy = "write" }')
    first, second = one.token(write), one.token(write)
    one.register('gone-proxy', 'gone')
    denied = one.node.daemon('xdsd').metric('xds.streams.denied')
    with stream(pb, one, 'gone-proxy', first['SecretID']) as a, stream(pb, one, 'gone-proxy', second['SecretID']) as b:
        assert 'local_app' in a.resources('cluster')
        assert 'local_app' in b.resources('cluster')
        one.delete('acl/token/' + first['AccessorID'])
        assert a.ended() == UNKNOWN
        one.put('acl/policy/' + write, {'Name': 'write-gone', 'Rules': 'service "gone" { policy = "read" }'})
        assert b.ended() == DENIED
        assert a.got.empty() and b.got.empty()  # nothing was taken back: what they have they keep
    assert one.node.daemon('xdsd').metric('xds.streams.denied') >= denied + 2


@test
def mesh_103_a_right_that_comes_later_is_enough(pb, seen):
    one, read, own = seen
    late = one.policy('late', READ_ALL)
    token = one.token(late)['SecretID']
    one.register('late-proxy', 'late')
    assert refusal(pb, one, 'late-proxy', token) == DENIED
    one.put('acl/policy/' + late, {'Name': 'late', 'Rules': 'service "late" { policy = "write" }'})

    def is_served():
        with stream(pb, one, 'late-proxy', token) as s:
            s.ask('cluster')
            wait_for(lambda: s.error or not s.got.empty(), 20, 'an answer or the end')
            return not s.got.empty()
    wait_for(is_served, 20, 'what its proxy is told')


@test
def mesh_103_an_envoy_whose_token_vanishes_keeps_what_it_has(seen):
    one, read, own = seen
    rules = 'service "app" { policy = "write" } service "app-sidecar-proxy" { policy = "write" } agent_prefix "" { policy = "read" }'
    token = one.token(one.policy('write-app', rules + READ_ALL))
    one.put('agent/token/agent', {'Token': one.secret})
    one.put('agent/service/register', {'Name': 'app', 'Address': one.ip, 'Port': 8080, 'Token': token['SecretID'],
                                       'Connect': {'SidecarService': {'Proxy': {'LocalServiceAddress': one.ip}}}})
    envoy = Sidecar(one.node, 'app', one.ip, more=['-token', token['SecretID']])
    try:
        envoy.wait()
        assert envoy.total('control_plane.connected_state') == 1
        updates = envoy.total('listener_manager.lds.update_success')
        one.delete('acl/token/' + token['AccessorID'])
        wait_for(lambda: envoy.total('control_plane.connected_state') == 0, 20, 'the end of its stream')
        assert envoy.is_ready()
        assert envoy.total('listener_manager.lds.update_success') == updates
    finally:
        envoy.stop()


# ---- the bootstrap ----

@test
def mesh_42_the_bootstrap_bears_the_token(seen):
    one, read, own = seen
    path = os.path.join(one.node.dir, 'token')
    with open(path, 'w') as f:
        f.write(one.secret + '\n')
    one.register('boot-proxy', 'boot')
    for more in (['-token=' + one.secret], ['-token-file=' + path]):
        done = one.node.curia('connect', 'envoy', '-proxy-id=boot-proxy', '-node-name=edge', '-bootstrap',
                              '-grpc-addr=%s:8502' % one.ip, *more)
        assert done.returncode == 0, done.stderr.decode()
        services = json.loads(done.stdout)['dynamic_resources']['ads_config']['grpc_services']
        services = services if isinstance(services, list) else [services]
        assert services[0]['initial_metadata'] == [{'key': 'x-consul-token', 'value': one.secret}], services


# ---- without a token of its own, and with one that is taken away ----

@test
def dns_70_without_a_default_token_dns_sees_what_anybody_may(seen):
    one, read, own = seen
    one.delete('acl/token/' + own['AccessorID'])
    wait_for(lambda: status(one, 'plain') == 'SERVFAIL', 20, 'that its token is no more')
    del one.node.config['acl']['tokens']['default']
    one.node.write_config()
    one.node.process.send_signal(signal.SIGHUP)
    wait_for(lambda: status(one, 'plain') == 'NXDOMAIN', 20, 'the view of the anonymous token')


@test
def dns_70_the_default_token_may_be_set_over_http(seen):
    one, read, own = seen
    token = one.token(read)['SecretID']
    assert one.node.put('/v1/agent/token/default', json.dumps({'Token': token}),
                        headers=one.headers).status == 200
    wait_for(lambda: addresses(one, 'plain') == ['10.0.0.1'], 20, 'the view of the token that was set')
    dnsd = one.node.daemon('dnsd')
    pid = dnsd.kill()
    wait_for(lambda: dnsd.restarted_since(pid), 20, 'another dnsd')
    one.register('newer')
    wait_for(lambda: addresses(one, 'newer') == ['10.0.0.1'], 20, 'that it was told, too')
