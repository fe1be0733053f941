"""Load on a server: many writes quickly, or workers that go on while something is broken."""
import http.client
import threading
import time

from cluster import wait_for
from http1 import Http


def put_many(ip, pattern, count, threads=16, value=b'x'):
    """PUTs pattern % 0 .. count-1; raises when one is not acknowledged."""
    errors = []

    def work(first):
        node = Http(ip)
        try:
            for i in range(first, count, threads):
                a = node.put('/v1/kv/' + pattern % i, value)
                assert a.status == 200 and a.text == 'true', a
        except Exception as e:
            errors.append(e)
        node.close()
    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    if errors:
        raise errors[0]


class Load:
    """Writers and readers on all servers of a cluster until stopped; keeps every outcome.

    Each writer has one key and writes 1, 2, 3, ... and keeps what was acknowledged, so that at the
    end the key must hold that or a later number which was tried.
    """

    def __init__(self, cluster, writers=2, readers=2, pause=0.0, timeout=15):
        self.cluster, self.pause, self.timeout = cluster, pause, timeout
        self.stopping = threading.Event()
        self.acked, self.tried, self.outcomes, self.wrong = {}, {}, [], []
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(writers)]
        self.threads += [threading.Thread(target=self.read, args=(i,)) for i in range(readers)]
        [t.start() for t in self.threads]

    def each(self, name, act):
        nodes = [Http(n.ip, timeout=self.timeout) for n in self.cluster]
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            try:
                a = act(nodes[turn % len(nodes)], turn)
                self.outcomes.append((time.monotonic(), name, a.status, a.text[:80] if a.status != 200 else ''))
            except (OSError, http.client.HTTPException) as e:
                self.outcomes.append((time.monotonic(), name, 0, type(e).__name__))
                time.sleep(0.02)
            time.sleep(self.pause)

    def write(self, i):
        key = 'load/%d' % i

        def act(node, turn):
            self.tried[key] = turn
            a = node.put('/v1/kv/' + key, b'%d' % turn)
            if a.status == 200:
                self.acked[key] = turn
            return a
        self.each('PUT', act)

    def read(self, i):
        key = 'load/%d' % i

        def act(node, turn):
            floor = self.acked.get(key, 0)
            a = node.get('/v1/kv/%s?raw' % key)
            if a.status == 200 and int(a.body) < floor:
                self.wrong.append('%s was %s after %d was acknowledged' % (key, a.body, floor))
            return a
        self.each('GET', act)

    def stop(self):
        """Ends it; asserts that nothing acknowledged is lost and nothing old was read."""
        self.stopping.set()
        [t.join(60) for t in self.threads]
        assert not self.wrong, self.wrong
        for node in self.cluster:
            for key, floor in self.acked.items():
                a = node.get('/v1/kv/%s?raw' % key)
                assert a.status == 200 and floor <= int(a.body) <= self.tried[key], (key, floor, a)
        return self.outcomes

    def wait_more(self, count=50, seconds=30):
        """Until so many more requests have ended."""
        end = len(self.outcomes) + count
        wait_for(lambda: len(self.outcomes) >= end, seconds, '%d more requests' % count)

    def failures(self):
        return [o for o in self.outcomes if o[2] not in (200, 404)]
