"""Certificates and intentions as an agent serves them: http-api.md 5.10 items 221, 226, 228; mesh.md 10 items 4 to 7, 10
to 12, 16 to 19, 51, 56, 60."""
import json
import os
import ssl
import subprocess
import tempfile
import threading

from cluster import Cluster, wait_for
from discovery import equal
from http1 import Http
from runner import fixture, test

EXPECT = ('leaf.renew',)
LEAF = '/v1/agent/connect/ca/leaf/'
CONFIG = '/v1/connect/ca/configuration'
INTENTIONS = '/v1/connect/intentions'


def cluster(**config):
    return Cluster(1, config=dict({'connect': {'enabled': True}}, **config))


def has_ca(node):
    wait_for(lambda: node.get('/v1/connect/ca/roots').status == 200, 30, 'a CA')
    return node


@fixture
def one():
    with cluster() as c:
        yield has_ca(c[1])


@fixture
def denying():
    with cluster(default_intention_policy='deny') as c:
        yield has_ca(c[1])


def handshake(leaf, root):
    """The certificate that a server with the leaf presents to a client that trusts the root."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'leaf')
        with open(path, 'w') as f:
            f.write(leaf['CertPEM'] + leaf['PrivateKeyPEM'])
        server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        server.load_cert_chain(path)
    client.check_hostname = False
    client.load_verify_locations(cadata=root)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [server.wrap_bio(to_server, to_client, server_side=True), client.wrap_bio(to_client, to_server)]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
                presented = end.getpeercert() if not end.server_side else presented
            except ssl.SSLWantReadError:
                pass
    return presented


def seconds(text):
    return ssl.cert_time_to_seconds(text)


@test
def http_228_a_leaf_of_a_service(one):
    a = one.get(LEAF + 'web')
    equal(a, 200)
    leaf = a.json()
    roots = one.get('/v1/connect/ca/roots').json()
    uri = 'spiffe://%s/ns/default/dc/dc1/svc/web' % roots['TrustDomain']
    assert list(leaf) == ['SerialNumber', 'CertPEM', 'PrivateKeyPEM', 'Service', 'ServiceURI', 'ValidAfter', 'ValidBefore',
                          'CreateIndex', 'ModifyIndex'], leaf
    assert leaf['Service'] == 'web' and leaf['ServiceURI'] == uri and a.index == leaf['ModifyIndex'], leaf
    assert leaf['PrivateKeyPEM'].startswith('-----BEGIN EC PRIVATE KEY-----\n'), leaf
    presented = handshake(leaf, roots['Roots'][0]['RootCert'])
    assert presented['subjectAltName'] == (('URI', uri),), presented
    assert seconds(presented['notAfter']) - seconds(presented['notBefore']) == 72 * 3600, presented
    names = dict(n[0] for n in presented['subject'])
    assert names['commonName'] == 'web.svc.default.%s.consul' % roots['TrustDomain'][:8], presented
    again = one.get(LEAF + 'web')
    equal(again, 200, a.text)
    assert a['X-Cache'] == 'MISS' and again['X-Cache'] == 'HIT' and again['Age'] is not None, again
    other = one.get(LEAF + 'db').json()
    number = [int(x['SerialNumber'].replace(':', ''), 16) for x in (leaf, other)]
    assert number[0] < number[1] and other['PrivateKeyPEM'] != leaf['PrivateKeyPEM'], number
    equal(one.get(LEAF), 500, 'URI must be either service or agent')


@test
def mesh_7_who_has_the_leaf_waits_for_another(one):
    a = one.get(LEAF + 'waiting')
    b = one.get(LEAF + 'waiting?index=%d&wait=300ms' % a.index)
    equal(b, 200, a.text)
    assert b.seconds >= 0.3 and b.index == a.index, b


@test
def mesh_18_many_at_once_are_served_or_told_to_come_again(one):
    got = []
    def ask(i):
        got.append(Http(one.ip).get(LEAF + 'many%d' % i))
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert len(got) == 40 and {a.status for a in got} <= {200, 429}, got
    assert all(a.text == 'Rate limit reached, try again later' for a in got if a.status == 429), got
    assert any(a.status == 200 for a in got), got


@test
def the_agents_roots_come_from_memory(one):
    first = one.get('/v1/agent/connect/ca/roots')
    equal(first, 200, one.get('/v1/connect/ca/roots').text)
    again = one.get('/v1/agent/connect/ca/roots')
    equal(again, 200, first.text)
    assert again['X-Cache'] == 'HIT' and again.index == first.index, again
    pem = one.get('/v1/agent/connect/ca/roots?pem=true')
    equal(pem, 200, first.json()['Roots'][0]['RootCert'])


# ---- what is signed ----

def csr(uri):
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/c', 'w') as f:
            f.write('[req]\ndistinguished_name=dn\nreq_extensions=ext\n[dn]\n[ext]\nsubjectAltName=URI:%s\n' % uri)
        return subprocess.run(
            ['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null',
             '-subj', '/CN=x', '-config', folder + '/c'], check=True, capture_output=True, timeout=60).stdout.decode()


@test
def mesh_17_what_is_no_request_of_ours_is_refused(one):
    catalogd = one.daemon('catalogd')
    domain = one.get('/v1/connect/ca/roots').json()['TrustDomain']
    service = 'spiffe://%s/ns/default/dc/%s/svc/web'
    def refused(text, of):
        try:
            catalogd.call('ConnectCa.Sign', {'csr': of})
        except RuntimeError as e:
            assert text in str(e), e
        else:
            raise AssertionError('signed: ' + of)
    assert '-----BEGIN CERTIFICATE-----' in catalogd.call('ConnectCa.Sign', {'csr': csr(service % (domain, 'dc1'))})['cert']
    refused('SPIFFE ID in CSR from a different datacenter: dc2, we are dc1', csr(service % (domain, 'dc2')))
    refused('SPIFFE ID in CSR from a different trust domain: x.consul, we are ' + domain, csr(service % ('x.consul', 'dc1')))
    refused('SPIFFE ID in CSR must be a service or agent ID', csr('spiffe://' + domain))
    refused("SPIFFE ID must have 'spiffe' scheme", csr('http://example.com'))
    refused('SPIFFE ID is not in the expected format: spiffe://a/b', csr('spiffe://a/b'))
    refused('', 'nonsense')


# ---- configuration ----

@test
def mesh_10_11_12_16_the_configuration_of_the_ca(one):
    a = one.get(CONFIG)
    found = a.json()
    assert list(found) == ['Provider', 'Config', 'State', 'ForceWithoutCrossSigning', 'CreateIndex', 'ModifyIndex'], found
    assert found['Provider'] == 'consul' and found['State'] is None and found['ForceWithoutCrossSigning'] is False, found
    assert found['Config'] == {'IntermediateCertTTL': '8760h', 'LeafCertTTL': '72h', 'RotationPeriod': '2160h'}, found
    root = one.get('/v1/connect/ca/roots').json()['ActiveRootID']
    def put(body, status=200, text=''):
        equal(one.put(CONFIG, json.dumps(body)), status, text)
    put(found)
    put({'Provider': 'consul', 'Config': {'LeafCertTTL': '30m'}}, 500,
        'error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s')
    put({'Provider': 'zz', 'Config': {}}, 500, 'could not initialize provider: unknown CA provider "zz"')
    put(dict(found, State={'a': 'b'}), 400,
        'Bad request: Provider State is read-only. It must be omitted or identical to the current value')
    put({'Provider': 'consul', 'Config': {'LeafCertTTL': '2h', 'CSRMaxPerSecond': 100}})
    assert one.get(CONFIG).json()['Config'] == {'CSRMaxPerSecond': 100, 'LeafCertTTL': '2h'}, one.get(CONFIG)
    assert one.get('/v1/connect/ca/roots').json()['ActiveRootID'] == root
    def shorter():
        leaf = one.get(LEAF + 'shorter').json()
        return seconds_of(leaf['ValidBefore']) - seconds_of(leaf['ValidAfter']) == 2 * 3600
    assert shorter()
    put(found)


def seconds_of(text):
    import calendar
    import time
    return calendar.timegm(time.strptime(text, '%Y-%m-%dT%H:%M:%SZ'))


@test
def a_leaf_is_renewed_under_who_waits_for_it(one):
    kept = one.get(CONFIG).json()
    body = {'Provider': 'consul', 'Config': {'LeafCertTTL': '65s', 'SkipValidate': True}}  # 60 s of it lie in the past
    equal(one.put(CONFIG, json.dumps(body)), 200)
    first = one.get(LEAF + 'short')
    equal(first, 200)
    second = one.get(LEAF + 'short?index=%d&wait=60s' % first.index, timeout=120)
    equal(second, 200)
    assert second.index > first.index and second.json()['PrivateKeyPEM'] != first.json()['PrivateKeyPEM'], second
    equal(one.put(CONFIG, json.dumps(kept)), 200)


# ---- intentions ----

@test
def http_221_an_intention_by_its_id(one):
    body = {'SourceName': 'a', 'DestinationName': 'i221', 'Action': 'allow', 'Meta': {'k': 'v'}, 'Description': 'd'}
    a = one.post(INTENTIONS, json.dumps(body))
    equal(a, 200)
    id = a.json()['ID']
    assert len(id) == 36, a
    found = one.get(INTENTIONS + '/' + id).json()
    assert found['ID'] == id and found['Precedence'] == 9 and found['SourceNS'] == 'default', found
    assert found['Meta'] == {'k': 'v'} and found['Description'] == 'd' and found['CreatedAt'].endswith('Z'), found
    source, = one.get('/v1/config/service-intentions/i221').json()['Sources']
    assert source['LegacyID'] == id and source['LegacyMeta'] == {'k': 'v'}, source
    equal(one.post(INTENTIONS, json.dumps(body)), 500, 'Sources[1] defines "a" more than once')
    equal(one.post(INTENTIONS, json.dumps(dict(body, ID=id))), 500, 'ID must be empty when creating a new intention')
    equal(one.post(INTENTIONS, json.dumps(dict(body, Permissions=[{'Action': 'allow'}]))), 500,
          'Permissions must not be set when using the legacy APIs')
    equal(one.put(INTENTIONS + '/' + id, json.dumps(dict(body, Action='deny'))), 200, '{"ID":"%s"}' % id)
    assert one.get(INTENTIONS + '/' + id).json()['Action'] == 'deny'
    equal(one.put(INTENTIONS + '/' + id, json.dumps(dict(body, DestinationName='z'))), 500,
          'Cannot modify DestinationNS or DestinationName for an intention once it exists.')
    equal(one.delete(INTENTIONS + '/' + id), 200, 'true')
    equal(one.get(INTENTIONS + '/' + id), 404, 'Intention not found')


def authorize(node, source, target, status=200):
    uri = 'spiffe://other.consul/ns/default/dc/dc9/svc/' + source
    a = node.post('/v1/agent/connect/authorize', json.dumps({'Target': target, 'ClientCertURI': uri}))
    equal(a, status)
    return a.json()


@test
def http_226_who_may_come_in(one):
    assert authorize(one, 'x', 'y226') == {'Authorized': True, 'Reason': 'ACLs disabled, access is allowed by default'}
    for action, words in (('allow', 'ALLOW'), ('deny', 'DENY')):
        equal(one.put(INTENTIONS + '/exact?source=c&destination=y226', json.dumps({'Action': action})), 200)
        expected = {'Authorized': action == 'allow',
                    'Reason': 'Matched L4 intention: default/c => default/y226 (Precedence: 9, Action: %s)' % words}
        wait_for(lambda: authorize(one, 'c', 'y226') == expected, 30, expected)
    a = one.post('/v1/agent/connect/authorize', json.dumps({'Target': 'y', 'ClientCertURI': 'spiffe://x/y'}))
    equal(a, 400, 'Bad request: ClientCertURI not a valid Connect identifier')
    equal(one.post('/v1/agent/connect/authorize', b'{}'), 400, 'Bad request: Target service must be specified')


@test
def cli_54_56_intentions_by_command(one):
    def run(*args, code=0, out=None):
        done = one.curia('intention', *args, timeout=60)
        assert done.returncode == code and (out is None or done.stdout.decode() == out), done
        return done
    run('create', '-deny', '-meta', 'k=v', 'cw', 'cd', out='Created: cw => cd (deny)\n')
    again = run('create', '-deny', 'cw', 'cd', code=1)
    assert b'Sources[1] defines "cw" more than once' in again.stderr, again
    run('check', 'cw', 'cd', code=1, out='Denied\n')
    assert b'Meta[k]:      v\n' in run('get', 'cw', 'cd').stdout
    run('create', '-replace', '-allow', 'cw', 'cd', out='Replaced: cw => cd (allow)\n')
    run('check', 'cw', 'cd', out='Allowed\n')
    run('match', '-source', 'cw', out='cw => cd (allow)\n')
    assert b' cw ' in run('list').stdout
    run('delete', 'cw', 'cd', out='Intention deleted.\n')
    assert b'Intention not found' in run('get', 'cw', 'cd', code=1).stderr


@test
def what_no_intention_decides_is_denied_where_the_configuration_says_so(denying):
    check = INTENTIONS + '/check?source=a&destination=b'
    equal(denying.get(check), 200, '{"Allowed":false}')
    assert authorize(denying, 'a', 'b') == {'Authorized': False, 'Reason': 'Default behavior configured by ACLs'}
    equal(denying.put(INTENTIONS + '/exact?source=a&destination=b', json.dumps({'Action': 'allow'})), 200)
    equal(denying.get(check), 200, '{"Allowed":true}')
    wait_for(lambda: authorize(denying, 'a', 'b')['Authorized'], 30, 'access')
