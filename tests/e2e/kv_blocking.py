"""http-api.md 5.2 items 42 to 49, 284, 286: blocking reads of keys on one server."""
import socket
import threading
import time

from cluster import Cluster, wait_for
from http1 import Http
from runner import fixture, test
from waiting import Wait


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


@test
def http_42_no_change_ends_at_the_wait_with_a_sixteenth_of_jitter(one):
    one.put('/v1/kv/w42', b'1')
    n = one.get('/v1/kv/w42').index
    took = []
    while not took or (took[-1] > 1.2 and len(took) < 5):  # the machine may be busy with other things
        a = one.get('/v1/kv/w42?index=%d&wait=1s' % n)
        assert a.status == 200 and a.index == n and a.seconds >= 1.0, a
        took.append(a.seconds)
    assert took[-1] <= 1.2, took


@test
def consensus_32_a_wait_has_the_default_and_the_most_that_are_set_and_a_sixteenth_of_jitter():
    with Cluster(1, {'default_query_time': '400ms', 'max_query_time': '800ms'}) as c:
        c[1].put('/v1/kv/w32', b'1')
        n = c[1].get('/v1/kv/w32').index
        for wait, seconds in (('', 0.4), ('&wait=1h', 0.8), ('&wait=600s', 0.8), ('&wait=100ms', 0.1)):
            took = []
            while not took or (took[-1] > seconds * 17 / 16 + 0.2 and len(took) < 5):  # the machine may be busy
                a = c[1].get('/v1/kv/w32?index=%d%s' % (n, wait))
                assert a.status == 200 and a.index == n and a.seconds >= seconds, (wait, a.seconds)
                took.append(a.seconds)
            assert took[-1] <= seconds * 17 / 16 + 0.2, (wait, took)


@test
def http_43_a_write_ends_the_wait_promptly(one):
    one.put('/v1/kv/w43', b'1')
    n = one.get('/v1/kv/w43').index
    w = Wait(one, '/v1/kv/w43?index=%d&wait=10s' % n)
    at = time.monotonic()
    one.put('/v1/kv/w43', b'2')
    a = w.result()
    assert a.index > n and a.json()[0]['ModifyIndex'] == a.index
    assert w.at - at < 5, w.at - at


@test
def http_44_an_identical_write_does_not_wake(one):
    one.put('/v1/kv/w44', b'1')
    n = one.get('/v1/kv/w44').index
    w = Wait(one, '/v1/kv/w44?index=%d&wait=1s' % n)
    one.put('/v1/kv/w44', b'1')
    a = w.result()
    assert a.index == n and a.seconds >= 1.0, a.seconds


@test
def http_45_an_index_beyond_the_state_answers_with_the_true_one(one):
    one.put('/v1/kv/w45', b'1')
    n = one.get('/v1/kv/w45').index
    a = one.get('/v1/kv/w45?index=999999&wait=1s')
    assert a.index == n and 0.5 <= a.seconds < 5, a.seconds
    a = one.get('/v1/kv/w45?index=999999&wait=10s')  # http 3.2: at most one second
    assert a.index == n and 0.5 <= a.seconds < 5, a.seconds


@test
def http_46_a_lower_index_is_answered_at_once(one):
    one.put('/v1/kv/w46', b'1')
    assert one.get('/v1/kv/w46?index=1&wait=10s').seconds < 5
    assert one.get('/v1/kv/w46?index=0&wait=10s').seconds < 5


@test
def http_47_48_other_keys_do_not_wake_a_present_or_a_missing_one(one):
    one.put('/v1/kv/w47', b'1')
    n, gone = one.get('/v1/kv/w47').index, one.get('/v1/kv/w48').index
    present = Wait(one, '/v1/kv/w47?index=%d&wait=2s' % n)
    missing = Wait(one, '/v1/kv/w48?index=%d&wait=2s' % gone)
    for i in range(50):
        one.put('/v1/kv/other/%d' % i, b'1')
    a, b = present.result(), missing.result()
    assert a.index == n and a.seconds >= 2.0, a
    assert b.status == 404 and b.index == gone and b.seconds >= 2.0, b


@test
def http_48_a_missing_key_wakes_when_it_is_made(one):
    gone = one.get('/v1/kv/w48b').index
    w = Wait(one, '/v1/kv/w48b?index=%d&wait=10s' % gone)
    one.put('/v1/kv/w48b', b'1')
    a = w.result()
    assert a.status == 200 and a.index > gone


@test
def http_286_a_delete_wakes_key_prefix_and_keys(one):
    for recurse in ('', '?recurse'):
        one.put('/v1/kv/w286/b', b'1')
        one.put('/v1/kv/w286/c/d', b'1')
        paths = ['/v1/kv/w286/b?', '/v1/kv/w286/?recurse&', '/v1/kv/w286/?keys&']
        waits = [Wait(one, '%sindex=%d&wait=10s' % (p, one.get(p).index)) for p in paths]
        one.delete('/v1/kv/w286/' + recurse if recurse else '/v1/kv/w286/b')
        index = {w.result().index for w in waits}
        assert index == {one.get('/v1/kv/w286/b').index}, index


@test
def http_286_a_read_with_an_index_from_before_the_delete_returns_at_once(one):
    one.put('/v1/kv/w286x', b'1')
    n = one.get('/v1/kv/w286x').index
    one.delete('/v1/kv/w286x')
    a = one.get('/v1/kv/w286x?index=%d&wait=10s' % n)
    assert a.status == 404 and a.index > n and a.seconds < 5


@test
def http_1_8_a_raw_wait_and_a_consistent_wait_wake(one):
    one.put('/v1/kv/wr', b'1')
    n = one.get('/v1/kv/wr').index
    waits = [Wait(one, '/v1/kv/wr?%s&index=%d&wait=10s' % (q, n))
             for q in ('raw', 'consistent', 'stale')]
    one.put('/v1/kv/wr', b'new')
    assert waits[0].result().body == b'new'
    assert all(w.result().index > n for w in waits)


@test
def consensus_21_6_every_change_is_seen_as_a_change_of_index(one):
    done, seen = threading.Event(), []

    def follow():
        http, n = Http(one.ip), 0
        while not done.is_set():
            a = http.get('/v1/kv/s216?index=%d&wait=1s' % n)
            assert a.index >= n
            n = a.index
            seen.append((n, a.body if a.status == 200 else None))
    threads = [threading.Thread(target=follow, daemon=True) for _ in range(4)]
    [t.start() for t in threads]
    for i in range(150):
        one.put('/v1/kv/s216', b'%d' % i) if i % 5 else one.delete('/v1/kv/s216')
    one.put('/v1/kv/s216', b'last')
    last = one.get('/v1/kv/s216').index
    wait_for(lambda: sum(1 for n, _ in seen if n == last) >= 4, 5, 'all followers at the last index')
    done.set()
    [t.join(5) for t in threads]
    values = {}
    for n, value in seen:
        assert values.setdefault(n, value) == value, 'two values under index %d' % n


@test
def http_284_waits_of_clients_that_hang_up_are_gone_within_a_second(one):
    def waiting():
        return one.daemon('catalogd').metric('catalog.watch.waiting')
    before, socks = waiting(), []
    for i in range(150):  # each of its own key, so that each is a wait upstream
        s = socket.create_connection((one.ip, 8500))
        s.sendall(b'GET /v1/kv/w284/%d?index=%d&wait=300s HTTP/1.1\r\nHost: a\r\n\r\n'
                  % (i, one.get('/v1/kv/w284/%d' % i).index))
        socks.append(s)
    wait_for(lambda: waiting() >= before + 150, 10, '150 waits')
    for s in socks:
        s.close()
    wait_for(lambda: waiting() <= before, 1.5, 'no wait left')


@test
def issue_a_wait_is_not_woken_by_10000_writes_to_other_keys(one):
    import load
    one.put('/v1/kv/quiet', b'1')
    n = one.get('/v1/kv/quiet').index

    def woken():
        return one.daemon('catalogd').metric('catalog.watch.woken')
    waits = [Wait(one, '/v1/kv/quiet?index=%d&wait=60s' % n) for _ in range(5)]
    before = woken()
    load.put_many(one.ip, 'noise/%d', 10000)
    assert woken() == before, (woken(), before)
    assert all(w.answer is None for w in waits)
    one.put('/v1/kv/quiet', b'2')
    assert all(w.result().index > n for w in waits)
