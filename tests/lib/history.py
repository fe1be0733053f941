"""Workers that write a history of single keys for tests/clients/linearize to judge.

Each key lives for a short while and then a new one takes its place, since writes of unknown
outcome stay open for ever and the judge's work grows with them.
"""
import http.client
import json
import os
import random
import subprocess
import threading
import time

from http1 import Http

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEY_LIFE_S = 4.0
NOT_SENT = (ConnectionRefusedError,)


def judge_path():
    path = os.environ.get('LINEARIZE') or os.path.join(ROOT, 'build', 'linearize')
    if not os.path.exists(path):
        subprocess.run(['go', 'build', '-o', path, '.'], check=True,
                       cwd=os.path.join(ROOT, 'tests', 'clients', 'linearize'))
    return path


class History:
    """writers + readers on every server of the cluster, by plain HTTP, until stop()."""

    def __init__(self, cluster, writers=4, readers=4, keys=3, pause=0.002, timeout=20, stick=False):
        self.cluster, self.keys, self.pause, self.timeout = cluster, keys, pause, timeout
        self.stick = stick  # each worker stays with one server
        self.start = time.monotonic_ns()
        self.stopping, self.lock, self.rows = threading.Event(), threading.Lock(), []
        self.counts = {}
        self.ids = iter(range(10 ** 9))
        self.threads = [threading.Thread(target=self.work, args=(i, self.write)) for i in range(writers)]
        self.threads += [threading.Thread(target=self.work, args=(writers + i, self.read))
                         for i in range(readers)]
        [t.start() for t in self.threads]

    def now(self):
        return time.monotonic_ns() - self.start

    def key(self, rng):
        return 'lin/%d/%d' % (rng.randrange(self.keys), int(self.now() / 1e9 / KEY_LIFE_S))

    def row(self, client, key, op, value, call, ok, **more):
        row = dict(client=client, key=key, op=op, value=value, call=call, ok=ok, **more)
        row['return'] = self.now()
        with self.lock:
            self.rows.append(row)

    def tally(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def work(self, client, act):
        rng = random.Random(client)
        nodes = [Http(n.ip, timeout=self.timeout) for n in self.cluster]
        while not self.stopping.is_set():
            act(client, rng, nodes[client % len(nodes)] if self.stick else rng.choice(nodes))
            time.sleep(self.pause)
        [n.close() for n in nodes]

    def write(self, client, rng, node):
        with self.lock:
            value = str(next(self.ids))
        key, call = self.key(rng), self.now()
        try:
            a = node.put('/v1/kv/' + key, value.encode())
        except NOT_SENT:
            time.sleep(0.05)
            return self.tally('refused')
        except (OSError, http.client.HTTPException) as e:
            self.tally('put ' + type(e).__name__)
            return self.row(client, key, 'put', value, call, False)
        self.tally('put %d' % a.status)
        # an error may come after the write was logged: only `true` says that it took effect
        self.row(client, key, 'put', value, call, a.status == 200)
        if a.status != 200:
            time.sleep(0.02)

    def read(self, client, rng, node):
        key, call = self.key(rng), self.now()
        mode = rng.choice(('', '&consistent'))
        try:
            a = node.get('/v1/kv/%s?raw%s' % (key, mode))
        except (OSError, http.client.HTTPException) as e:
            time.sleep(0.02)
            return self.tally('get ' + type(e).__name__)
        self.tally('get %d' % a.status)
        if a.status == 404:
            self.row(client, key, 'get', '', call, True)
        elif a.status == 200:
            self.row(client, key, 'get', a.text, call, True)
        else:
            time.sleep(0.02)

    def acknowledged(self):
        with self.lock:
            return sum(1 for r in self.rows if r['op'] == 'put' and r['ok'])

    def stop(self):
        """Ends the workers, reads each key once more on every server, judges. Returns the counts."""
        self.stopping.set()
        [t.join(60) for t in self.threads]
        for key in sorted({r['key'] for r in self.rows}):
            for node in self.cluster:
                call = self.now()
                a = Http(node.ip).get('/v1/kv/%s?raw' % key)
                assert a.status in (200, 404), a
                self.row(99, key, 'get', a.text if a.status == 200 else '', call, True)
        path = os.path.join(self.cluster.dir, 'history.jsonl')
        with open(path, 'w') as f:
            f.writelines(json.dumps(r) + '\n' for r in self.rows)
        done = subprocess.run([judge_path(), path], capture_output=True, text=True)
        print(done.stdout.strip(), self.counts)
        if done.returncode:
            kept = os.path.join('/tmp', 'curia-history-%d.jsonl' % os.getpid())
            os.rename(path, kept)
            raise AssertionError('not linearizable, history kept in %s\n%s' % (kept, done.stdout + done.stderr))
        return self.counts
