"""gossipd in one pool with Debian's `serf agent`, compression on at both sides, in both directions."""
import os
import random
import re
import signal
import time

from cluster import wait_for
from gossip import FAILED_S, Pool
from runner import fixture, test


@fixture
def pool():
    """g1, then serf s1 joins it, then g2 joins the serf: each side has let the other in."""
    with Pool() as p:
        p.g1 = p.gossipd('g1')
        p.s1 = p.serf('s1', join='g1', tags={'role': 'web', 'zone': 'z1'})
        p.g2 = p.gossipd('g2', join='s1')
        p.wait_all()
        yield p


@test
def gossip_21_85_each_side_joins_through_the_other_and_lists_it(pool):
    for who in (pool.g1, pool.g2, pool.s1):
        members = who.members()
        assert {n: m['status'] for n, m in members.items()} == dict.fromkeys(['g1', 'g2', 's1'], 'alive'), members
        for other in (pool.g1, pool.g2, pool.s1):
            assert members[other.name]['addr'] == pool.address(other), members


@test
def gossip_21_tags_are_seen_on_both_sides(pool):
    assert pool.g2.members()['s1']['tags'] == {'role': 'web', 'zone': 'z1'}
    tags = pool.s1.members()['g2']['tags']
    assert tags['role'] == 'node' and tags['dc'] == 'dc1' and tags['build'] == '1.9.8:', tags
    assert tags == pool.g1.members()['g2']['tags']


@test
def gossip_13_changed_tags_spread_both_ways(pool):
    pool.s1.set_tags(zone='z2', extra='1')
    wait_for(lambda: pool.g2.members()['s1']['tags'] == {'role': 'web', 'zone': 'z2', 'extra': '1'}, 5)
    pool.g2.set_tags(extra='2', remove=['acls'])
    wait_for(lambda: pool.s1.members()['g2']['tags'].get('extra') == '2', 5)
    assert 'acls' not in pool.s1.members()['g2']['tags']
    pool.g2.set_tags(acls='0', remove=['extra'])
    wait_for(lambda: 'extra' not in pool.g1.members()['g2']['tags'], 5)


@test
def gossip_74_tags_over_the_limit_are_refused(pool):
    try:
        pool.g1.set_tags(long='x' * 512)
    except OSError as e:
        assert 'Encoded length of tags exceeds limit of 512 bytes' in str(e), e
    else:
        raise AssertionError('tags of more than 512 bytes were taken')
    assert 'long' not in pool.s1.members()['g1']['tags']


@test
def contracts_5_5_the_feed_is_complete_and_tells_each_member_once(pool):
    feed = pool.g1.records()
    assert feed['outcome'] == 'MEMBERS_RECORDS' and feed['complete'] is True, feed
    names = [r['member']['name'] for r in feed['records']]
    assert sorted(names) == ['g1', 'g2', 's1'], names
    indexes = [r['index'] for r in feed['records']]
    assert indexes == sorted(indexes) and feed['upto'] == indexes[-1]
    empty = pool.g1.records(after=feed['upto'], feed_id=feed['feed_id'])
    assert empty['outcome'] == 'MEMBERS_NOTHING' and empty['upto'] == feed['upto'], empty
    other = pool.g1.records(after=1, feed_id='AAAAAAAAAAAAAAAAAAAAAA==')
    assert other['outcome'] == 'MEMBERS_COMPACTED' and other['feed_id'] == feed['feed_id'], other


@test
def a_follow_wakes_with_the_change(pool):
    feed = pool.g1.records()
    began = time.monotonic()
    pool.s1.set_tags(wake='1')
    woken = pool.g1.records(after=feed['upto'], feed_id=feed['feed_id'], wait_ms=20000)
    assert woken['records'][0]['kind'] == 'RECORD_UPDATED', woken
    assert woken['records'][0]['member']['name'] == 's1' and woken['upto'] > feed['upto']
    assert time.monotonic() - began < 10


@test
def gossip_15_a_join_of_nobody_says_why(pool):
    said = pool.g1.join('127.0.0.1:1', 'no-such-host.invalid')
    assert not said['joined'] and len(said['errors']) == 2, said
    assert any(e.startswith('Failed to resolve no-such-host.invalid: ') for e in said['errors']), said
    assert 'Failed to join 127.0.0.1:1: Connection refused' in said['errors'], said


@test(seconds=300)
def gossip_32_52_a_leave_is_seen_on_both_sides_as_one():
    with Pool() as p:
        g1 = p.gossipd('g1')
        s1, g2 = p.serf('s1', join='g1'), p.gossipd('g2', join='g1')
        p.wait_all()
        s1.leave()
        for who in (g1, g2):
            p.wait_status(who, 's1', 'left')
        s2 = p.serf('s2', join='g1')
        p.wait_all(among=[g1, g2, s2])
        g2.leave()
        for who in (g1, s2):
            p.wait_status(who, 'g2', 'left')
        assert 'EventMemberFailed' not in s2.logs()
        kinds = {r['member']['name']: r['kind'] for r in g1.records()['records']}
        assert kinds['s1'] == kinds['g2'] == 'RECORD_LEFT', kinds


@test(seconds=300)
def gossip_56_87_kill_9_is_noticed_both_ways_and_force_leave_and_prune_end_it():
    with Pool() as p:
        g1 = p.gossipd('g1')
        s1, g2, s2 = p.serf('s1', join='g1'), p.gossipd('g2', join='g1'), p.serf('s2', join='g1')
        p.wait_all()
        g2.kill()
        s2.kill()
        for who in (g1, s1):
            for gone in ('g2', 's2'):
                p.wait_status(who, gone, 'failed', FAILED_S)
        s1.force_leave('g2')
        g1.force_leave('s2')
        for who in (g1, s1):
            for gone in ('g2', 's2'):
                p.wait_status(who, gone, 'left')
        s1.force_leave('g2', prune=True)
        g1.force_leave('s2', prune=True)
        for who in (g1, s1):
            for gone in ('g2', 's2'):
                wait_for(lambda: gone not in who.members(), 10, '%s pruned at %s' % (gone, who.name), every=0.1)
        kinds = {r['member']['name']: r['kind'] for r in g1.records()['records']}
        assert kinds['g2'] == kinds['s2'] == 'RECORD_REAPED', kinds


@test(seconds=300)
def gossip_87_sigterm_is_no_leave():
    with Pool() as p:
        g1 = p.gossipd('g1')
        s1, g2 = p.serf('s1', join='g1'), p.gossipd('g2', join='g1')
        p.wait_all()
        assert g2.stop() == 0
        p.wait_status(s1, 'g2', 'failed', FAILED_S)
        p.wait_status(g1, 'g2', 'failed', FAILED_S)
        assert g2.start()
        for who in (g1, s1):
            p.wait_status(who, 'g2', 'alive')


@test(seconds=300)
def issue_a_gossipd_paused_for_three_seconds_refutes_and_stays_alive():
    with Pool() as p:
        g1 = p.gossipd('g1')
        s1, g2, s2 = p.serf('s1', join='g1'), p.gossipd('g2', join='g1'), p.serf('s2', join='g1')
        p.wait_all()
        before = g1.records()
        g2.signal(signal.SIGSTOP)
        time.sleep(3)  # the pause itself is what is tested
        g2.signal(signal.SIGCONT)
        suspected = 'Suspect g2 has failed' in s1.logs() + s2.logs() or 'gossip.suspect' in g1.logs()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for who in (g1, s1, s2):
                assert who.status('g2') == 'alive', who.name
        for serf in (s1, s2):
            assert 'EventMemberFailed: g2' not in serf.logs()
        after = g1.records(after=before['upto'], feed_id=before['feed_id'])
        assert not [r for r in after.get('records', []) if r['kind'] == 'RECORD_FAILED'], after
        print('suspected meanwhile: %s, refuted: %s' % (suspected, 'gossip.refuted' in g2.logs()))


@test(seconds=300)
def gossip_72_88_a_restart_rejoins_from_the_snapshot_and_remembers_who_is_gone():
    with Pool() as p:
        s1 = p.serf('s1')
        g1 = p.gossipd('g1', join='s1')
        s2, s3 = p.serf('s2', join='s1'), p.serf('s3', join='s1')
        p.wait_all()
        s2.leave()
        s3.kill()
        p.wait_status(g1, 's2', 'left')
        p.wait_status(g1, 's3', 'failed', FAILED_S)
        path = os.path.join(g1.config['data_dir'], 'serf', 'local.snapshot')

        def written():
            with open(path) as f:
                return re.search(r'^# curia: failed .* s3$', f.read(), re.M)
        wait_for(written, 5)
        g1.kill()
        with open(path, 'a') as f:
            f.write('alive: torn')  # as a crash may leave it
        del g1.config['retry_join']
        g1.start()
        p.wait_status(g1, 's1', 'alive')
        p.wait_status(s1, 'g1', 'alive')
        kinds = {r['member']['name']: r['kind'] for r in g1.records()['records']}
        assert kinds['s2'] == 'RECORD_LEFT' and kinds['s3'] == 'RECORD_FAILED', kinds
        wait_for(lambda: g1.records()['complete'], 5)


@test
def gossip_88_the_feed_is_not_complete_before_a_join():
    with Pool() as p:
        g1 = p.gossipd('g1')
        assert g1.records()['complete'] is False and g1.call('List')['complete'] is False
        g2 = p.gossipd('g2', join='g1')
        p.wait_all()
        for who in (g1, g2):
            wait_for(lambda: who.records()['complete'], 5)


@test
def gossip_76_another_datacenter_is_not_let_in():
    with Pool() as p:
        g1, g2 = p.gossipd('g1'), p.gossipd('g2', datacenter='dc2')
        said = g1.join(p.address(g2))
        assert not said['joined'], said
        assert "Member 'g1' part of wrong datacenter 'dc1'" in str(said) or \
            "Member 'g2' part of wrong datacenter 'dc2'" in str(said), said
        assert list(g1.members()) == ['g1'] and list(g2.members()) == ['g2']


@test
def compression_is_a_setting():
    with Pool() as p:
        g1 = p.gossipd('g1', gossipd={'compression': False})
        s1, s2 = p.serf('s1', join='g1'), p.serf('s2', '-disable-compression', join='g1')
        g2 = p.gossipd('g2', join='s2')
        p.wait_all()
        s1.set_tags(seen='yes')
        for who in (g1, g2, s2):
            wait_for(lambda: who.members()['s1']['tags'].get('seen') == 'yes', 5)


@test(seconds=300)
def agent_103_retry_join_that_is_exhausted_ends_it():
    with Pool() as p:
        g1 = p.gossipd('g1', retry_join=['127.0.0.1:1'], retry_max=2, retry_interval='200ms')
        assert g1.process.wait(20) == 79  # common/daemon: starting it again would not help
        assert 'agent: max join LAN retry exhausted, exiting' in g1.logs()


@test
def gossip_84_a_pool_of_ipv6():
    port = random.randrange(20000, 30000)

    def six(k, **config):
        return dict(config, bind_addr='::1', advertise_addr='::1', client_addr='::1', ports={'serf_lan': port + k})
    with Pool() as p:
        g1 = p.gossipd('g1', **six(0))
        s1 = p.serf('s1', '-bind', '[::1]:%d' % (port + 1), '-join', '[::1]:%d' % port)
        g2 = p.gossipd('g2', **six(2, retry_join=['[::1]:%d' % (port + 1)]))
        p.wait_all()
        s1.leave()
        for who in (g1, g2):
            p.wait_status(who, 's1', 'left')
