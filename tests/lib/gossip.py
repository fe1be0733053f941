"""Gossip pools of gossipd alone and Debian's `serf agent`, on loopback addresses of their own.

    with Pool() as p:
        g, s = p.gossipd('g1'), p.serf('s1', join='g1')
        p.wait_status(g, 's1', 'alive')
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from cluster import ASSERTION, SANITIZER, STOP_S, alive, bin_dir, environment, live, node_id, wait_for
from net import Net

PORT, RPC_PORT = 8301, 7373
STATUS_S = 5      # for a word to reach everybody
FAILED_S = 40     # for a death to be noticed by all, with the LAN's timing and a sanitizer's


class Member:
    """One process of the pool, in a folder of its own; its number gives its address."""

    def __init__(self, pool, name, k):
        self.pool, self.name, self.k, self.ip = pool, name, k, pool.net.ip(k)
        self.dir = os.path.join(pool.dir, name)
        self.log_path = os.path.join(self.dir, 'log')
        self.process = None
        os.makedirs(self.dir)

    def spawn(self):
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(self.args(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=environment(),
                                            start_new_session=True, cwd=self.dir)

    def start(self):
        self.spawn()
        wait_for(self.is_up, 20, 'start of ' + self.name)
        return self

    def is_up(self):
        assert self.process.poll() is None, '%s ended: %s' % (self.name, self.logs()[-2000:])
        return self.members() is not None

    def signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return None
        self.signal(signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def logs(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def status(self, name):
        return self.members().get(name, {}).get('status')

    def memory_kib(self, what='VmRSS'):
        """What is resident now, or with 'VmHWM' the most that ever was."""
        with open('/proc/%d/status' % self.process.pid) as f:
            return int(re.search(what + r':\s+(\d+)', f.read())[1])


class Gossipd(Member):
    def __init__(self, pool, name, k, config):
        super().__init__(pool, name, k)
        self.run_dir = os.path.join(self.dir, 'run')
        self.config = dict({'node_name': name, 'node_id': node_id(k), 'data_dir': os.path.join(self.dir, 'data'),
                            'bind_addr': self.ip, 'advertise_addr': self.ip, 'client_addr': self.ip,
                            'log_level': 'DEBUG', 'retry_interval': '1s'}, **config)

    def args(self):
        path = os.path.join(self.dir, 'config.json')
        with open(path, 'w') as f:
            json.dump(self.config, f)
        return [os.path.join(bin_dir(), 'gossipd'), '-config-file', path, '-run-dir', self.run_dir]

    def call(self, method, **request):
        done = subprocess.run([os.path.join(bin_dir(), 'curia'), 'call', '-run-dir', self.run_dir, 'gossipd',
                               'Members.' + method, json.dumps(request)],
                              capture_output=True, text=True, timeout=60, env=environment())
        if done.returncode:
            raise OSError('%s of %s: %s' % (method, self.name, done.stderr or done.stdout))
        return json.loads(done.stdout)

    def members(self):
        """name -> {status, tags, addr}, in serf's words."""
        return {m['name']: {'status': m['status'].removeprefix('MEMBER_').lower(),
                            'tags': {t['key']: t['value'] for t in m['tags']},
                            'addr': '%s:%d' % (m['address'], m['port'])}
                for m in self.call('List')['members']}

    def records(self, after=0, feed_id='', wait_ms=0):
        return self.call('Follow', feed_id=feed_id, after=after, wait_ms=wait_ms)

    def join(self, *addresses):
        return self.call('Join', addresses=list(addresses))

    def leave(self):
        self.call('Leave')

    def force_leave(self, name, prune=False):
        self.call('ForceLeave', node=name, prune=prune)

    def set_tags(self, remove=(), **tags):
        self.call('SetTags', set=[{'key': k, 'value': v} for k, v in tags.items()], remove=list(remove))


class Serf(Member):
    def __init__(self, pool, name, k, options):
        super().__init__(pool, name, k)
        self.options = options

    def args(self):
        return ['serf', 'agent', '-node', self.name, '-bind', '%s:%d' % (self.ip, PORT), '-rpc-addr',
                '%s:%d' % (self.ip, RPC_PORT), '-log-level', 'debug', *self.options]

    def serf(self, command, *args):
        # serf cuts the port off what -rpc-addr says only when flags come first
        done = subprocess.run(['serf', command, '-rpc-addr=%s:%d' % (self.ip, RPC_PORT), *args],
                              capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise OSError('serf %s at %s: %s' % (command, self.name, done.stderr or done.stdout))
        return done.stdout

    def members(self):
        return {m['name']: {'status': m['status'], 'tags': m['tags'], 'addr': m['addr']}
                for m in json.loads(self.serf('members', '-format=json'))['members']}

    def join(self, *addresses):
        return self.serf('join', *addresses)

    def leave(self):
        self.serf('leave')
        self.process.wait(20)

    def force_leave(self, name, prune=False):
        self.serf('force-leave', *(['-prune'] if prune else []), name)

    def set_tags(self, remove=(), **tags):
        self.serf('tags', *['-set=%s=%s' % pair for pair in tags.items()], *['-delete=' + t for t in remove])


class Pool:
    def __init__(self):
        self.net = Net()
        self.dir = tempfile.mkdtemp(prefix='curia-gossip-')
        self.all = []
        live.append(self)

    def _add(self, member, start):
        self.all.append(member)
        return member.start() if start else member

    def _addresses(self, names):
        names = [names] if isinstance(names, str) else names or []
        return ['%s:%d' % (m.ip, PORT) for m in self.all if m.name in names]

    def gossipd(self, name, join=None, start=True, **config):
        """One gossipd that joins the members named."""
        if join:
            config['retry_join'] = self._addresses(join)
        return self._add(Gossipd(self, name, len(self.all) + 1, config), start)

    def serf(self, name, *options, join=None, tags=None, start=True):
        options = list(options)
        for address in self._addresses(join):
            options += ['-join', address]
        for pair in (tags or {}).items():
            options += ['-tag', '%s=%s' % pair]
        return self._add(Serf(self, name, len(self.all) + 1, options), start)

    def address(self, member):
        return '%s:%d' % (member.ip, PORT)

    def wait_status(self, who, name, status, seconds=STATUS_S):
        wait_for(lambda: who.status(name) == status, seconds, '%s of %s at %s' % (status, name, who.name), every=0.1)

    def wait_all(self, seconds=10, among=None):
        """Every one that runs sees every other alive."""
        running = [m for m in among or self.all if m.process and alive(m.process.pid)]
        for who in running:
            for other in running:
                self.wait_status(who, other.name, 'alive', seconds)

    def complaints(self):
        return ['%s: %s' % (m.name, line) for m in self.all for line in m.logs().splitlines()
                if SANITIZER.search(line) or ASSERTION.search(line)]

    def stop(self, check=True):
        errors = []
        for member in self.all:
            try:
                member.stop()
            except Exception as e:
                errors.append('%s: %s' % (member.name, e))
        errors += self.complaints()
        live.remove(self)
        self.net.release()
        if errors and check:
            print(self.all_logs())
        shutil.rmtree(self.dir, ignore_errors=True)
        if errors and check:
            raise AssertionError('\n'.join(errors))

    def all_logs(self, lines=60):
        return '\n'.join('---- %s\n%s' % (m.log_path, '\n'.join(m.logs().splitlines()[-lines:])) for m in self.all)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(self.all_logs())
        self.stop(check=kind is None)
