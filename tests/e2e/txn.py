"""http-api.md 5.5 items 109 to 119 and 123: transactions of KV operations. One server."""
import base64
import json

from cluster import Cluster
from runner import fixture, test


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def b64(value):
    return base64.b64encode(value).decode()


def op(verb, key=None, value=None, **more):
    kv = dict({'Verb': verb}, **more)
    if key is not None:
        kv['Key'] = key
    if value is not None:
        kv['Value'] = b64(value)
    return {'KV': kv}


def txn(node, *ops, query=''):
    return node.put('/v1/txn' + query, json.dumps(ops).encode())


def errors(answer):
    assert answer.status == 409, answer
    body = answer.json()
    assert body['Results'] is None, body
    return [(e['OpIndex'], e['What']) for e in body['Errors']]


def entry(node, key):
    return node.get('/v1/kv/' + key).json()[0]


@test
def http_109_an_empty_transaction_is_a_read(one):
    a = one.put('/v1/txn', b'[]')
    assert a.status == 200 and a.json()['Results'] == [] and a.json()['Errors'] is None, a
    assert a.json()['KnownLeader'] is True and a['X-Consul-KnownLeader'] == 'true', a


@test
def http_109_a_read_transaction_has_the_members_of_a_query(one):
    one.put('/v1/kv/tr', b'1')
    a = txn(one, op('get', 'tr'))
    body = a.json()
    assert list(body) == ['Results', 'Errors', 'Index', 'LastContact', 'KnownLeader', 'ConsistencyLevel',
                          'NotModified'], body
    assert body['Index'] == 0 and body['Results'][0]['KV']['Value'] == b64(b'1')
    assert a['X-Consul-Index'] is None and a['X-Consul-LastContact'] == '0', a
    for mode in ('?stale', '?consistent'):
        assert txn(one, op('get', 'tr'), query=mode).status == 200


@test
def http_110_an_object_is_400(one):
    a = one.put('/v1/txn', b'{}')
    assert a.status == 400 and a.text.startswith('Failed to parse body: json: cannot unmarshal object'), a


@test
def http_110_broken_json_is_400_with_the_decoders_sentence(one):
    for body, text in ((b'', 'EOF'), (b'[', 'unexpected EOF'),
                       (b'[x]', "invalid character 'x' looking for beginning of value"),
                       (b'[{b}]', "invalid character 'b' looking for beginning of object key string")):
        a = one.put('/v1/txn', body)
        assert a.status == 400 and a.text == 'Failed to parse body: ' + text, (body, a)


@test
def http_111_set_get_delete_of_one_key_see_each_other(one):
    a = txn(one, op('set', 't111', b'v', Flags=7), op('get', 't111'), op('delete', 't111'))
    body = a.json()
    assert a.status == 200 and list(body) == ['Results', 'Errors'] and body['Errors'] is None, a
    first, second = (r['KV'] for r in body['Results'])
    assert first['Value'] is None and second['Value'] == b64(b'v') and second['Flags'] == 7, body
    assert first['CreateIndex'] == first['ModifyIndex'] == second['ModifyIndex']
    assert one.get('/v1/kv/t111').status == 404


@test
def http_112_a_failing_check_rolls_all_back(one):
    one.put('/v1/kv/t1', b'x')
    n = entry(one, 't1')['ModifyIndex']
    a = txn(one, op('set', 't112', b'v'), op('check-index', 't1', Index=1), op('set', 't1', b'y'))
    assert errors(a) == [(1, 'failed index check for key "t1", current modify index %d != 1' % n)]
    assert one.get('/v1/kv/t112').status == 404 and entry(one, 't1')['ModifyIndex'] == n


@test
def http_113_every_failing_operation_is_listed_in_order(one):
    one.put('/v1/kv/t113', b'x')
    unknown = '11111111-2222-3333-4444-555555555555'
    a = txn(one, op('get', 'nosuch'), op('cas', 't113', b'y', Index=1), op('set', 'fine', b'1'),
            op('delete-cas', 't113', Index=1), op('check-not-exists', 't113'),
            op('check-index', 'nosuch', Index=1), op('check-session', 'nosuch', Session=unknown),
            op('check-session', 't113', Session=unknown))
    assert errors(a) == [
        (0, 'key "nosuch" doesn\'t exist'),
        (1, 'failed to set key "t113", index is stale'),
        (3, 'failed to delete key "t113", index is stale'),
        (4, 'key "t113" exists'),
        (5, 'failed to check index, key "nosuch" doesn\'t exist'),
        (6, 'failed to check session, key "nosuch" doesn\'t exist'),
        (7, 'failed session check for key "t113", current session "" != "%s"' % unknown)]
    assert one.get('/v1/kv/fine').status == 404


@test
def http_114_64_operations_pass_and_65_are_413(one):
    ops = [op('set', 't114/%02d' % i, b'1') for i in range(65)]
    assert txn(one, *ops[:64]).status == 200
    a = txn(one, *ops)
    assert a.status == 413 and a.text == 'Transaction contains too many operations (65 > 64)', a
    assert one.get('/v1/kv/t114/64').status == 404


@test
def http_115_bad_base64_is_400(one):
    a = one.put('/v1/txn', b'[{"KV":{"Verb":"set","Key":"k","Value":"!!!"}}]')
    assert a.status == 400 and a.text == 'Failed to parse body: illegal base64 data at input byte 0', a


@test
def http_116_an_unknown_member_is_400(one):
    a = one.put('/v1/txn', b'[{"KV":{"Verb":"set","Key":"k","Foo":1}}]')
    assert a.status == 400 and a.text == 'Failed to parse body: json: unknown field "Foo"', a


@test
def http_116_member_names_match_in_any_case(one):
    a = one.put('/v1/txn', b'[{"kv":{"verb":"set","KEY":"t116","value":"eA=="}}]')
    assert a.status == 200, a
    assert entry(one, 't116')['Value'] == 'eA=='


@test
def http_117_an_unknown_verb_is_409(one):
    assert errors(txn(one, op('bogus', 'k'))) == [(0, 'unknown KV verb "bogus"')]


@test
def http_118_get_and_check_not_exists_of_a_missing_key(one):
    assert errors(txn(one, op('get', 'nosuch'))) == [(0, 'key "nosuch" doesn\'t exist')]
    a = txn(one, op('check-not-exists', 'nosuch'))
    assert a.status == 200 and a.json()['Results'] == [], a


@test
def http_119_get_tree_gives_each_key_with_its_value(one):
    one.put('/v1/kv/tt/a', b'1')
    one.put('/v1/kv/tt/b', b'2')
    a = txn(one, op('get-tree', 'tt/'))
    assert [(r['KV']['Key'], r['KV']['Value']) for r in a.json()['Results']] == \
        [('tt/a', b64(b'1')), ('tt/b', b64(b'2'))], a
    assert txn(one, op('get-tree', 'none/')).json()['Results'] == []
    assert errors(txn(one, op('get-tree', ''))) == [(0, 'Must provide key')]
    assert errors(txn(one, op('set', '', b'x'))) == [(0, 'Must provide key')]


@test
def http_119_delete_tree_and_cas_verbs(one):
    one.put('/v1/kv/dt/a', b'1')
    one.put('/v1/kv/dt/b', b'2')
    n = entry(one, 'dt/a')['ModifyIndex']
    a = txn(one, op('cas', 'dt/a', b'9', Index=n), op('check-not-exists', 'dt/c'), op('delete-tree', 'dt/'))
    assert a.status == 200 and len(a.json()['Results']) == 1, a
    assert one.get('/v1/kv/dt/?recurse').status == 404
    assert txn(one, op('cas', 'dt/new', b'1', Index=0)).status == 200
    n = entry(one, 'dt/new')['ModifyIndex']
    assert txn(one, op('delete-cas', 'dt/new', Index=n)).json()['Results'] == []


@test
def http_122_lock_verbs_are_refused_cleanly_without_sessions(one):
    unknown = '11111111-2222-3333-4444-555555555555'
    one.put('/v1/kv/tl', b'1')
    found = errors(txn(one, op('lock', 'tl', b'x', Session=unknown)))
    assert len(found) == 1 and 'invalid session' in found[0][1], found
    found = errors(txn(one, op('unlock', 'tl', b'x', Session=unknown)))
    assert found[0][1] == 'failed to unlock key "tl", lock isn\'t held, or is held by another session', found


@test
def http_123_operations_without_a_member_are_dropped(one):
    a = one.put('/v1/txn', b'[{}]')
    assert a.status == 200 and a.json()['Results'] == [], a


@test
def http_2_13_catalog_operations_are_refused_with_a_reason(one):
    body = [op('set', 'tcat', b'1'), {'Node': {'Verb': 'get', 'Node': {'Node': 'n1'}}}]
    a = one.put('/v1/txn', json.dumps(body).encode())
    assert a.status >= 400 and a.text, a
    assert one.get('/v1/kv/tcat').status == 404


@test
def http_2_13_limits_of_body_and_value(one):
    body = b'[{"KV":{"Verb":"set","Key":"big","Value":"' + b'A' * 524288 + b'"}}]'
    a = one.put('/v1/txn', body)
    assert a.status == 413 and a.text == (
        'Request body(%d bytes) too large, max size: 524288 bytes. See '
        'https://www.consul.io/docs/agent/options.html#txn_max_req_len.' % len(body)), a


@test
def contracts_3_4_operations_of_one_transaction_share_one_index(one):
    txn(one, *[op('set', 'atom/%d' % i, b'1') for i in range(20)])
    assert len({e['ModifyIndex'] for e in one.get('/v1/kv/atom/?recurse').json()}) == 1
