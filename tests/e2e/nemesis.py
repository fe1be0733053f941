"""A random course of kills, pauses and lost folders; SEED repeats its choices, SECONDS its length."""
import os
import random
import shutil
import time

from cluster import Cluster, DAEMONS, wait_for
from history import History
from runner import test

BUILD = 'release'
EXPECT = ('',)  # what breaks may be complained about
SECONDS = float(os.environ.get('NEMESIS_SECONDS', '40'))
SEED = int(os.environ.get('SEED', '0')) or random.SystemRandom().randrange(1, 10 ** 6)


def kill_daemon(rng, node):
    name = rng.choice(DAEMONS)
    node.daemon(name).kill()
    return 'kill ' + name


def pause_daemon(rng, node):
    name, seconds = rng.choice(DAEMONS), rng.choice((0.2, 0.8, 2.5))
    daemon = node.daemon(name)
    daemon.pause()
    time.sleep(seconds)
    daemon.resume()
    return 'pause %s %.1f s' % (name, seconds)


def pause_server(rng, node):
    seconds = rng.choice((0.3, 1.0, 3.0))
    node.pause()
    time.sleep(seconds)
    node.resume()
    return 'pause all %.1f s' % seconds


def kill_server(rng, node):
    node.kill()
    time.sleep(rng.choice((0.0, 0.5, 2.0)))
    node.start(wait=False)
    return 'kill all'


def lose_catalog(rng, node):
    node.kill()
    shutil.rmtree(os.path.join(node.data_dir, 'catalog'), ignore_errors=True)
    node.start(wait=False)
    return 'lose catalog'


def kill_all(rng, node):
    for n in node.cluster:
        n.kill()
    for n in node.cluster:
        n.start(wait=False)
    return 'kill all servers'


ACTIONS = [kill_daemon] * 5 + [pause_daemon] * 4 + [pause_server] * 3 + [kill_server] * 4 + [lose_catalog, kill_all]


@test(seconds=int(SECONDS) + 200)
def consensus_21_8_history_is_linearizable_under_a_random_nemesis():
    print('SEED=%d' % SEED)
    rng = random.Random(SEED)
    with Cluster(3, {'raft_trailing_logs': 300}) as c:
        history = History(c, writers=4, readers=4, timeout=10)
        end = time.monotonic() + SECONDS
        try:
            while time.monotonic() < end:
                node = c[rng.randint(1, 3)]
                try:
                    done = rng.choice(ACTIONS)(rng, node)
                    print('%.1f n%d %s' % (end - time.monotonic(), node.k, done), flush=True)
                except (OSError, ValueError):
                    continue  # the daemon was not up: its pid file is gone or of a dead process
                time.sleep(rng.choice((0.1, 0.5, 2.0)))
            for node in c:
                node.wait_http()
            c.wait_leader()
            goal = history.acknowledged() + 50
            wait_for(lambda: history.acknowledged() >= goal, 40, 'writes after the storm')
        finally:
            counts = history.stop()
        assert counts.get('put 200', 0) > 100, counts

        def agree():
            items = [n.daemon('catalogd').status()['items'] for n in c]
            return len({(i['applied_index'], i['state_hash']) for i in items}) == 1
        wait_for(agree, 20, 'equal state hashes on all servers')
