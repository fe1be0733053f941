"""http-api.md 5.10 items 213 to 217, 220, 222 to 225 and 227, on one server with the mesh on."""
import json
import threading

from cluster import Cluster, wait_for
from discovery import equal
from http1 import Http
from runner import fixture, test

BAD = 'Bad request: Request decoding failed: '


@fixture
def one():
    with Cluster(1, config={'connect': {'enabled': True}}) as c:
        wait_for(lambda: c[1].get('/v1/connect/ca/roots').status == 200, 10, 'a CA')
        yield c[1]


def put(node, body, query='', status=200, text='true'):
    equal(node.put('/v1/config' + query, json.dumps(body)), status, text)


def entry(node, name):
    a = node.get('/v1/config/' + name)
    equal(a, 200)
    return a.json()


def exact(source, destination):
    return '/v1/connect/intentions/exact?source=%s&destination=%s' % (source, destination)


# ---- entries ----

@test
def http_213_what_cannot_be_decoded_is_a_400(one):
    put(one, {}, status=400, text=BAD + 'Payload does not contain a kind/Kind key at the top level')
    put(one, {'Kind': 1}, status=400, text=BAD + 'Kind value in payload is not a string')
    put(one, {'Kind': 'bogus', 'Name': 'x'}, status=400, text=BAD + 'invalid config entry kind: bogus')
    put(one, {'Kind': 'service-defaults', 'Name': 'x', 'Bogus': 1}, status=400,
        text=BAD + '1 error occurred:\n\t* invalid config key "Bogus"\n\n')
    put(one, [], status=400, text=BAD + "'' expected a map, got 'slice'")
    equal(one.put('/v1/config', b'{'), 400, BAD + 'unexpected EOF')


@test
def http_214_names_are_read_in_any_spelling_and_written_in_one(one):
    put(one, {'kind': 'service-defaults', 'name': 'w214', 'protocol': 'HTTP', 'mesh_gateway': {'mode': 'local'},
              'external_sni': 'sni', 'meta': {'b': '2', 'a': '1'}})
    a = one.get('/v1/config/service-defaults/w214')
    i = a.index
    equal(a, 200, '{"Kind":"service-defaults","Name":"w214","Protocol":"http","MeshGateway":{"Mode":"local"},'
          '"Expose":{},"ExternalSNI":"sni","Meta":{"a":"1","b":"2"},"CreateIndex":%d,"ModifyIndex":%d}' % (i, i))
    assert one.get('/v1/config/service-defaults').json()[-1] == a.json()


@test
def http_215_what_is_not_there_and_what_cannot_be(one):
    a = one.get('/v1/config/service-defaults/nope')
    equal(a, 404, 'Config entry not found for "service-defaults" / "nope"')
    assert a.index >= 1 and a['X-Consul-KnownLeader'] == 'true', a
    equal(one.get('/v1/config/bogus'), 500, 'invalid config entry kind: bogus')
    equal(one.get('/v1/config/bogus/x'), 500, 'invalid config entry kind: bogus')
    put(one, {'Kind': 'service-intentions', 'Name': 'x', 'Sources': []}, status=500,
        text='At least one source is required')


@test
def http_216_cas(one):
    body = {'Kind': 'service-defaults', 'Name': 'c216', 'Protocol': 'tcp'}
    put(one, body, '?cas=0')
    put(one, body, '?cas=0', text='false')
    at = entry(one, 'service-defaults/c216')['ModifyIndex']
    put(one, body, '?cas=%d' % (at + 1), text='false')
    put(one, body, '?cas=%d' % at)
    assert entry(one, 'service-defaults/c216')['ModifyIndex'] > at  # though nothing has changed
    put(one, body, '?cas=x', status=500, text='strconv.ParseUint: parsing "x": invalid syntax')


@test
def http_217_proxy_defaults_are_global(one):
    put(one, {'Kind': 'proxy-defaults', 'Name': 'whatever', 'Config': {'protocol': 'http', 'n': 1}})
    found = entry(one, 'proxy-defaults/global')
    assert found['Name'] == 'global' and found['Config'] == {'protocol': 'http', 'n': 1}, found
    # The protocol counts for those that have none of their own (mesh.md 4.11).
    http = {'Action': 'allow', 'HTTP': {'PathPrefix': '/'}}
    body = {'Kind': 'service-intentions', 'Name': 'p217', 'Sources': [{'Name': 'a', 'Permissions': [http]}]}
    put(one, body)
    a = one.delete('/v1/config/proxy-defaults/global')
    assert a.status == 500 and 'incompatible with L7 intentions permissions' in a.text, a
    equal(one.delete('/v1/config/service-intentions/p217'), 200, '{}')
    equal(one.delete('/v1/config/proxy-defaults/global'), 200, '{}')
    put(one, body, status=500, text='service "p217" has protocol "tcp", which is incompatible with L7 intentions '
                                    'permissions')


@test
def http_220_delete(one):
    equal(one.delete('/v1/config/service-defaults/nope'), 200, '{}')
    equal(one.delete('/v1/config/service-defaults'), 404, 'Must provide both a kind and name to delete')
    equal(one.delete('/v1/config/bogus/x'), 400, 'invalid config entry kind: bogus')


@test
def one_entry_wakes_only_those_who_wait_for_it(one):
    put(one, {'Kind': 'service-defaults', 'Name': 'wait', 'Protocol': 'tcp'})
    before = one.get('/v1/config/service-defaults/wait').index
    got = []
    path = '/v1/config/service-defaults/wait?index=%d&wait=20s' % before
    waiter = threading.Thread(target=lambda: got.append(Http(one.ip).get(path)))
    waiter.start()
    put(one, {'Kind': 'service-defaults', 'Name': 'other', 'Protocol': 'tcp'})
    put(one, {'Kind': 'service-defaults', 'Name': 'wait', 'Protocol': 'http'})
    waiter.join(20)
    assert got and got[0].json()['Protocol'] == 'http' and got[0].index > before, got


# ---- the CA ----

@test
def http_227_roots(one):
    a = one.get('/v1/connect/ca/roots')
    equal(a, 200)
    assert a.index > 1, a
    found = a.json()
    root, = found['Roots']
    assert root['Active'] and root['ID'] == found['ActiveRootID'], found
    assert found['TrustDomain'] == root['ExternalTrustDomain'] + '.consul', found
    assert list(root) == ['ID', 'Name', 'SerialNumber', 'SigningKeyID', 'ExternalTrustDomain', 'NotBefore', 'NotAfter',
                          'RootCert', 'IntermediateCerts', 'Active', 'PrivateKeyType', 'PrivateKeyBits',
                          'CreateIndex', 'ModifyIndex'], root
    assert int(root['NotAfter'][:4]) == int(root['NotBefore'][:4]) + 10 and root['NotBefore'].endswith('Z'), root
    pem = one.get('/v1/connect/ca/roots?pem=true')
    equal(pem, 200, root['RootCert'])
    assert pem['Content-Type'] == 'application/pem-certificate-chain', pem
    equal(one.get('/v1/connect/ca/roots?pem=false'), 200, a.text)
    equal(one.get('/v1/connect/ca/roots?pem=zz'), 400,
          "Bad request: The 'pem' query parameter must be a boolean value")
    waited = one.get('/v1/connect/ca/roots?index=%d&wait=300ms' % a.index)
    equal(waited, 200, a.text)
    assert waited.seconds >= 0.3 and waited.index == a.index, waited


# ---- intentions ----

@test
def http_222_an_intention_by_its_names(one):
    equal(one.put(exact('*', 'i222'), json.dumps({'Action': 'deny', 'SourceName': 'ignored'})), 200, 'true')
    a = one.get(exact('*', 'i222'))
    equal(a, 200)
    assert a['X-Consul-Index'] is None, a
    found = a.json()
    assert found.pop('CreateIndex') == found.pop('ModifyIndex'), found
    assert list(found.items()) == [
        ('SourceNS', 'default'), ('SourceName', '*'), ('DestinationNS', 'default'), ('DestinationName', 'i222'),
        ('SourceType', 'consul'), ('Action', 'deny'), ('Precedence', 8)], found
    source, = entry(one, 'service-intentions/i222')['Sources']
    assert source == {'Name': '*', 'Action': 'deny', 'Precedence': 8, 'Type': 'consul'}, source
    equal(one.put(exact('default/a', 'default/i222'), json.dumps({'Action': 'allow'})), 200, 'true')
    assert [s['Name'] for s in entry(one, 'service-intentions/i222')['Sources']] == ['a', '*']
    listed = [i for i in one.get('/v1/connect/intentions').json() if i['DestinationName'] == 'i222']
    assert [(i['SourceName'], i['Precedence']) for i in listed] == [('a', 9), ('*', 8)], listed
    for source in ('a', '*'):
        equal(one.delete(exact(source, 'i222')), 200, 'true')
    equal(one.get('/v1/config/service-intentions/i222'), 404)  # it went with its last source


@test
def http_223_an_intention_that_is_not_there(one):
    a = one.get(exact('a', 'zz'))
    equal(a, 404, 'Intention not found')
    equal(one.delete(exact('a', 'zz')), 200, 'true')
    one.put(exact('b', 'zz'), json.dumps({'Action': 'allow'}))
    equal(one.delete(exact('a', 'zz')), 200, 'true')
    equal(one.get(exact('b', 'zz')), 200)
    equal(one.delete(exact('b', 'zz')), 200, 'true')


@test
def http_224_match(one):
    match = '/v1/connect/intentions/match?'
    a = one.get(match + 'by=destination&name=nope')
    equal(a, 200, '{"nope":null}')
    assert a.index >= 1 and a['X-Consul-Effective-Consistency'] == 'leader', a
    equal(one.get(match + 'name=x'), 500, "required query parameter 'by' not set")
    equal(one.get(match + 'by=source'), 500, "required query parameter 'name' not set")
    equal(one.get(match + 'by=x&name=y'), 500, "'by' parameter must be one of 'source' or 'destination'")
    one.put(exact('*', 'm224'), json.dumps({'Action': 'deny'}))
    one.put(exact('s224', 'm224'), json.dumps({'Action': 'allow'}))
    found = one.get(match + 'by=destination&name=m224').json()['m224']
    assert [i['SourceName'] for i in found] == ['s224', '*'], found
    found = one.get(match + 'by=source&name=s224').json()['s224']
    assert [i['SourceName'] for i in found if i['DestinationName'] == 'm224'] == ['s224', '*'], found
    a = one.get(match + 'by=destination&name=nope&name=m224&name=default/nope')
    equal(a, 200)
    assert list(a.json()) == ['m224', 'nope'] and a.json()['nope'] is None, a
    assert [i['SourceName'] for i in a.json()['m224']] == ['s224', '*'], a
    names = ['&name=n%d' % i for i in range(65)]
    equal(one.get(match + 'by=source' + ''.join(names[:64])), 200)
    equal(one.get(match + 'by=source' + ''.join(names)), 400, 'Bad request: more than 64 names')
    equal(one.delete('/v1/config/service-intentions/m224'), 200, '{}')


@test
def http_225_check(one):
    def allowed(source, destination):
        a = one.get('/v1/connect/intentions/check?source=%s&destination=%s' % (source, destination))
        equal(a, 200)
        return a.json()['Allowed']
    assert allowed('x', 'y225')
    one.put(exact('x', 'y225'), json.dumps({'Action': 'deny'}))
    assert not allowed('x', 'y225') and allowed('z', 'y225')
    one.put(exact('*', 'y225'), json.dumps({'Action': 'deny'}))
    one.put(exact('x', 'y225'), json.dumps({'Action': 'allow'}))
    assert allowed('x', 'y225') and not allowed('z', 'y225')
    put(one, {'Kind': 'service-defaults', 'Name': 'y225', 'Protocol': 'http'})
    put(one, {'Kind': 'service-intentions', 'Name': 'y225', 'Sources': [
        {'Name': 'x', 'Permissions': [{'Action': 'allow', 'HTTP': {'path_prefix': '/', 'Methods': ['get']}}]}]})
    assert not allowed('x', 'y225')  # it depends on the request
    permission, = one.get(exact('x', 'y225')).json()['Permissions']
    assert permission == {'Action': 'allow', 'HTTP': {'PathPrefix': '/', 'Methods': ['GET']}}, permission
    equal(one.get('/v1/connect/intentions/check?source=x'), 500, "required query parameter 'destination' not set")


@test
def bad_intentions_are_refused_by_name(one):
    equal(one.put(exact('a/b/c', 'x'), b'{}'), 500, 'source "a/b/c" is invalid: input can contain at most one \'/\'')
    equal(one.put(exact('foo/a', 'x'), b'{}'), 400,
          'Bad request: Invalid SourceNS(foo): Namespaces is a Consul Enterprise feature')
    equal(one.put(exact('a', 'x'), b'{"DestinationNS":"foo"}'), 400,
          'Bad request: Invalid DestinationNS(foo): Namespaces is a Consul Enterprise feature')
    equal(one.put(exact('a', 'x'), b'{"Bogus":1}'), 400, 'Bad request: Request decode failed: json: unknown field "Bogus"')
    equal(one.put(exact('a', 'x'), b'{"Action":"maybe"}'), 500, "Sources[0].Action must be set to 'allow' or 'deny'")
    equal(one.put('/v1/connect/intentions/exact?source=a', b'{}'), 500,
          "required query parameter 'destination' not set")
    equal(one.get('/v1/connect/intentions/exact?source=&destination='), 500,
          '2 errors occurred:\n\t* SourceName is missing\n\t* DestinationName is missing\n\n')
    put(one, {'Kind': 'service-intentions', 'Name': 'x', 'Sources': [
        {'Name': 'a', 'Action': 'allow', 'LegacyMeta': {'a': 'b'}}]}, status=500,
        text='Sources[0].LegacyMeta must be omitted')


@test
def an_intention_by_an_id_that_is_none(one):
    id = '6f98fc19-0000-4000-8000-000000000001'
    path = '/v1/connect/intentions/'
    equal(one.get(path + id), 404, 'Intention not found')
    equal(one.get(path + 'zz'), 400,
          'Bad request: failed config entry lookup: index error: UUID must be 36 characters')
    equal(one.delete(path + id), 500, "Cannot delete non-existent intention: '%s'" % id)
    equal(one.put(path + id, b'{"SourceName":"a","DestinationName":"b","Action":"allow"}'), 500,
          "Cannot modify non-existent intention: '%s'" % id)
