"""Replicas prove to each other that they hold the same state; one that does not gets it anew (contracts 3.6, 6.1)."""
import hashlib
import os
import sqlite3
import struct

from cluster import Cluster, node_id, wait_for
from load import put_many
from runner import test

BUILD = 'release'
EXPECT = ('',)  # what is wrong is to be complained about
KEY = b'default\0default\0p/007'


def change(data_dir, forged):
    """Another value behind catalogd's back; forged: with the hashes to match, as no disk would do it."""
    db = sqlite3.connect(os.path.join(data_dir, 'catalog', 'state.db'), isolation_level=None)
    row, old = db.execute('SELECT row, hash FROM kv WHERE key = ?', (KEY,)).fetchone()
    new = row.replace(b'value', b'VALUE')
    assert new != row
    digest = hashlib.blake2b(digest_size=16)
    for part in (b'kv', KEY, new):
        digest.update(struct.pack('<I', len(part)) + part)
    db.execute('BEGIN')
    db.execute('UPDATE kv SET row = ?, hash = ? WHERE key = ?', (new, digest.digest() if forged else old, KEY))
    if forged:
        state = db.execute("SELECT value FROM meta WHERE name = 'state'").fetchone()[0]
        at = 1 + 1 + 4 + 16 + 8 * 8 + 8 * state[1]  # core/bookmark.c
        total = sum_of(state[at:at + 16]) - sum_of(old) + sum_of(digest.digest())
        state = state[:at] + (total % 2 ** 128).to_bytes(16, 'little') + state[at + 16:]
        db.execute("UPDATE meta SET value = ? WHERE name = 'state'", (state,))
    db.execute('COMMIT')
    db.close()


def sum_of(digest):
    return int.from_bytes(digest, 'little')


def items(node):
    return node.daemon('catalogd').status()['items']


def value(node):
    return node.get('/v1/kv/p/007?raw&stale').body


def changed(node, forged):
    node.stop()
    change(node.data_dir, forged)
    node.start()


def agree(nodes):
    """All at one index with one hash, and said so by the comparison."""
    wait_for(lambda: len({(items(n)['applied_index'], items(n)['state_hash']) for n in nodes}) == 1, 20, 'one hash')
    index = int(items(nodes[0])['applied_index'])
    for n in nodes:
        wait_for(lambda: int(items(n)['agreed_index']) >= index, 20, 'an agreement at %d' % index)
        assert items(n)['wrong'] == items(n)['differs'] == '', items(n)


@test(seconds=300)
def contracts_3_6_a_row_changed_on_the_disk_is_found_at_the_start_and_mended():
    with Cluster(3) as c:
        put_many(c[1].ip, 'p/%03d', 200, value=b'value')
        victim = c.followers()[0]
        changed(victim, forged=False)
        wait_for(lambda: victim.daemon('catalogd').metric('catalog.pull.installed') >= 1, 15, 'a new state')
        assert victim.daemon('catalogd').metric('catalog.scrub.damaged') == 1
        assert value(victim) == b'value'
        assert 'rows fail their hash' in victim.logs()
        assert os.path.exists(os.path.join(victim.data_dir, 'catalog', 'state.db.damaged'))
        assert victim.put('/v1/kv/p/after', b'x').text == 'true'
        agree(list(c))


@test(seconds=300)
def contracts_3_6_the_leaders_state_is_replaced_as_well():
    with Cluster(3) as c:
        put_many(c[1].ip, 'p/%03d', 200, value=b'value')
        victim = c.wait_leader()
        changed(victim, forged=False)
        wait_for(lambda: victim.daemon('catalogd').metric('catalog.pull.installed') >= 1, 15, 'a new state')
        c.wait_leader()
        assert victim.get('/v1/kv/p/007?raw').body == b'value'
        agree(list(c))


@test(seconds=300)
def contracts_3_6_a_replica_that_differs_from_a_quorum_is_found_by_comparison_and_mended():
    with Cluster(3) as c:
        put_many(c[1].ip, 'p/%03d', 200, value=b'value')
        victim = c.followers()[0]
        changed(victim, forged=True)
        assert value(victim) == b'VALUE'
        wait_for(lambda: victim.daemon('catalogd').metric('catalog.pull.installed') >= 1, 20, 'a new state')
        assert victim.daemon('catalogd').metric('catalog.scrub.damaged') == 0  # its rows did add up
        assert victim.daemon('catalogd').metric('catalog.compare.differs') >= 1
        assert value(victim) == b'value'
        agree(list(c))
        for node in c:
            pulls = node.daemon('catalogd').metric('catalog.pull.installed')
            assert pulls == (1 if node is victim else 0), (node.ip, pulls)


@test(seconds=300)
def contracts_3_6_of_two_servers_neither_is_declared_wrong_and_both_say_that_they_differ():
    with Cluster(2) as c:
        put_many(c[1].ip, 'p/%03d', 200, value=b'value')
        victim = c.followers()[0]
        changed(victim, forged=True)
        for node in c:
            wait_for(lambda: node.daemon('catalogd').metric('catalog.compare.differs') >= 2, 30, 'word of it')
            assert 'its hash is' in items(node)['differs'], items(node)
            assert 'state.differs' in node.logs()
            assert node.daemon('catalogd').metric('catalog.pull.installed') == 0
        assert c[1].put('/v1/kv/p/after', b'x').text == 'true'
        # the way out that the message names
        victim.stop()
        os.remove(os.path.join(victim.data_dir, 'catalog', 'state.db'))
        victim.start()
        wait_for(lambda: value(victim) == b'value', 20, 'the state of the other one')
        agree(list(c))


@test(seconds=300)
def contracts_3_8_a_reading_catalogd_takes_the_attached_ones_word():
    with Cluster(1, start=False) as c:
        ip = c.net.ip(9)
        c[1].config['raftd']['readers'] = [ip]
        c.start()
        put_many(c[1].ip, 'p/%03d', 200, value=b'value')
        config = {'node_name': 'reader', 'node_id': node_id(9), 'datacenter': 'dc1', 'server': True,
                  'data_dir': os.path.join(c.dir, 'reader', 'data'), 'bind_addr': ip, 'client_addr': ip,
                  'advertise_addr': ip, 'raftd': {'peers': c[1].config['raftd']['peers']},
                  'catalogd': {'follow': '%s:8310' % c[1].ip}}
        os.makedirs(config['data_dir'])
        reader = c.spawn('reader', config, None, 'catalogd')
        wait_for(lambda: items(reader)['applied_index'] == items(c[1])['applied_index'], 20, 'all of the log')
        reader.stop()
        change(config['data_dir'], forged=True)
        reader.start()
        wait_for(lambda: reader.daemon('catalogd').metric('catalog.pull.installed') >= 1, 20, 'a new state')
        agree([reader])
        assert items(reader)['state_hash'] == items(c[1])['state_hash']
        assert c[1].daemon('catalogd').metric('catalog.compare.differs') == 0


@test(seconds=300)
def a_single_server_says_what_is_wrong_and_goes_on():
    with Cluster(1) as c:
        put_many(c[1].ip, 'p/%03d', 20, value=b'value')
        changed(c[1], forged=False)
        wait_for(lambda: 'rows fail their hash' in items(c[1])['wrong'], 15, 'word of it')
        assert c[1].put('/v1/kv/p/007', b'value').text == 'true'
        assert value(c[1]) == b'value'
