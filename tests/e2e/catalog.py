"""http-api.md 5.6 items 125 to 146, 152, 156, and 35 to 60 of 5.2 where they are about the catalog; on one server."""
import json
from urllib.parse import quote

from cluster import Cluster, wait_for
from discovery import check, deregister, equal, register
from runner import fixture, test

NO_NS = 'Namespaces are a Consul Enterprise feature'


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def service(node, name):
    a = node.get('/v1/catalog/service/' + name)
    equal(a, 200)
    return a.json()


def node_of(node, name):
    a = node.get('/v1/catalog/node/' + name)
    equal(a, 200)
    return a.json()


@test
def http_125_what_is_required_is_named(one):
    equal(one.put('/v1/catalog/register', b'{}'), 500, 'Must provide node')
    equal(one.put('/v1/catalog/register', b'{"Node":"x"}'), 500,
          'Must provide address if SkipNodeUpdate is not set')


@test
def http_126_a_bad_node_id_is_refused(one):
    a = register(one, 'x', ID='abc', status=500)
    assert 'Bad node ID: uuid string is wrong length' in a.text, a


@test
def http_127_bodies_are_decoded_strictly(one):
    for path in ('register', 'deregister'):
        equal(one.put('/v1/catalog/' + path, b'{"Node":"x","Foo":1}'), 400,
              'Request decode failed: json: unknown field "Foo"')
        equal(one.put('/v1/catalog/' + path, b''), 400, 'Request decode failed: EOF')
        equal(one.put('/v1/catalog/' + path, b'{"Node":"x","Namespace":"y"}'), 400,
              'Request decode failed: json: unknown field "Namespace" - ' + NO_NS)
        equal(one.put('/v1/catalog/' + path, b'{"Node":"x","Datacenter":"nope"}'), 500, 'No path to datacenter')


@test
def http_128_keys_are_matched_without_case(one):
    equal(one.put('/v1/catalog/register', b'{"node":"low","address":"10.1.1.1","service":{"service":"lows"}}'),
          200, 'true')
    assert service(one, 'lows')[0]['Node'] == 'low'


@test
def http_129_services_are_validated(one):
    equal(register(one, 'x', {'ID': 's'}, status=500), 500, 'Must provide service name with ID')
    equal(register(one, 'x', {'Service': 's', 'Address': '0.0.0.0'}, status=500), 500, 'Invalid service address')


@test
def http_130_a_registration_is_all_or_nothing(one):
    a = register(one, 'atomic', {'Service': 'atomics'}, [check(Node='other')], status=500)
    assert 'check node "other" does not match node "atomic"' in a.text, a
    equal(one.get('/v1/catalog/node/atomic'), 200, 'null')
    assert service(one, 'atomics') == []


@test
def http_131_a_check_of_an_unknown_service_is_refused(one):
    a = register(one, 'x131', checks=[check('nosuch')], status=500)
    assert 'Missing service registration' in a.text, a


APPENDIX = {
    'Node': 'ext1', 'Address': '10.9.9.9', 'NodeMeta': {'external-node': 'true'},
    'TaggedAddresses': {'wan': '8.8.8.8'},
    'Service': {'Service': 'db', 'Tags': ['Master', 'v1'], 'Port': 5432, 'Meta': {'a': 'b'},
                'Weights': {'Passing': 3, 'Warning': 2},
                'TaggedAddresses': {'lan': {'Address': '1.2.3.4', 'Port': 1}}},
    'Check': {'Name': 'dbc', 'Status': 'passing', 'ServiceID': 'db',
              'Definition': {'TCP': 'x:1', 'Interval': '5s', 'TTL': '3s'}},
    'Checks': [{'CheckID': 'nodechk', 'Name': 'nodechk', 'Status': 'warning'}]}


@test
def http_132_the_body_of_the_appendix_reads_back_byte_by_byte(one):
    equal(one.put('/v1/catalog/register', json.dumps(APPENDIX)), 200, 'true')
    a = one.get('/v1/catalog/service/db')
    n = a.index
    equal(a, 200,
          '[{"ID":"","Node":"ext1","Address":"10.9.9.9","Datacenter":"dc1","TaggedAddresses":{"wan":"8.8.8.8"},'
          '"NodeMeta":{"external-node":"true"},"ServiceKind":"","ServiceID":"db","ServiceName":"db",'
          '"ServiceTags":["Master","v1"],"ServiceAddress":"","ServiceTaggedAddresses":{"lan":{"Address":"1.2.3.4",'
          '"Port":1}},"ServiceWeights":{"Passing":3,"Warning":2},"ServiceMeta":{"a":"b"},"ServicePort":5432,'
          '"ServiceEnableTagOverride":false,"ServiceProxy":{"MeshGateway":{},"Expose":{}},"ServiceConnect":{},'
          '"CreateIndex":%d,"ModifyIndex":%d}]' % (n, n))
    assert a['Content-Type'] == 'application/json' and a['X-Consul-KnownLeader'] == 'true', a
    a = one.get('/v1/health/service/db')
    equal(a, 200,
          ('[{"Node":{"ID":"","Node":"ext1","Address":"10.9.9.9","Datacenter":"dc1","TaggedAddresses":{"wan":'
           '"8.8.8.8"},"Meta":{"external-node":"true"},"CreateIndex":N,"ModifyIndex":N},"Service":{"ID":"db",'
           '"Service":"db","Tags":["Master","v1"],"Address":"","TaggedAddresses":{"lan":{"Address":"1.2.3.4",'
           '"Port":1}},"Meta":{"a":"b"},"Port":5432,"Weights":{"Passing":3,"Warning":2},"EnableTagOverride":false,'
           '"Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},"CreateIndex":N,"ModifyIndex":N},"Checks":[{"Node":'
           '"ext1","CheckID":"nodechk","Name":"nodechk","Status":"warning","Notes":"","Output":"","ServiceID":"",'
           '"ServiceName":"","ServiceTags":[],"Type":"","Definition":{},"CreateIndex":N,"ModifyIndex":N},{"Node":'
           '"ext1","CheckID":"dbc","Name":"dbc","Status":"passing","Notes":"","Output":"","ServiceID":"db",'
           '"ServiceName":"db","ServiceTags":["Master","v1"],"Type":"ttl","Definition":{"Interval":"5s","TCP":"x:1",'
           '"TTL":3000000000},"CreateIndex":N,"ModifyIndex":N}]}]').replace('N,', '%d,' % n)
          .replace('N}', '%d}' % n))


@test
def http_133_weights_default_to_one(one):
    register(one, 'w1', {'Service': 'w133'})
    register(one, 'w2', {'Service': 'w133', 'Weights': {'Passing': 0, 'Warning': 0}})
    assert [s['ServiceWeights'] for s in service(one, 'w133')] == 2 * [{'Passing': 1, 'Warning': 1}]


@test
def http_134_an_identical_registration_changes_nothing(one):
    def indexes():
        node = node_of(one, 'same')
        checks = one.get('/v1/health/node/same').json()
        return [node['Node']['ModifyIndex'], node['Services']['s134']['ModifyIndex'],
                checks[0]['ModifyIndex'], one.get('/v1/health/service/s134').index]
    for _ in range(2):
        register(one, 'same', {'Service': 's134'}, [check('s134')])
        first = indexes()
    register(one, 'same', {'Service': 's134'}, [check('s134')])
    assert indexes() == first
    register(one, 'same', {'Service': 's134', 'Port': 1}, [check('s134')])
    assert indexes()[0] == first[0] and indexes()[1] > first[1]


@test
def http_135_tags_are_all_required_without_case(one):
    register(one, 't1', {'Service': 't135', 'Tags': ['Master', 'v1']})
    register(one, 't2', {'Service': 't135', 'Tags': ['v1']})

    def nodes(query):
        return [s['Node'] for s in one.get('/v1/catalog/service/t135?' + query).json()]
    assert nodes('tag=master&tag=V1') == ['t1'] and nodes('tag=v1') == ['t1', 't2']
    assert nodes('tag=zz') == [] and nodes('tag=') == []


@test
def http_136_names_are_found_without_case(one):
    register(one, 'Case', {'Service': 'Cased'})
    assert service(one, 'cASED')[0]['ServiceName'] == 'Cased'
    assert node_of(one, 'cASE')['Node']['Node'] == 'Case'


@test
def http_137_138_what_is_missing_and_what_is_unknown(one):
    for path, words in (('catalog/service/', 'Missing service name'), ('catalog/connect/', 'Missing service name'),
                        ('catalog/node/', 'Missing node name'), ('catalog/node-services/', 'Missing node name')):
        equal(one.get('/v1/' + path), 400, words)
    equal(one.get('/v1/catalog/service/nosuch'), 200, '[]')
    equal(one.get('/v1/catalog/node/nosuch'), 200, 'null')
    equal(one.get('/v1/catalog/node-services/nosuch'), 200, '{"Node":null,"Services":null}')


@test
def http_139_services_of_a_node_by_id(one):
    register(one, 'n139', {'ID': 'b', 'Service': 'sb'})
    register(one, 'n139', {'ID': 'a', 'Service': 'sa', 'Tags': ['x']})
    found = node_of(one, 'n139')['Services']
    assert list(found) == ['a', 'b'] and found['b']['Tags'] == [] and found['a']['Service'] == 'sa'
    listed = one.get('/v1/catalog/node-services/n139').json()
    assert [s['ID'] for s in listed['Services']] == ['a', 'b'] and listed['Node']['Node'] == 'n139'


@test
def http_141_a_known_id_under_a_new_name_is_a_rename(one):
    id = '11111111-2222-3333-4444-555555550141'
    register(one, 'old141', {'Service': 's141'}, ID=id)
    first = node_of(one, 'old141')['Node']['CreateIndex']
    register(one, 'new141', ID=id)
    equal(one.get('/v1/catalog/node/old141'), 200, 'null')
    assert service(one, 's141') == []
    assert node_of(one, 'new141')['Node']['CreateIndex'] == first
    assert node_of(one, id[:8])['Node']['Node'] == 'new141'  # a unique prefix of the id


@test
def http_142_the_name_of_a_healthy_node_is_reserved(one):
    healthy = check(id='serfHealth')
    register(one, 'held', checks=[healthy], ID='11111111-2222-3333-4444-555555550142')
    a = register(one, 'held', ID='11111111-2222-3333-4444-555555551142', status=500)
    assert 'is reserved by node' in a.text, a


@test
def http_143_skip_node_update_leaves_the_node_alone(one):
    register(one, 'skip', address='10.0.0.1')
    register(one, 'skip', {'Service': 's143'}, address='10.0.0.2', SkipNodeUpdate=True)
    found = node_of(one, 'skip')
    assert found['Node']['Address'] == '10.0.0.1' and 's143' in found['Services']


@test
def http_144_node_meta_filters_and_pairs_are_anded(one):
    register(one, 'm1', {'Service': 's144'}, NodeMeta={'k': 'v', 'x': '1'})
    register(one, 'm2', {'Service': 's144'}, NodeMeta={'k': 'v', 'x': '2'})
    for path, name in (('nodes', 'Node'), ('service/s144', 'Node')):
        def nodes(query):
            return [e[name] for e in one.get('/v1/catalog/%s?%s' % (path, query)).json()]
        assert nodes('node-meta=k:v') == ['m1', 'm2']
        assert nodes('node-meta=k:v&node-meta=x:2') == ['m2'] and nodes('node-meta=k') == []
    assert 's144' in one.get('/v1/catalog/services?node-meta=k:v').json()
    assert 's144' not in one.get('/v1/catalog/services?node-meta=k:w').json()


@test
def http_145_146_deregistering_takes_what_is_named_first(one):
    register(one, 'd1', {'ID': 's', 'Service': 's145'}, [check('s', id='c'), check(id='nodec')])
    deregister(one, 'd1', ServiceID='s', CheckID='nodec', Address='ignored')
    assert [c['CheckID'] for c in one.get('/v1/health/node/d1').json()] == ['nodec']
    assert node_of(one, 'd1')['Services'] == {}
    deregister(one, 'd1', CheckID='nodec')
    equal(one.get('/v1/health/node/d1'), 200, '[]')
    deregister(one, 'd1')
    equal(one.get('/v1/catalog/node/d1'), 200, 'null')
    deregister(one, 'd1')  # unknown is fine
    equal(one.put('/v1/catalog/deregister', b'{}'), 500, 'Must provide node')


@test
def services_are_named_with_the_tags_of_all_instances(one):
    register(one, 'l1', {'Service': 'slist', 'Tags': ['b', 'a']})
    register(one, 'l2', {'Service': 'slist', 'Tags': ['c', 'a']})
    register(one, 'l2', {'ID': 'x', 'Service': 'splain'})
    found = one.get('/v1/catalog/services').json()
    assert sorted(found['slist']) == ['a', 'b', 'c'] and found['splain'] == [], found


@test
def http_152_durations_of_a_definition(one):
    register(one, 'dur', {'Service': 's152'},
             [check('s152', Definition={'TTL': '3s', 'Interval': '5s', 'Unknown': 1})])
    assert '"Definition":{"Interval":"5s","TTL":3000000000}' in one.get('/v1/health/node/dur').text


@test
def http_155_156_connect_finds_proxies_and_native_instances(one):
    register(one, 'c1', {'Service': 'conn', 'Port': 1})
    register(one, 'c1', {'ID': 'px', 'Kind': 'connect-proxy', 'Service': 'conn-proxy', 'Port': 2,
                         'Proxy': {'DestinationServiceName': 'conn'}})
    register(one, 'c2', {'Service': 'nat', 'Port': 3, 'Connect': {'Native': True}})
    assert [s['ServiceID'] for s in one.get('/v1/catalog/connect/conn').json()] == ['px']
    assert [e['Service']['ID'] for e in one.get('/v1/health/connect/conn').json()] == ['px']
    found = one.get('/v1/catalog/connect/nat').json()
    assert found[0]['ServiceConnect'] == {'Native': True} and found[0]['ServiceName'] == 'nat', found


# ---- 5.2 ----

@test
def http_35_reads_say_how_consistent_they_were(one):
    wait_for(lambda: one.get('/v1/catalog/nodes?stale')['X-Consul-KnownLeader'] == 'true', 5)
    for path in ('catalog/nodes', 'catalog/services', 'catalog/service/db', 'catalog/node/n1', 'health/state/any',
                 'health/service/db'):
        for query, want in (('', 'leader'), ('?stale', 'stale'), ('?consistent', 'consistent'),
                            ('?max_stale=5s', 'stale')):
            a = one.get('/v1/' + path + query)
            assert a['X-Consul-Effective-Consistency'] == want, (path, query, a)
            assert a['X-Consul-KnownLeader'] == 'true' and a.index >= 1, a


@test
def http_36_to_41_read_options_are_checked(one):
    for query, words in (('stale&consistent', 'Cannot specify ?stale with ?consistent, conflicting semantics.'),
                         ('cached&consistent', 'Cannot specify ?cached with ?consistent, conflicting semantics.'),
                         ('max_stale=abc', 'Invalid max_stale value "abc"'), ('index=-1', 'Invalid index'),
                         ('wait=5', 'Invalid wait time')):
        equal(one.get('/v1/catalog/services?' + query), 400, words)
    equal(one.get('/v1/catalog/nodes', headers={'Cache-Control': 'max-age=abc'}), 400,
          'Invalid Cache-Control header.')
    equal(one.get('/v1/catalog/services?ns=x'), 400, 'Bad request: Invalid query parameter: "ns" - ' + NO_NS)
    assert one.get('/v1/catalog/nodes?ns=x').status == 200
    equal(one.get('/v1/catalog/nodes?dc=nope'), 500, 'No path to datacenter')


@test
def http_60_some_reads_take_no_filter(one):
    assert one.get('/v1/catalog/services?filter=zz').status == 200


@test
def http_63_near_an_unknown_node_changes_no_order(one):
    assert one.get('/v1/catalog/nodes?near=nosuch').text == one.get('/v1/catalog/nodes').text


@test
def http_50_51_cached_reads_say_where_they_came_from(one):
    register(one, 'cc', {'Service': 's50'})
    for path in ('catalog/services', 'catalog/service/s50', 'health/service/s50', 'catalog/connect/s50'):
        first, second = (one.get('/v1/%s?cached' % path) for _ in range(2))
        assert first['X-Cache'] == 'MISS' and first['Age'] is None, first
        assert second['X-Cache'] == 'HIT' and second['Age'] == '0' and second.text == first.text, second
    assert one.get('/v1/catalog/nodes?cached')['X-Cache'] is None
    register(one, 'cc', {'Service': 's50', 'Port': 99})
    wait_for(lambda: one.get('/v1/catalog/service/s50?cached').json()[0]['ServicePort'] == 99, 2,
             'the cached answer to follow the change')


def filtered(node, path, filter, status=200):
    a = node.get('%s?filter=%s' % (path, quote(filter)))
    equal(a, status)
    return a


@test
def http_52_53_59_a_filter_that_means_nothing_is_explained(one):
    head = 'Failed to create boolean expression evaluator: '
    a = filtered(one, '/v1/catalog/nodes', 'bogus', 500)
    assert a.text.startswith(head + '1:6 (5): no match found, expected: "!=", ".", "=="'), a
    equal(filtered(one, '/v1/catalog/nodes', 'Foo==bar', 500), 500, head + 'Selector "Foo" is not valid')
    filtered(one, '/v1/catalog/nodes', 'Node AND x', 500)
    filtered(one, '/v1/catalog/service/web', 'ServicePort > 1', 500)
    a = filtered(one, '/v1/catalog/service/web', 'ServicePort == abc', 500)
    assert 'Failed to coerce value "abc" for selector "ServicePort"' in a.text, a


@test
def http_54_55_56_58_a_filter_keeps_what_it_means(one):
    register(one, 'filt1', {'Service': 'filt', 'Tags': ['v1']}, [check('filt')], NodeMeta={'filt-node': 'true'})
    register(one, 'filt2', {'Service': 'filt'}, [check('filt', 'critical')])
    names = lambda a: [x['Node'] for x in a.json()]  # noqa: E731
    assert names(filtered(one, '/v1/catalog/nodes', 'Meta["filt-node"]==true')) == ['filt1']
    assert names(filtered(one, '/v1/catalog/nodes', 'Meta.nokey==y')) == []
    assert 'filt2' in names(filtered(one, '/v1/catalog/nodes', 'Meta.nokey != y'))
    assert names(filtered(one, '/v1/catalog/service/filt',
                          '"v1" in ServiceTags and not ServiceTags is empty')) == ['filt1']
    entries = filtered(one, '/v1/health/service/filt', 'Checks.Status == passing').json()
    assert [e['Node']['Node'] for e in entries] == ['filt1'], entries
    assert names(filtered(one, '/v1/health/checks/filt', 'Status == critical')) == ['filt2']
