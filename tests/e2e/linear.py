"""Nothing acknowledged is lost and every key is linearizable while servers are killed."""
import time

from cluster import Cluster, DAEMONS, wait_for
from history import History
from http1 import Http
from runner import test

BUILD = 'release'
EXPECT = ('',)  # what breaks may be complained about


def more_writes(history, count=150, seconds=30):
    goal = history.acknowledged() + count
    wait_for(lambda: history.acknowledged() >= goal, seconds, '%d more acknowledged writes' % count, every=0.05)


def some_refused(history, count=10, seconds=30):
    """Until so many more have met a server that is not there."""
    goal = history.counts.get('refused', 0) + count
    wait_for(lambda: history.counts.get('refused', 0) >= goal, seconds, '%d refused connections' % count)


@test(seconds=300)
def issue_history_is_linearizable_while_the_leaders_daemons_and_whole_servers_are_killed():
    with Cluster(3) as c:
        history = History(c)
        try:
            more_writes(history)
            for name in DAEMONS:
                leader = c.wait_leader()
                pid = leader.daemon(name).kill()
                more_writes(history)
                wait_for(lambda: leader.daemon(name).restarted_since(pid), 20, 'restart of ' + name)
                leader.wait_http()
            first = c.wait_leader()
            first.kill()
            more_writes(history)
            first.start(wait=False)
            first.wait_http()
            c.wait_leader()
            more_writes(history)
            for node in [n for n in c if n is not first]:
                node.kill()
            some_refused(history)
            for node in [n for n in c if n is not first]:
                node.start(wait=False)
            c.wait_leader()
            more_writes(history)
        finally:
            counts = history.stop()
        assert counts.get('put 200', 0) > 1000, counts
        index = {n.get('/v1/kv/lin?recurse').body for n in c}
        assert len(index) == 1, 'servers differ'


@test(seconds=300)
def issue_history_is_linearizable_with_two_servers_dead_at_once_and_all_dead_at_once():
    with Cluster(3) as c:
        history = History(c, writers=4, readers=4)
        try:
            more_writes(history)
            c[1].kill()
            c[2].kill()
            some_refused(history)
            c[1].start(wait=False)
            c[2].start(wait=False)
            c.wait_leader()
            more_writes(history)
            for node in c:
                node.kill()
            for node in c:
                node.start(wait=False)
            c.wait_leader()
            more_writes(history)
        finally:
            history.stop()


@test(seconds=300)
def issue_a_leader_paused_for_five_seconds_never_answers_an_old_value():
    with Cluster(3) as c:
        # each worker stays with one server: those of the paused one read on in the turn it wakes
        history = History(c, writers=6, readers=6, stick=True)
        try:
            for _ in range(2):
                more_writes(history)
                leader = c.wait_leader()
                leader.pause()
                paused = time.monotonic()
                try:
                    more_writes(history)
                    time.sleep(max(0, 5 - (time.monotonic() - paused)))  # five seconds are what is promised
                finally:
                    leader.resume()
                more_writes(history)
                assert c.wait_leader() is not leader
        finally:
            history.stop()


@test(seconds=300)
def consensus_21_57_a_pause_of_one_daemon_of_the_leader_leaves_history_linearizable():
    with Cluster(3) as c:
        history = History(c)
        try:
            for name in DAEMONS:
                more_writes(history)
                leader = c.wait_leader()
                daemon = leader.daemon(name)
                daemon.pause()
                time.sleep(4)  # longer than a lease and an election: the pause is what is tested
                daemon.resume()
                more_writes(history)
        finally:
            history.stop()


@test(seconds=300)
def issue_a_woken_leader_sends_no_old_answer_to_a_read_that_waited_in_its_socket():
    with Cluster(3) as c:
        assert c[1].put('/v1/kv/old', b'old').text == 'true'
        leader = c.wait_leader()
        for mode in ('', '&consistent'):
            http = Http(leader.ip, timeout=40)
            http.get('/v1/kv/old?raw')  # connected before the pause
            leader.pause()
            rest = [n for n in c if n is not leader]
            import threading
            got = []
            reader = threading.Thread(target=lambda: got.append(http.get('/v1/kv/old?raw' + mode)))
            reader.start()
            c.wait_leader(among=rest)
            value = b'new' + mode.encode()
            assert rest[0].put('/v1/kv/old', value).text == 'true'
            time.sleep(5)  # the pause is what is tested
            leader.resume()
            reader.join(40)
            assert got and (got[0].status != 200 or got[0].body == value), got
            leader = c.wait_leader()
