"""http-api.md 5.1 and the parts of 5.2 and 5.13 that hold for every route. One server."""
import base64
import contextlib
import json
import socket

from cluster import Cluster, wait_for
from http1 import Http, raw
from runner import fixture, test

NS = 'Namespaces are a Consul Enterprise feature'


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def equal(answer, status, body=None):
    assert answer.status == status, answer
    if body is not None:
        assert answer.text == body, answer


@test
def http_1_leader_is_a_json_string_without_newline(one):
    a = one.get('/v1/status/leader')
    equal(a, 200, '"%s:8300"' % one.ip)
    assert a['Content-Type'] == 'application/json', a


@test
def http_2_3_4_pretty_is_a_presence_flag(one):
    equal(one.get('/v1/catalog/datacenters'), 200, '["dc1"]')
    for query in ('?pretty', '?pretty=false', '?pretty=1'):
        equal(one.get('/v1/catalog/datacenters' + query), 200, '[\n    "dc1"\n]\n')


@test
def http_5_6_unknown_paths_are_404_without_body(one):
    for path in ('/v1/nope', '/v1/agent', '/nope', '/v1/status/leader/x', '/v1/namespace', '/v1'):
        equal(one.get(path), 404, '')


@test
def http_7_root_says_consul_agent(one):
    a = one.get('/')
    equal(a, 200, 'Consul Agent')
    assert a['Content-Type'] == 'text/plain; charset=utf-8', a


@test
def http_9_10_unclean_paths_are_redirected(one):
    for path, to in (('/v1/kv', '/v1/kv/'), ('/v1//kv/a', '/v1/kv/a'), ('/v1/./kv/a?raw', '/v1/kv/a?raw'),
                     ('/v1/x/../kv/a', '/v1/kv/a')):
        a = one.get(path)
        equal(a, 301)
        assert a['Location'] == to, a
        assert '<a href="%s">Moved Permanently</a>.' % to in a.text, a


@test
def http_11_unprintable_path_is_400_bare(one):
    a = one.get('/v1/kv/a%01')
    equal(a, 400, '')
    assert a['Vary'] is None and a['X-Consul-Default-ACL-Policy'] is None, a


@test
def http_12_bad_query_escape_is_500_without_body(one):
    equal(one.get('/v1/kv/a?%zz'), 500, '')


@test
def http_13_14_15_wrong_methods_are_405_with_allow(one):
    for method, path, allow in (('POST', '/v1/status/leader', 'OPTIONS,GET'),
                                ('POST', '/v1/kv/x', 'OPTIONS,GET,PUT,DELETE'),
                                ('GET', '/v1/txn', 'OPTIONS,PUT'),
                                ('PUT', '/v1/agent/self', 'OPTIONS,GET')):
        a = one.request(method, path)
        equal(a, 405, 'method %s not allowed' % method)
        assert a['Allow'] == allow, a
    a = one.request('HEAD', '/v1/kv/x')
    equal(a, 405)
    one.close()


@test
def http_16_options_lists_the_methods(one):
    a = one.request('OPTIONS', '/v1/kv/x')
    equal(a, 200, '')
    assert a['Allow'] == 'OPTIONS,GET,PUT,DELETE' and a['Content-Type'] is None, a


@test
def http_20_every_routed_answer_has_vary_and_policy(one):
    for method, path in (('GET', '/v1/kv/none'), ('GET', '/v1/status/leader'), ('POST', '/v1/kv/x'),
                         ('GET', '/v1/kv/a?index=abc')):
        a = one.request(method, path)
        assert a['Vary'] == 'Accept-Encoding', a
        assert a['X-Consul-Default-ACL-Policy'] == 'allow', a
    assert one.get('/nope')['Vary'] is None


@test
def http_21_22_gzip_only_from_1400_bytes(one):
    gzip = {'Accept-Encoding': 'gzip'}
    assert one.put('/v1/kv/gz/big', b'x' * 3000).text == 'true'
    assert one.put('/v1/kv/gz/small', b'x' * 300).text == 'true'
    assert one.get('/v1/kv/gz/big', headers=gzip)['Content-Encoding'] == 'gzip'
    assert one.get('/v1/kv/gz/big')['Content-Encoding'] is None
    assert one.get('/v1/kv/gz/small', headers=gzip)['Content-Encoding'] is None
    assert one.get('/v1/status/leader', headers=gzip)['Content-Encoding'] is None


@test
def http_21_a_compressed_answer_unpacks_to_the_plain_one(one):
    import gzip
    one.put('/v1/kv/gz/same', bytes(range(256)) * 20)
    plain = one.get('/v1/kv/gz/same')
    packed = one.get('/v1/kv/gz/same', headers={'Accept-Encoding': 'gzip'})
    assert gzip.decompress(packed.body) == plain.body


@test
def http_27_unknown_datacenter(one):
    for path in ('/v1/kv/a?dc=nope', '/v1/kv/a?recurse&dc=nope', '/v1/status/leader?dc=nope',
                 '/v1/operator/raft/configuration?dc=nope'):
        equal(one.get(path), 500, 'No path to datacenter')
    equal(one.put('/v1/kv/a?dc=nope', b'x'), 500, 'No path to datacenter')
    equal(one.get('/v1/status/leader?dc=dc1'), 200)
    equal(one.put('/v1/kv/dc?dc=dc1', b'x'), 200, 'true')


@test
def http_28_29_30_namespaces_are_refused_where_consulted(one):
    a = one.get('/v1/kv/a?ns=foo')
    equal(a, 400, 'Bad request: Invalid query parameter: "ns" - ' + NS)
    for method in ('GET', 'PUT', 'DELETE'):
        equal(one.request(method, '/v1/kv/a', headers={'X-Consul-Namespace': 'x'}), 400,
              'Bad request: Invalid header: "X-Consul-Namespace" - ' + NS)
    equal(one.get('/v1/status/leader?ns=foo'), 200)
    equal(one.get('/v1/agent/self?ns=foo'), 200)


@test
def http_31_a_token_is_ignored_without_acls(one):
    equal(one.get('/v1/kv/none?token=garbage'), 404, '')
    equal(one.get('/v1/kv/none', headers={'X-Consul-Token': 'garbage'}), 404, '')


@test
def http_33_html_characters_and_bad_utf8_are_escaped(one):
    one.put('/v1/kv/esc/%3Cb%3E%26', b'1')
    a = one.get('/v1/kv/esc/?recurse')
    assert '"Key":"esc/\\u003cb\\u003e\\u0026"' in a.text, a
    assert one.get('/v1/kv/esc/?keys').json() == ['esc/<b>&']


@test
def http_36_38_39_40_41_bad_read_parameters_are_400(one):
    for query, text in (
            ('stale&consistent', 'Cannot specify ?stale with ?consistent, conflicting semantics.'),
            ('cached&consistent', 'Cannot specify ?cached with ?consistent, conflicting semantics.'),
            ('max_stale=abc', 'Invalid max_stale value "abc"'),
            ('index=abc', 'Invalid index'), ('index=-1', 'Invalid index'),
            ('index=18446744073709551616', 'Invalid index'),
            ('wait=abc', 'Invalid wait time'), ('wait=5', 'Invalid wait time')):
        equal(one.get('/v1/kv/a?' + query), 400, text)
    equal(one.get('/v1/kv/a', headers={'Cache-Control': 'max-age=abc'}), 400,
          'Invalid Cache-Control header.')


@test
def http_1_1_only_the_first_of_a_repeated_parameter_counts(one):
    one.put('/v1/kv/rep?flags=3&flags=4', b'v')
    assert one.get('/v1/kv/rep').json()[0]['Flags'] == 3


@test
def http_1_1_http_1_0_is_answered_and_closed(one):
    got = raw(one.ip, 8500, b'GET /v1/status/leader HTTP/1.0\r\n\r\n')
    assert got.startswith(b'HTTP/1.') and b' 200 ' in got.split(b'\r\n')[0], got


@test
def http_278_headers_over_8_kib_are_431_and_closed(one):
    equal(one.get('/v1/status/leader', headers={'X-Long': 'x' * 7000}), 200)
    got = raw(one.ip, 8500, b'GET /v1/status/leader HTTP/1.1\r\nHost: a\r\nX-Long: ' + b'x' * 9000 + b'\r\n\r\n')
    assert got.startswith(b'HTTP/1.1 431'), got[:200]
    equal(one.get('/v1/status/leader'), 200)


@test
def http_279_length_and_chunked_together_are_400_and_closed(one):
    got = raw(one.ip, 8500, b'PUT /v1/kv/both HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n'
              b'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
    assert got.startswith(b'HTTP/1.1 400'), got[:200]
    equal(one.get('/v1/kv/both'), 404)


@test
def http_1_1_garbage_on_the_port_is_refused_and_others_are_served(one):
    for bytes_ in (b'\0' * 64, b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00\x01', b'GET / HTTP/9.9\r\n\r\n',
                   b'PUT /v1/kv/x HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n',
                   b'PUT /v1/kv/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
                   b'PUT /v1/kv/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'):
        got = raw(one.ip, 8500, bytes_, timeout=1)
        assert b' 200 ' not in got.split(b'\r\n')[0], (bytes_, got)
        equal(one.get('/v1/status/leader'), 200)


@test
def http_1_1_a_half_request_that_hangs_up_leaves_nothing(one):
    for _ in range(50):
        with socket.create_connection((one.ip, 8500)) as s:
            s.sendall(b'PUT /v1/kv/half HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc')
    equal(one.get('/v1/kv/half'), 404)


@test
def http_1_1_pipelined_requests_are_answered_in_order(one):
    one.put('/v1/kv/pipe/1', b'first')
    one.put('/v1/kv/pipe/2', b'second')
    got = raw(one.ip, 8500, b'GET /v1/kv/pipe/1?raw HTTP/1.1\r\nHost: a\r\n\r\n'
              b'GET /v1/kv/pipe/2?raw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert 0 < got.find(b'first') < got.find(b'second'), got


@test
def http_34_the_201st_connection_of_one_client_gets_429(one):
    socks = [socket.create_connection((one.ip, 8500), timeout=5) for _ in range(200)]
    try:
        extra = raw(one.ip, 8500, b'', timeout=5)
        assert extra.startswith(b'HTTP/1.1 429 Too Many Requests'), extra
        assert extra.endswith(b'Your IP is issuing too many concurrent connections, '
                              b'please rate limit your calls\n'), extra
    finally:
        for s in socks:
            s.close()
    wait_for(lambda: Http(one.ip).get('/v1/status/leader').status == 200, 5)


@test
def http_23_25_26_32_configured_http_rules():
    config = {'http_config': {'response_headers': {'X-A': 'b'}, 'allow_write_http_from': ['10.0.0.0/8'],
                              'block_endpoints': ['/v1/agent/metrics'], 'max_header_bytes': 65536},
              'translate_wan_addrs': True}
    with Cluster(1, config) as c:
        for path in ('/v1/status/leader', '/v1/kv/none', '/nope', '/'):
            assert c[1].get(path)['X-A'] == 'b', path
        equal(c[1].put('/v1/kv/a', b'x'), 403, 'Access is restricted')
        equal(c[1].get('/v1/kv/a'), 404)
        equal(c[1].get('/v1/agent/metrics'), 403, 'Endpoint is blocked by agent configuration')
        assert c[1].get('/v1/kv/a')['X-Consul-Translate-Addresses'] == 'true'
        equal(c[1].get('/v1/status/leader', headers={'X-Long': 'x' * 60000}), 200)


@test
def agent_87_connections_and_bodies_have_the_limits_that_are_set():
    big = b'x' * 4097
    with Cluster(1, {'limits': {'http_max_conns_per_client': 2, 'kv_max_value_size': 2048, 'txn_max_req_len': 4096}}) as c:
        def txn(size):
            body = json.dumps([{'KV': {'Verb': 'set', 'Key': 'k', 'Value': base64.b64encode(b'x' * size).decode()}}])
            return c[1].put('/v1/txn', body.encode())
        equal(c[1].put('/v1/kv/k', big[:2048]), 200, 'true')
        equal(c[1].put('/v1/kv/k', big[:2049]), 413)
        assert c[1].put('/v1/kv/k', big[:2049]).text.startswith(
            'Request body(2049 bytes) too large, max size: 2048 bytes. See '), c[1].put('/v1/kv/k', big[:2049])
        equal(txn(2048), 200)
        answer = txn(2049)
        assert 'Value for key "k" is too large (2049 > 2048 bytes)' in answer.text, answer
        answer = c[1].put('/v1/txn', b'[' + b' ' * 4095 + b']')
        assert answer.status == 413 and 'Request body(4097 bytes) too large, max size: 4096 bytes' in answer.text, answer

        def connection():  # of another client than the one that writes the keys
            return socket.create_connection((c[1].ip, 8500), 5, (c.net.ip(9), 0))

        def third():
            with connection() as s:
                s.sendall(b'GET /v1/status/leader HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
                with contextlib.suppress(ConnectionResetError):
                    return s.recv(65536).split(b'\r\n')[0]
        held = [connection(), connection()]
        assert third() == b'HTTP/1.1 429 Too Many Requests'
        for limit in (3, 0):  # a reload takes it up; 0: none
            c[1].config['limits']['http_max_conns_per_client'] = limit
            c[1].write_config()
            equal(c[1].put('/v1/agent/reload'), 200)
            assert third() == b'HTTP/1.1 200 OK', limit
            held += [connection()]
            if limit:
                wait_for(lambda: third() == b'HTTP/1.1 429 Too Many Requests', 5)
        for s in held:
            s.close()
