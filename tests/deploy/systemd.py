"""The daemons as systemd's services: systemd is PID 1 of a container that holds what deploy/install puts there."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile

from cluster import ROOT, wait_for
from runner import fixture, test

BUILD = 'release'
DAEMONS = tuple(d for d in ('gossipd', 'raftd', 'catalogd', 'agentd', 'dnsd', 'xdsd')
                if os.path.exists(os.path.join(ROOT, 'build', 'bin', d)))
UNITS = tuple('curia-' + d for d in DAEMONS)
EXPOSURE = 2.0  # of 10, as `systemd-analyze security` reckons it
UP_S = 60
CONFIG = {'node_name': 's1', 'server': True, 'bootstrap_expect': 1, 'bind_addr': '127.0.0.1',
          'ports': {'grpc': 8502}}


def run(*args, check=True, seconds=180, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, **more)
    text = done.stdout.decode(errors='replace')
    assert not check or done.returncode == 0, '%s: %d\n%s' % (' '.join(args), done.returncode, text)
    return text if check else (done.returncode, text)


def codename():
    with open('/etc/os-release') as f:
        return re.search(r'^VERSION_CODENAME=(\w+)', f.read(), re.M).group(1)


def make_image():
    """Debian of this machine's release, so that what is built here runs there; with systemd and the libraries."""
    suite, parts = codename(), ('install-packages', 'packages.build')
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix='curia-image-') as folder:
        for part in parts:
            shutil.copy(os.path.join(ROOT, 'deploy', part), folder)
            with open(os.path.join(folder, part), 'rb') as f:
                digest.update(f.read())
        image = 'curia-test-systemd:%s-%s' % (suite, digest.hexdigest()[:12])
        if run('docker', 'image', 'inspect', image, check=False)[0] == 0:
            return image
        run(os.path.join(ROOT, 'tests', 'deploy', 'base_image'), suite, seconds=600)
        with open(os.path.join(folder, 'Dockerfile'), 'w') as f:
            f.write('FROM debian:%s-slim\n'
                    'COPY install-packages packages.build /tmp/packages/\n'
                    'RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq '
                    '--no-install-recommends systemd dbus && '
                    '/tmp/packages/install-packages /tmp/packages/packages.build\n' % suite)
        run('docker', 'build', '-q', '--network', 'host', '-t', image, folder, seconds=900)
    return image


class Host:
    """A container whose PID 1 is systemd, without a network but its own loopback."""

    def __init__(self, image):
        self.name = 'curia-systemd-%d' % os.getpid()
        run('docker', 'run', '-d', '--name', self.name, '--network', 'none', '--cap-add', 'SYS_ADMIN',
            '--cap-add', 'NET_ADMIN', '--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined',
            '--cgroupns=host', '-v', '/sys/fs/cgroup:/sys/fs/cgroup:rw', '--tmpfs', '/run', '--tmpfs', '/tmp',
            '-v', ROOT + ':/src:ro', image, '/lib/systemd/systemd')

    def close(self):
        run('docker', 'rm', '-f', '-v', self.name)

    def do(self, *args, user=None, check=True, seconds=180):
        as_user = ('-u', user) if user else ()
        return run('docker', 'exec', *as_user, self.name, *args, check=check, seconds=seconds)

    def write(self, path, text):
        run('docker', 'exec', '-i', self.name, 'sh', '-c', 'cat >"$0"', path, input=text.encode())

    def configure(self, **more):
        self.write('/etc/curia/curia.json', json.dumps(dict(CONFIG, **more)))

    def show(self, unit, what):
        return self.do('systemctl', 'show', '-P', what, unit).strip()

    def pid(self, daemon):
        return int(self.show('curia-' + daemon, 'MainPID'))

    def journal(self, *args):
        return self.do('journalctl', '--no-pager', '-o', 'cat', *args)

    def wait(self, condition, seconds, what):
        try:
            return wait_for(condition, seconds, what, every=0.1)
        except AssertionError as e:
            states = self.do('systemctl', 'list-units', '--no-pager', '--no-legend', 'curia*', check=False)[1]
            raise AssertionError('%s\n%s\n%s' % (e, states, self.journal('-n', '80', '-u', 'curia-*'))) from None

    def is_up(self, daemon):
        return self.show('curia-' + daemon, 'ActiveState') == 'active'

    def wait_up(self, daemons=DAEMONS):
        for daemon in daemons:
            self.wait(lambda: self.is_up(daemon), UP_S, daemon + ' is ready')

    def http(self, *args):
        return self.do('curl', '-sSf', '-m', '10', *args)

    def put(self, key, value):
        url = 'http://127.0.0.1:8500/v1/kv/' + key
        self.wait(lambda: self.http('-X', 'PUT', '-d', value, url) == 'true', UP_S, 'PUT ' + key)

    def get(self, key):
        return self.http('http://127.0.0.1:8500/v1/kv/%s?raw' % key)

    def wait_get(self, key, value):
        self.wait(lambda: self.get(key) == value, UP_S, 'GET ' + key)


@fixture
def host():
    host = Host(make_image())
    try:
        host.wait(lambda: host.do('systemctl', 'is-system-running', check=False)[1].strip() in ('running', 'degraded'),
                  UP_S, 'systemd has booted')
        host.do('/src/deploy/install', '--prefix=/usr', '--no-build')
        host.configure()
        host.do('systemctl', 'enable', '--now', 'curia.target', *UNITS, seconds=UP_S * 5)
        yield host
    finally:
        host.close()


@test(seconds=1800)  # the image may have to be made
def every_daemon_is_ready_and_runs_as_a_user_of_its_own(host):
    host.wait_up()
    users = {d: host.do('stat', '-c', '%U %G', '/proc/%d' % host.pid(d)).strip() for d in DAEMONS}
    assert users == {d: 'curia-%s curia' % d for d in DAEMONS}, users
    host.put('greeting', 'hello')
    host.wait_get('greeting', 'hello')
    host.wait(lambda: host.do('dig', '@127.0.0.1', '-p', '8600', '+short', 's1.node.consul', 'A').strip() == '127.0.0.1',
              UP_S, 'its node in DNS')


@test
def every_unit_is_exposed_below_two(host):
    figures = {}
    for unit in UNITS:
        text = host.do('systemd-analyze', '--no-pager', 'security', unit)
        figures[unit] = float(re.search(r'Overall exposure level for \S+: ([0-9.]+)', text).group(1))
    print(figures)
    assert all(f < EXPOSURE for f in figures.values()), figures


@test
def files_and_sockets_are_whose_they_should_be(host):  # contracts 9.1, 9.5
    def mode(path):
        return host.do('stat', '-c', '%a %U %G', path).strip()
    host.wait_up()
    assert mode('/run/curia') == '3770 root curia'
    for daemon in DAEMONS:
        assert mode('/run/curia/%s.sock' % daemon) == '660 curia-%s curia' % daemon
        assert mode('/run/curia/%s.json' % daemon).startswith('600 curia-%s ' % daemon)
    for folder, daemon in (('raft', 'raftd'), ('catalog', 'catalogd'), ('serf', 'gossipd'), ('services', 'agentd'),
                           ('checks', 'agentd'), ('dns', 'dnsd')):
        assert mode('/var/lib/curia/' + folder) == '700 curia-%s curia' % daemon
    for path in ('/run/curia/raftd.json', '/var/lib/curia/raft/log.db', '/etc/curia/curia.json'):
        code, text = host.do('cat', path, user='curia-agentd', check=False)
        assert code and 'Permission denied' in text, text
    code, text = host.do('rm', '-f', '/run/curia/raftd.sock', user='curia-agentd', check=False)
    assert code and 'not permitted' in text, text


@test
def only_catalogd_may_use_the_log(host):  # contracts 2.3
    def call(user, *args):
        return host.do('curia', 'call', '-run-dir=/run/curia', *args, user=user, check=False)
    host.wait_up()
    for user in ('curia-agentd', 'curia-dnsd'):
        code, text = call(user, 'raftd', 'Log.Status', '{}')
        assert code and 'Log.Status is not open to this caller' in text, text
        code, text = call(user, 'catalogd', 'Daemon.Stop', '{}')
        assert code and 'Daemon.Stop is not open to this caller' in text, text
    for user in ('curia-catalogd', 'root'):
        code, text = call(user, 'raftd', 'Log.Status', '{}')
        assert code == 0 and json.loads(text)['role'] == 'leader', text
    code, text = call('nobody', 'raftd', 'Daemon.Status', '{}')
    assert code, text  # not in the group: not even the socket


@test(seconds=300)
def whoever_is_killed_comes_back(host):
    host.put('before', 'kept')
    for daemon in DAEMONS:
        old = host.pid(daemon)
        host.do('systemctl', 'kill', '--signal=KILL', '--kill-whom=main', 'curia-' + daemon)
        host.wait(lambda: host.pid(daemon) not in (0, old) and host.is_up(daemon), UP_S, daemon + ' is back')
        host.put('after-' + daemon, 'written')
        host.wait_get('before', 'kept')
    others = {d: host.show('curia-' + d, 'NRestarts') for d in DAEMONS}
    assert set(others.values()) == {'1'}, others  # each was started again once, for its own sake alone


@test
def one_daemon_is_upgraded_alone(host):
    host.do('sh', '-c', 'mkdir -p /opt/new && cp -a /src/deploy /opt/new/ && mkdir -p /opt/new/build/bin && '
            'cp -L /src/build/bin/* /opt/new/build/bin/')
    assert host.do('/opt/new/deploy/install', '--prefix=/usr', '--no-build').strip() == 'Nothing has changed.'
    host.do('sh', '-c', 'echo newer >>/opt/new/build/bin/raftd')  # what follows an executable is not looked at
    before = {d: host.pid(d) for d in DAEMONS}
    assert host.do('/opt/new/deploy/install', '--prefix=/usr', '--no-build').strip() == 'installed /usr/lib/curia/raftd'
    assert {d: host.pid(d) for d in DAEMONS} == before  # nothing was started
    host.put('during', '1')
    host.do('systemctl', 'restart', 'curia-raftd')
    host.wait_up()
    after = {d: host.pid(d) for d in DAEMONS}
    assert [d for d in DAEMONS if before[d] != after[d]] == ['raftd'], (before, after)
    host.do('cmp', '/usr/lib/curia/raftd', '/opt/new/build/bin/raftd')
    host.put('during', '2')
    host.wait_get('during', '2')


@test
def a_reload_takes_up_what_may_change_and_refuses_what_is_wrong(host):
    host.wait_up()
    before = {d: host.pid(d) for d in DAEMONS}
    host.configure(log_level='debug')
    host.do('systemctl', 'reload', *UNITS)
    for daemon in DAEMONS:
        host.wait(lambda: 'daemon.reload: level=debug' in host.journal('-u', 'curia-' + daemon), UP_S, 'its word')
    host.configure(log_level='debug', no_such_key=1)
    for unit in UNITS:
        assert host.do('systemctl', 'reload', unit, check=False)[0] != 0
    host.wait(lambda: 'no_such_key' in host.journal('-u', 'curia-*'), UP_S, 'the key in the log')
    host.configure()
    host.do('systemctl', 'reload', *UNITS)
    assert {d: host.pid(d) for d in DAEMONS} == before


@test(seconds=300)
def the_target_stops_and_starts_all_of_it(host):
    host.put('last', 'words')
    host.do('systemctl', 'stop', 'curia.target')
    host.wait(lambda: not any(host.pid(d) for d in DAEMONS), UP_S, 'all have stopped')
    states = {u: host.show(u, 'ActiveState') + ' ' + host.show(u, 'Result') for u in UNITS}
    assert set(states.values()) == {'inactive success'}, states
    host.do('systemctl', 'start', 'curia.target')
    host.wait_up()
    host.wait_get('last', 'words')


@test(seconds=180)
def a_node_that_leaves_the_pool_ends(host):
    host.do('systemctl', 'disable', '--now', 'curia-raftd', 'curia-catalogd')
    host.configure(server=False, bootstrap_expect=0)  # a client: a server's leave is another matter
    host.do('systemctl', 'restart', 'curia.target')
    others = tuple(d for d in DAEMONS if d not in ('raftd', 'catalogd'))
    host.wait_up(others)
    host.do('curia', 'leave')
    host.wait(lambda: not any(host.pid(d) for d in DAEMONS), UP_S, 'the node has ended')
    host.wait(lambda: host.show('curia-agentd', 'Result') == 'success', UP_S, 'agentd has not failed')
