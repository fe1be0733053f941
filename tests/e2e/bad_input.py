"""What others get wrong: bytes on every port, configuration, ports in use, old and full disks."""
import contextlib
import json
import os
import random
import socket
import sqlite3
import subprocess
import time

from cluster import Cluster, DAEMONS, environment, wait_for
from http1 import raw
from load import put_many
from runner import fixture, test

EXPECT = ('',)  # it is all complaints


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def alive_and_well(node):
    assert node.put('/v1/kv/well', b'1').text == 'true'
    assert node.get('/v1/kv/well?raw').body == b'1'


def frame(kind, payload=b'', call=1, length=None, flags=0, zero=0):
    """A frame of contracts 1.1, or one that lies about its length."""
    body = bytes([kind, flags]) + zero.to_bytes(2, 'little') + call.to_bytes(8, 'little') + payload
    return (len(body) if length is None else length).to_bytes(4, 'little') + body


def garbage():
    rng = random.Random(7)
    yield b'\x00' * 100
    yield b'\xff' * 100
    yield b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    yield rng.randbytes(5000)
    yield frame(0, b'', length=0)
    yield frame(0, b'', length=0xffffffff)
    yield frame(0, b'x' * 70000)
    yield frame(1, b'not a hello')
    yield frame(2, rng.randbytes(200))
    yield frame(200, b'')
    yield frame(1, b'', zero=7)
    yield frame(1, rng.randbytes(60000))[:1000]  # cut in the middle


def pour_unix(path, data):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(1)
        s.connect(path)
        try:
            s.sendall(data)
            while s.recv(65536):
                pass
        except OSError:
            pass


@test
def issue_garbage_on_every_port_and_socket_ends_that_connection_only(one):
    pids = {name: one.daemon(name).pid for name in DAEMONS}
    for data in garbage():
        for port in (8300, 8301, 8310, 8500):
            raw(one.ip, port, data, timeout=0.3)
        for name in DAEMONS:
            pour_unix(os.path.join(one.run_dir, name + '.sock'), data)
    alive_and_well(one)
    assert pids == {name: one.daemon(name).pid for name in DAEMONS}, 'a daemon was restarted'


@test
def issue_garbage_on_the_bus_is_counted(one):
    def refused(name):
        rows = one.daemon(name).call('Daemon.Metrics')['metrics']
        words = ('bad', 'broken', 'goaway', 'malformed', 'protocol', 'refused', 'violation')
        return sum(float(m.get('value', 0)) for m in rows
                   if m['name'].startswith('bus.') and any(w in m['name'] for w in words))
    before = {n: refused(n) for n in DAEMONS}
    for name in DAEMONS:
        pour_unix(os.path.join(one.run_dir, name + '.sock'), frame(200, b'x'))
    for name in DAEMONS:
        wait_for(lambda: refused(name) > before[name], 5, 'a counter of ' + name)


@test
def issue_connections_that_say_nothing_do_not_stop_others(one):
    idle = []
    for port in (8300, 8310):
        idle += [socket.create_connection((one.ip, port)) for _ in range(50)]
    alive_and_well(one)
    [s.close() for s in idle]


def start_fails(c, want, seconds=15):
    """`curia agent` of the one node must end with 1 and say so."""
    node = c[1]
    node.start(wait=False)
    code = node.process.wait(seconds)
    text = node.logs()
    assert code == 1, (code, text)
    for word in [want] if isinstance(want, str) else want:
        assert word in text, (word, text)
    return text


def edited(config):
    return Cluster(1, config, start=False)


@test
def agent_2_an_unknown_key_is_named():
    with edited({'bogus_key': 1}) as c:
        start_fails(c, ['failed to parse', '1 error occurred:', 'invalid config key bogus_key'])


@test
def agent_2_a_wrong_type_is_named():
    with edited({'retry_interval': 5}) as c:
        start_fails(c, "'retry_interval' expected type 'string', got unconvertible type")


@test
def agent_2_contradictions_and_bad_values_are_named():
    for config, want in (({'bootstrap': True, 'bootstrap_expect': 3}, 'mutually exclusive'),
                         ({'datacenter': 'Bad DC'}, 'datacenter can only contain lowercase alphanumeric'),
                         ({'server': False}, "'bootstrap = true' requires 'server = true'"),
                         ({'performance': {'raft_multiplier': 11}},
                          'performance.raft_multiplier cannot be 11. Must be between 1 and 10'),
                         ({'advertise_addr': '0.0.0.0'}, 'Advertise address cannot be 0.0.0.0, :: or [::]')):
        with edited(config) as c:
            start_fails(c, want)


@test
def agent_2_broken_json_and_a_missing_file_are_named():
    with edited({}) as c:
        for text in ('{', '[]', '{"a":1}}', '\x00', '{"node_name": "' + 'n' * 100):
            path = os.path.join(c.dir, 'broken.json')
            with open(path, 'w') as f:
                f.write(text)
            done = c[1].curia('agent', '-config-file=' + path)
            assert done.returncode == 1 and b'broken.json' in done.stderr + done.stdout, (text, done)
        path = os.path.join(c.dir, 'broken.hcl')
        with open(path, 'w') as f:
            f.write('node_name = "n\n')
        done = c[1].curia('agent', '-config-file=' + path)
        assert done.returncode == 1 and b'broken.hcl: At 1:15: literal not terminated' in done.stderr + done.stdout, done
        done = c[1].curia('agent', '-hcl=bogus { }')
        assert done.returncode == 1 and b'invalid config key bogus' in done.stderr + done.stdout, done
        done = c[1].curia('agent', '-config-file=' + os.path.join(c.dir, 'nofile.json'))
        assert done.returncode == 1 and b'no such file or directory' in done.stderr + done.stdout, done


@test
def agent_2_a_key_not_built_yet_is_warned_about_by_name():
    with Cluster(1, {'retry_join_wan': ['127.0.0.9']}) as c:
        assert 'retry_join_wan' in c[1].logs()
        alive_and_well(c[1])


@test
def issue_a_busy_port_ends_the_start_with_its_name():
    for port in (8500, 8300, 8301, 8310):
        with edited({}) as c, socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((c[1].ip, port))
            s.listen()
            text = start_fails(c, str(port), seconds=30)
            assert 'ddress already in use' in text or 'ddress in use' in text, text


@test
def issue_a_second_agent_on_the_same_data_is_refused():
    with Cluster(1) as c:
        done = c[1].curia('agent', '-config-file=' + c[1].config_path, timeout=40)
        assert done.returncode == 1, done
        alive_and_well(c[1])


@test
def issue_a_data_directory_of_a_newer_version_is_refused_and_kept():
    for relative in ('raft/log.db', 'catalog/state.db'):
        with Cluster(1) as c:
            put_many(c[1].ip, 'v/%d', 20)
            assert c[1].stop() is not None
            path = os.path.join(c[1].data_dir, relative)
            db = sqlite3.connect(path)
            (version,) = db.execute('PRAGMA user_version').fetchone()
            assert version > 0, 'no version in ' + relative
            db.execute('PRAGMA user_version = %d' % (version + 1000))
            db.commit()
            db.close()
            text = start_fails(c, os.path.basename(relative), seconds=60)
            assert 'newer' in text, text
            db = sqlite3.connect(path)
            db.execute('PRAGMA user_version = %d' % version)
            db.commit()
            db.close()
            c[1].start()
            c.wait_leader()
            assert len(c[1].get('/v1/kv/v/?keys').json()) == 20


def tmpfs(path, size):
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=' + size, 'curia-test', path], capture_output=True)
    return done.returncode == 0


def fill(folder):
    """Takes what is left of the disk."""
    with open(os.path.join(folder, 'filler'), 'wb', buffering=0) as f:
        for size in (65536, 4096):
            with contextlib.suppress(OSError):
                while True:
                    f.write(b'f' * size)


@test(seconds=300)
def issue_a_full_disk_refuses_writes_loses_nothing_and_recovers():
    with edited({}) as c:
        node = c[1]
        if not tmpfs(node.data_dir, '40m'):
            print('skipped: mounting a tmpfs needs root')
            return
        try:
            node.start()
            c.wait_leader()
            put_many(node.ip, 'fd/%d', 20, value=b'k')
            kept, refused = [], None
            for i in range(400):
                a = node.put('/v1/kv/fdbig/%d' % i, b'z' * 400000, timeout=30)
                if a.status != 200:
                    refused = a
                    break
                kept.append(i)
            assert refused is not None and refused.status >= 400 and refused.text, refused
            # the first one's fate was not known for 7 s; from then on there is nothing to wait for
            # (what a log or a file of SQLite had freed inside itself may still take some)
            fill(node.data_dir)
            refusals = [node.put('/v1/kv/fdbig/again', b'z' * 400000, timeout=30) for _ in range(6)][1:]
            assert all(a.status == 500 for a in refusals), refusals
            # whose disk fills first is chance: catalogd refuses in words and at once, raftd ends and says why
            told = [a for a in refusals if 'disk is full' in a.text and a.seconds < 2]
            assert len(told) == 5 or 'Free space or mend the disk, then it starts again' in node.logs(), refusals
            said = [line for line in node.logs().splitlines() if ' catalogd: ' in line and 'disk is full' in line]
            assert len(said) <= 3, said
            assert 'raft log: :' not in node.logs(), 'a failure without its cause'
            for i in (1, 7, 19):
                assert node.get('/v1/kv/fd/%d?stale&raw' % i).body == b'k'
            assert subprocess.run(['mount', '-o', 'remount,size=400m', node.data_dir]).returncode == 0
            wait_for(lambda: node.put('/v1/kv/fd/after', b'1').text == 'true', 30, 'writes again')
            have = set(node.get('/v1/kv/fdbig/?keys').json())
            assert not [i for i in kept if 'fdbig/%d' % i not in have], 'acknowledged and lost'
        finally:
            try:
                node.stop()
            finally:
                subprocess.run(['umount', '-l', node.data_dir], check=True)


@test
def consensus_21_54_a_flipped_byte_in_the_log_is_seen():
    with Cluster(1) as c:
        put_many(c[1].ip, 'rot/%d', 50, value=b'value-of-a-row')
        c[1].kill()
        path = os.path.join(c[1].data_dir, 'raft', 'log.db')
        db = sqlite3.connect(path)
        db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        tables = [t for (t,) in db.execute("select name from sqlite_master where type='table'")]
        db.close()
        with open(path, 'r+b') as f:
            data = f.read()
            at = data.rfind(b'value-of-a-row')
            assert at > 0, tables
            f.seek(at + 3)
            f.write(b'X')
        text = start_fails(c, 'log', seconds=60)
        assert 'checksum' in text or 'corrupt' in text.lower(), text


@test
def contracts_9_5_a_socket_path_over_107_bytes_is_refused_with_a_message():
    with edited({}) as c:
        c[1].config['data_dir'] = os.path.join(c.dir, 'd' * 120)
        os.makedirs(c[1].config['data_dir'])
        start_fails(c, '107')


@test
def agent_1_sigterm_of_a_server_stops_all_in_order_and_leaves_no_process():
    with Cluster(1) as c:
        pids = c[1].pids()
        assert len(pids) >= 4, pids
        c[1].stop()
        text = c[1].logs()
        assert not [p for p in pids if os.path.exists('/proc/%d' % p)]
        assert not [n for n in os.listdir(c[1].run_dir) if n.endswith('.sock')], os.listdir(c[1].run_dir)
        assert 'panic' not in text


@test
def agent_1_1_a_killed_supervisor_takes_its_children_with_it():
    with Cluster(1) as c:
        c[1].process.kill()
        wait_for(lambda: not c[1].pids(), 10, 'the end of the children')


@test
def agent_1_1_dev_mode_serves_and_leaves_nothing():
    with edited({}) as c:
        ip = c[1].ip
        before = set(os.listdir('/tmp'))
        p = subprocess.Popen([os.path.join(c.bin, 'curia'), 'agent', '-dev', '-client=' + ip, '-bind=' + ip],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment(),
                             start_new_session=True)
        try:
            wait_for(lambda: c[1].put('/v1/kv/dev', b'1').text == 'true\n', 20)  # -dev prints pretty
            assert c[1].get('/v1/catalog/datacenters').text == '[\n    "dc1"\n]\n'  # http 1.4
        finally:
            p.terminate()
            out = p.communicate(timeout=30)[0].decode()
        assert '==> Starting Consul agent...' in out and "Version: '1.9.8'" in out, out[:2000]
        left = [n for n in set(os.listdir('/tmp')) - before if 'curia' in n and not n.startswith('curia-e2e')
                and not n.startswith('curia-unit')]
        assert not left, left
