"""http-api.md 5.3 items 64 to 82, 89 as far as it goes without sessions, 277; on one server."""
import base64

from cluster import Cluster
from runner import fixture, test

TOO_LARGE = ('max size: 524288 bytes. See https://www.consul.io/docs/agent/options.html'
             '#kv_max_value_size.')


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def equal(answer, status, body=None):
    assert answer.status == status, answer
    if body is not None:
        assert answer.text == body, answer


def entry(node, key):
    a = node.get('/v1/kv/' + key)
    equal(a, 200)
    return a.json()[0]


@test
def http_70_an_empty_store_lists_nothing(one):
    equal(one.get('/v1/kv/?recurse'), 404, '')
    equal(one.get('/v1/kv/?keys'), 200, '[]')
    equal(one.get('/v1/kv/zz?keys'), 404, '')
    assert one.get('/v1/kv/?recurse').index == 1  # http 49: a table never written


@test
def http_64_missing_key_is_404_with_index(one):
    a = one.get('/v1/kv/none')
    equal(a, 404, '')
    assert a.index >= 1 and a['X-Consul-KnownLeader'] == 'true' and a['X-Consul-LastContact'] == '0', a


@test
def http_65_put_then_get_gives_base64_and_indexes(one):
    equal(one.put('/v1/kv/a/b', b'hello'), 200, 'true')
    a = one.get('/v1/kv/a/b')
    n = a.index
    equal(a, 200, '[{"LockIndex":0,"Key":"a/b","Flags":0,"Value":"aGVsbG8=",'
          '"CreateIndex":%d,"ModifyIndex":%d}]' % (n, n))
    assert a['Content-Type'] == 'application/json' and n > 1


@test
def http_65_an_update_keeps_the_create_index(one):
    one.put('/v1/kv/up', b'1')
    first = entry(one, 'up')
    one.put('/v1/kv/up', b'2')
    second = entry(one, 'up')
    assert second['CreateIndex'] == first['CreateIndex'] < second['ModifyIndex']


@test
def http_66_empty_value_is_null(one):
    equal(one.put('/v1/kv/empty', b''), 200, 'true')
    assert '"Value":null' in one.get('/v1/kv/empty').text


@test
def http_67_flags_are_kept_and_checked(one):
    one.put('/v1/kv/fl?flags=42', b'x')
    assert entry(one, 'fl')['Flags'] == 42
    one.put('/v1/kv/fl?flags=18446744073709551615', b'x')
    assert entry(one, 'fl')['Flags'] == 18446744073709551615
    equal(one.put('/v1/kv/fl?flags=-1', b'x'), 500, 'strconv.ParseUint: parsing "-1": invalid syntax')
    equal(one.put('/v1/kv/fl?flags=18446744073709551616', b'x'), 500,
          'strconv.ParseUint: parsing "18446744073709551616": value out of range')
    one.put('/v1/kv/fl', b'x')
    assert entry(one, 'fl')['Flags'] == 0


@test
def http_68_raw_gives_the_bytes_and_the_guarding_headers(one):
    value = bytes(range(256))
    one.put('/v1/kv/rawkey', value)
    a = one.get('/v1/kv/rawkey?raw')
    assert a.body == value and a['Content-Type'] == 'text/plain', a
    assert a['X-Content-Type-Options'] == 'nosniff' and a['Content-Security-Policy'] == 'sandbox', a
    assert a.index == entry(one, 'rawkey')['ModifyIndex']
    equal(one.get('/v1/kv/rawnone?raw'), 404, '')


@test
def http_69_recurse_gives_the_prefix_in_byte_order(one):
    for name in ('ro/b', 'ro/a', 'ro/B', 'ro', 'ro/a/c', 'ro/%C3%A4'):
        one.put('/v1/kv/' + name, name.encode())
    keys = [e['Key'] for e in one.get('/v1/kv/ro?recurse').json()]
    assert keys == ['ro', 'ro/B', 'ro/a', 'ro/a/c', 'ro/b', 'ro/ä'], keys
    keys = [e['Key'] for e in one.get('/v1/kv/ro/a?recurse').json()]
    assert keys == ['ro/a', 'ro/a/c'], keys
    equal(one.get('/v1/kv/zz?recurse'), 404, '')


@test
def http_71_keys_with_a_separator_are_folded(one):
    for name in ('sep/a/b', 'sep/a/c', 'sep/d', 'sep/e/f/g'):
        one.put('/v1/kv/' + name, b'1')
    for word in ('separator', 'seperator'):
        assert one.get('/v1/kv/sep/?keys&%s=/' % word).json() == ['sep/a/', 'sep/d', 'sep/e/']
    assert one.get('/v1/kv/sep/?keys').json() == ['sep/a/b', 'sep/a/c', 'sep/d', 'sep/e/f/g']
    assert 'sep/' in one.get('/v1/kv/?keys&separator=/').json()
    assert one.get('/v1/kv/sep/?keys&separator=/&seperator=zz').json() == ['sep/a/', 'sep/d', 'sep/e/']


@test
def http_71_keys_wins_over_recurse_and_raw(one):
    one.put('/v1/kv/kw/a', b'1')
    for query in ('keys&recurse', 'recurse&keys', 'keys&raw'):
        assert one.get('/v1/kv/kw/?' + query).json() == ['kw/a']


@test
def http_72_a_missing_key_name_is_400(one):
    for method in ('GET', 'PUT', 'DELETE'):
        equal(one.request(method, '/v1/kv/'), 400, 'Missing key name')


@test
def http_73_cas_sets_only_at_its_index(one):
    equal(one.put('/v1/kv/cas?cas=0', b'1'), 200, 'true')
    equal(one.put('/v1/kv/cas?cas=0', b'2'), 200, 'false')
    n = entry(one, 'cas')['ModifyIndex']
    equal(one.put('/v1/kv/cas?cas=%d' % n, b'3'), 200, 'true')
    equal(one.put('/v1/kv/cas?cas=%d' % n, b'4'), 200, 'false')
    equal(one.put('/v1/kv/cas-none?cas=7', b'4'), 200, 'false')
    assert entry(one, 'cas')['Value'] == base64.b64encode(b'3').decode()


@test
def http_74_bad_cas_is_500(one):
    text = 'strconv.ParseUint: parsing "abc": invalid syntax'
    equal(one.put('/v1/kv/x?cas=abc', b''), 500, text)
    equal(one.delete('/v1/kv/x?cas=abc'), 500, text)


@test
def http_75_76_conflicting_flags_are_400(one):
    equal(one.put('/v1/kv/x?cas=1&acquire=x', b''), 400, 'Conflicting flags: acquire=x&cas=1')
    equal(one.put('/v1/kv/x?release=a&acquire=b', b''), 400, 'Conflicting flags: acquire=b&release=a')
    equal(one.delete('/v1/kv/x?recurse&cas=1'), 400, 'Conflicting flags: cas=1&recurse=')


@test
def http_77_delete_cas(one):
    equal(one.delete('/v1/kv/dc-none?cas=5'), 200, 'true')
    one.put('/v1/kv/dc', b'1')
    n = entry(one, 'dc')['ModifyIndex']
    equal(one.delete('/v1/kv/dc?cas=%d' % (n + 1)), 200, 'false')
    assert entry(one, 'dc')['ModifyIndex'] == n
    equal(one.delete('/v1/kv/dc?cas=%d' % n), 200, 'true')
    equal(one.get('/v1/kv/dc'), 404, '')


@test
def http_78_deleting_a_missing_key_is_true(one):
    before = one.get('/v1/kv/?keys').index
    equal(one.delete('/v1/kv/never-was'), 200, 'true')
    assert one.get('/v1/kv/?keys').index == before  # a no-op moves no index


@test
def http_79_recursive_delete_leaves_an_index(one):
    for name in ('rd/a', 'rd/b/c', 'rd2'):
        one.put('/v1/kv/' + name, b'1')
    before = entry(one, 'rd2')['ModifyIndex']
    equal(one.delete('/v1/kv/rd/?recurse'), 200, 'true')
    a = one.get('/v1/kv/rd/?recurse')
    equal(a, 404, '')
    assert a.index > before
    # contracts 6.5: what the one tombstone covers has its index too
    assert one.get('/v1/kv/rd/b/c').index == a.index == one.get('/v1/kv/rd/b/?keys').index
    equal(one.get('/v1/kv/rd2'), 200)


@test
def http_3_7_deleting_one_key_is_seen_by_its_prefixes(one):
    one.put('/v1/kv/tomb/a', b'1')
    one.put('/v1/kv/tomb/b', b'1')
    before = one.get('/v1/kv/tomb/?recurse').index
    one.delete('/v1/kv/tomb/a')
    deleted = one.get('/v1/kv/tomb/a').index
    assert one.get('/v1/kv/tomb/?recurse').index == one.get('/v1/kv/tomb/?keys').index == deleted > before


@test
def http_3_1_a_key_made_again_has_a_new_create_index(one):
    one.put('/v1/kv/again', b'1')
    first = entry(one, 'again')
    one.delete('/v1/kv/again')
    one.put('/v1/kv/again', b'1')
    assert entry(one, 'again')['CreateIndex'] > first['ModifyIndex']


@test
def http_80_values_up_to_512_kib_and_413_above(one):
    value = bytes(i * 7 % 256 for i in range(524288))
    equal(one.put('/v1/kv/big', value), 200, 'true')
    assert one.get('/v1/kv/big?raw').body == value
    a = one.put('/v1/kv/big', value + b'x')
    equal(a, 413, 'Request body(524289 bytes) too large, ' + TOO_LARGE)
    assert a['Connection'] == 'close', a
    assert one.get('/v1/kv/big?raw').body == value


@test
def http_277_chunked_bodies_have_the_same_limit(one):
    headers = {'Transfer-Encoding': 'chunked'}
    pieces = [b'y' * 65536] * 8
    equal(one.put('/v1/kv/chunked', iter(pieces), headers=headers), 200, 'true')
    assert one.get('/v1/kv/chunked?raw').body == b'y' * 524288
    equal(one.put('/v1/kv/chunked', iter(pieces + [b'z']), headers=headers), 413,
          'Request body too large, ' + TOO_LARGE)
    assert one.get('/v1/kv/chunked?raw').body == b'y' * 524288


@test
def http_81_an_escaped_slash_is_a_slash(one):
    one.put('/v1/kv/enc%2Fkey', b'1')
    assert entry(one, 'enc/key')['Key'] == 'enc/key'
    one.put('/v1/kv/with%20blank%3Fand%23', b'2')
    assert one.get('/v1/kv/with%20blank?keys').json() == ['with blank?and#']


@test
def http_82_an_identical_value_changes_no_index(one):
    one.put('/v1/kv/same?flags=1', b'v')
    before, listed = entry(one, 'same'), one.get('/v1/kv/?keys').index
    equal(one.put('/v1/kv/same?flags=1', b'v'), 200, 'true')
    assert entry(one, 'same') == before and one.get('/v1/kv/?keys').index == listed
    one.put('/v1/kv/same?flags=2', b'v')
    assert entry(one, 'same')['ModifyIndex'] > before['ModifyIndex']


@test
def http_89_locks_are_refused_cleanly_without_sessions(one):
    one.put('/v1/kv/lock', b'v')
    before = entry(one, 'lock')
    unknown = '11111111-2222-3333-4444-555555555555'
    equal(one.put('/v1/kv/lock?acquire=', b''), 500, 'missing session')
    equal(one.put('/v1/kv/lock?acquire=nosuch', b''), 500,
          'failed session lookup: index error: UUID must be 36 characters')
    a = one.put('/v1/kv/lock?acquire=' + unknown, b'')
    assert a.status == 500 and 'invalid session' in a.text, a
    equal(one.put('/v1/kv/lock?release=' + unknown, b''), 200, 'false')
    equal(one.put('/v1/kv/lock-none?release=x', b''), 200, 'false')  # http 88
    assert entry(one, 'lock') == before


@test
def http_60_filter_is_ignored(one):
    one.put('/v1/kv/filt', b'1')
    equal(one.get('/v1/kv/filt?filter=zz'), 200)


@test
def http_35_every_mode_answers_with_its_headers(one):
    one.put('/v1/kv/mode', b'1')
    for mode in ('', 'stale', 'consistent', 'leader', 'max_stale=5s'):
        a = one.get('/v1/kv/mode?' + mode)
        equal(a, 200)
        assert a['X-Consul-KnownLeader'] == 'true' and a['X-Consul-LastContact'] == '0', (mode, a)


@test
def http_1_4_pretty_indents_by_four_and_ends_with_newline(one):
    one.put('/v1/kv/pretty', b'1')
    lines = one.get('/v1/kv/pretty?pretty').text.split('\n')
    assert lines[0] == '[' and lines[1] == '    {' and lines[2] == '        "LockIndex": 0,', lines
    assert lines[-1] == '' and lines[-2] == ']', lines


@test
def http_2_12_keys_with_any_printable_bytes_come_back(one):
    from urllib.parse import quote
    for key in ('kk/ü/日本', 'kk/a b+c', 'kk/"quoted"\\', 'kk/%41', 'kk/' + 'x' * 2000):
        equal(one.put('/v1/kv/' + quote(key), key.encode()), 200, 'true')
        assert one.get('/v1/kv/' + quote(key)).json()[0]['Key'] == key
        assert one.get('/v1/kv/' + quote(key) + '?raw').body == key.encode()


@test
def contracts_6_5_an_index_never_goes_back_over_a_storm_of_writes_and_deletes(one):
    seen = 0
    for i in range(200):
        key = '/v1/kv/storm/%d' % (i % 7)
        one.delete(key) if i % 3 == 2 else one.put(key, b'%d' % i)
        n = one.get('/v1/kv/storm/?recurse').index
        assert n >= seen
        seen = n
