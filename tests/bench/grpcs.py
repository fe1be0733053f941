"""Rows about gRPC for bench.py: Kv.Get beside etcd's, and a feed read from its beginning."""
import json
import os
import subprocess

from cluster import Cluster
from load import put_many

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, '..', '..', 'build', 'grpcload')
FEED_CHANGES = 20000  # so many are surely still kept


def bench(measured, show, keys):
    subprocess.run(['go', 'build', '-o', PROGRAM, '.'], check=True, cwd=os.path.join(HERE, 'grpc'))
    with Cluster(1, {'log_level': 'INFO'}) as c:
        put_many(c[1].ip, 'bench/%07d', keys, threads=32, value=b'v' * 128)
        catalogd = {'catalogd': [c[1].daemon('catalogd').pid]}

        def load(op, clients, count):
            def run(seconds):
                done = subprocess.run([PROGRAM, '-address', c[1].ip + ':8504', '-op', op, '-clients', str(clients),
                                       '-seconds', str(seconds), '-keys', str(count)],
                                      capture_output=True, text=True, check=True, timeout=120)
                return dict({'p50_ms': 0, 'p99_ms': 0}, **json.loads(done.stdout))
            return run
        for clients in (64, 1):
            show('grpc GET c=%d' % clients, measured(catalogd, load('get', clients, keys)))
        show('grpc feed, changes', measured(catalogd, load('feed', 1, FEED_CHANGES)))
