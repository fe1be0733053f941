"""Clusters of real processes on loopback addresses of their own.

    with Cluster(3) as c:
        c.wait_leader()
        c[1].put('/v1/kv/a', b'1')
        c[2].daemon('raftd').kill()
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from http1 import Http  # noqa: E402
from net import Net  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DAEMONS = ('gossipd', 'raftd', 'catalogd', 'agentd', 'dnsd')
START_S = 30
PATIENCE = 4  # a busy machine may take so many times as long as a calm one
STOP_S = 60
SANITIZER = re.compile(r'ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:')
LOUD = re.compile(r'\[(WARN|ERROR)\]')
ENDING = re.compile(r'catalog\.lost')  # whoever is stopped last may say so of the others
ASSERTION = re.compile(r'assertion .*failed|Assertion .* failed|CU_ASSERT')

default_build = 'build'
expected = re.compile('config.warning')  # warnings that a module declares by EXPECT
live = []  # clusters not yet stopped: their logs are printed when a test fails


class Timeout(AssertionError):
    pass


class Ended(AssertionError):
    """Waiting on is no use: a process that was waited for has ended."""


def wait_for(condition, seconds, what=None, every=0.02):
    """The first true value of condition(); exceptions count as not yet. `seconds` are those of a calm machine."""
    seconds *= PATIENCE
    end, last = time.monotonic() + seconds, None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except Ended:
            raise
        except Exception as e:  # a daemon that is not up yet shows in many ways
            last = e
        if time.monotonic() > end:
            raise Timeout('not within %s s: %s (last: %r)' % (seconds, what or condition, last))
        time.sleep(every)


def bin_dir():
    return os.environ.get('CURIA_BIN') or os.path.join(ROOT, default_build, 'bin')


def node_id(k):
    return '%08d-0000-4000-8000-%012d' % (k, k)


def environment():
    env = dict(os.environ)
    env.pop('NOTIFY_SOCKET', None)
    env.setdefault('ASAN_OPTIONS', 'abort_on_error=0:detect_leaks=1:strict_string_checks=1')
    env.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1:halt_on_error=1')
    return env


def state_letter(path):
    """Of a process or a thread, by its `stat` file; '' when it is gone."""
    try:
        with open(path) as f:
            return f.read().rsplit(')', 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ''


def alive(pid):
    return state_letter('/proc/%d/stat' % pid) not in ('', 'Z')


def stopped(pid):
    """By a signal, each of its threads."""
    return all(state_letter('/proc/%d/task/%s/stat' % (pid, t)) in ('T', '') for t in os.listdir('/proc/%d/task' % pid))


class Daemon:
    """One daemon of a node, found by its pid file."""

    def __init__(self, node, name):
        self.node, self.name = node, name

    @property
    def pid(self):
        with open(os.path.join(self.node.run_dir, self.name + '.pid')) as f:
            return int(f.read())

    def signal(self, number):
        pid = self.pid
        os.kill(pid, number)
        return pid

    def kill(self):
        """kill -9, and waits until it is gone. Returns its pid."""
        pid = self.signal(signal.SIGKILL)
        wait_for(lambda: not alive(pid), 5, 'end of %s' % self.name, every=0.002)
        return pid

    def pause(self):
        """SIGSTOP, and waits until none of its threads runs. Returns its pid; ProcessLookupError: it was just ending."""
        pid = self.signal(signal.SIGSTOP)
        wait_for(lambda: not alive(pid) or stopped(pid), 5, 'pause of %s' % self.name, every=0.002)
        if not alive(pid):
            raise ProcessLookupError('%s has ended' % self.name)
        return pid

    def resume(self):
        return self.signal(signal.SIGCONT)

    def restarted_since(self, pid):
        return self.pid != pid and alive(self.pid)

    def call(self, method, request=None):
        """A method over its local socket; RuntimeError with the error's text."""
        done = self.node.curia('call', '-addr', 'ipc://%s/%s.sock' % (self.node.run_dir, self.name),
                               self.name, method, json.dumps(request or {}))
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return json.loads(done.stdout)

    def metric(self, name):
        """The value of a counter or gauge; 0 when it is not there."""
        rows = self.call('Daemon.Metrics').get('metrics', [])
        return sum(float(m.get('value', 0)) for m in rows if m['name'] == name)

    def sample(self, name):
        """(count, sum) of one of its samples."""
        rows = self.call('Daemon.Metrics').get('metrics', [])
        found = [m for m in rows if m['name'] == name]
        return (float(found[0].get('count', 0)), float(found[0].get('sum', 0))) if found else (0.0, 0.0)

    def status(self):
        reply = self.call('Daemon.Status')
        return dict(reply, items={i['name']: i.get('value', '') for i in reply.get('items', [])})

    def cpu_s(self):
        with open('/proc/%d/stat' % self.pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def private(self):
        """Bytes of memory that nobody shares with it."""
        with open('/proc/%d/smaps_rollup' % self.pid) as f:
            return sum(int(kib) for kib in re.findall(r'Private_\w+:\s+(\d+)', f.read())) * 1024

    def rss(self):
        with open('/proc/%d/status' % self.pid) as f:
            return int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1)) * 1024


class Node(Http):
    """A server: its configuration, its `curia agent`, its HTTP API."""

    def __init__(self, cluster, k, config):
        super().__init__(cluster.net.ip(k))
        self.cluster, self.k, self.ip = cluster, k, cluster.net.ip(k)
        self.dir = os.path.join(cluster.dir, 'n%d' % k)
        self.data_dir = os.path.join(self.dir, 'data')
        self.run_dir = os.path.join(self.data_dir, 'run')
        self.config_path = os.path.join(self.dir, 'config.json')
        self.log_path = os.path.join(self.dir, 'log')
        self.process, self.config = None, config
        os.makedirs(self.data_dir)

    def write_config(self):
        with open(self.config_path, 'w') as f:
            json.dump(self.config, f, indent=1)

    def start(self, wait=True):
        self.write_config()
        self.log = open(self.log_path, 'ab')
        self.process = subprocess.Popen(
            [os.path.join(self.cluster.bin, 'curia'), 'agent', '-config-file=' + self.config_path],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            env=environment(), start_new_session=True, cwd=self.dir)
        if wait:
            self.wait_http()
        return self

    def wait_http(self, seconds=START_S):
        def up():
            if self.process.poll() is not None:
                raise Ended('curia agent of n%d ended with %d' % (self.k, self.process.returncode))
            has_dns = self.config.get('ports', {}).get('dns') != -1  # dnsd is the last to start
            dns_is_up = not has_dns or os.path.exists(os.path.join(self.run_dir, 'dnsd.sock'))
            return dns_is_up and self.get('/v1/status/leader').status
        try:
            return wait_for(up, seconds, 'HTTP of n%d' % self.k)
        finally:
            self.close()

    def pids(self):
        """Every process of this node's session, whoever its parent is now."""
        found = []
        for name in os.listdir('/proc'):
            if name.isdigit():
                with contextlib.suppress(OSError):
                    if os.getsid(int(name)) == self.process.pid and alive(int(name)):
                        found.append(int(name))
        return found

    def kill(self):
        """The whole server at once, as by a power cut: none of its processes sees another one end."""
        self.pause()
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not self.pids(), 5, 'end of n%d' % self.k)
        self.close()

    def pause(self):
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: all(not alive(p) or stopped(p) for p in pids), 5, 'pause of n%d' % self.k, every=0.002)

    def resume(self):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def stop(self):
        """SIGTERM to `curia agent`; returns its exit code. What is left over is an error."""
        if self.process is None:
            return None
        self.close()
        if self.process.poll() is None:
            self.resume()
            self.process.terminate()
        try:
            code = self.process.wait(STOP_S)
            wait_for(lambda: not self.pids(), 5, 'end of the daemons of n%d' % self.k)
        except BaseException:
            self.kill()
            raise
        self.log.close()
        return code

    def daemon(self, name):
        return Daemon(self, name)

    def curia(self, *args, stdin=b'', env=None, timeout=60):
        """The CLI against this node."""
        full = dict(environment(), CONSUL_HTTP_ADDR='http://%s:8500' % self.ip, **(env or {}))
        return subprocess.run([os.path.join(self.cluster.bin, 'curia'), *args], input=stdin,
                              capture_output=True, env=full, timeout=timeout, cwd=self.dir)

    def logs(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log_path, errors='replace') as f:
                return f.read()
        return ''

    def leader(self):
        return self.get('/v1/status/leader').json()


class Cluster:
    """`servers` servers, then `clients` nodes without raftd and catalogd that join them by gossip.

    `config` is merged into each configuration, `each(k, config)` may edit it."""

    def __init__(self, servers=1, config=None, each=None, start=True, binaries=None, clients=0):
        self.net, self.bin = Net(), binaries or bin_dir()
        self.dir = tempfile.mkdtemp(prefix='curia-e2e-')
        self.count, self.clients, self.extra = servers, clients, []
        self.nodes, self.said = {}, set()
        for k in range(1, servers + clients + 1):
            own = self.base_config(k) if k <= servers else self.client_config(k)
            for key, value in (config or {}).items():
                own[key] = dict(own[key], **value) if isinstance(own.get(key), dict) else value
            if each:
                each(k, own)
            self.nodes[k] = Node(self, k, own)
        live.append(self)
        if start:
            try:
                self.start()
            except BaseException:
                print(self.all_logs())
                self.stop(check=False)
                raise

    def base_config(self, k):
        ip = self.net.ip(k)
        config = {
            'node_name': 'n%d' % k, 'node_id': node_id(k), 'datacenter': 'dc1', 'server': True,
            'data_dir': os.path.join(self.dir, 'n%d' % k, 'data'), 'log_level': 'DEBUG',
            'bind_addr': ip, 'client_addr': ip, 'advertise_addr': ip, 'disable_update_check': True,
            'raftd': {'peers': [{'id': node_id(j), 'address': self.net.ip(j)}
                                for j in range(1, self.count + 1)]},
        }
        if self.clients:
            config['retry_join'] = [self.net.ip(j) for j in range(1, self.count + 1)]
            config['retry_interval'] = '1s'
        if self.count == 1:
            config['bootstrap'] = True
        else:
            config['bootstrap_expect'] = self.count
        return config

    def client_config(self, k):
        config = self.base_config(k)
        for key in ('raftd', 'bootstrap', 'bootstrap_expect'):
            config.pop(key, None)
        return dict(config, server=False)

    def start(self):
        for node in self:
            node.start(wait=False)
        for node in self:
            node.wait_http()
        self.wait_leader()

    def __iter__(self):
        return iter(self.nodes.values())

    def __getitem__(self, k):
        return self.nodes[k]

    def wait_leader(self, seconds=START_S, among=None):
        """The node that leads, once all of `among` (default: all that run) agree who."""
        nodes = [n for n in (among or self) if n.process and n.process.poll() is None]

        def agreed():
            said = {n.leader() for n in nodes}
            if len(said) == 1 and said != {''}:
                ip = said.pop().rsplit(':', 1)[0]
                found = [n for n in nodes if n.ip == ip]
                return found and found[0]
            return None
        return wait_for(agreed, seconds, 'one leader that all name')

    def followers(self):
        leader = self.wait_leader()
        return [n for n in self if n is not leader]

    def spawn(self, name, config, run_dir, daemon):
        """A single daemon beside the servers, by a configuration of its own."""
        extra = Extra(self, name, config, run_dir, daemon)
        self.extra.append(extra)
        return extra

    def complaints(self):
        """Of any process: what a sanitizer or an assertion wrote, and warnings that nobody declared.

        Each line once."""
        found = []
        for who in list(self) + self.extra:
            for line in who.logs().splitlines():
                line = '%s: %s' % (os.path.basename(who.dir), line)
                bad = SANITIZER.search(line) or ASSERTION.search(line)
                bad = bad or LOUD.search(line) and not expected.search(line)
                if bad and line not in self.said:
                    self.said.add(line)
                    found.append(line)
        return found

    def stop(self, check=True):
        errors = self.complaints()
        for who in self.extra + list(self):
            try:
                who.stop()
            except Exception as e:
                errors.append('%s: %s' % (who.dir, e))
        errors += [line for line in self.complaints() if not ENDING.search(line)]
        live.remove(self)
        self.net.release()
        if errors and check:
            print(self.all_logs())
        shutil.rmtree(self.dir, ignore_errors=True)
        if errors and check:
            raise AssertionError('\n'.join(errors))

    def all_logs(self, lines=60):
        out = []
        for who in list(self) + self.extra:
            tail = who.logs().splitlines()[-lines:]
            out.append('---- %s, last %d lines\n%s' % (who.log_path, len(tail), '\n'.join(tail)))
        return '\n'.join(out)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(self.all_logs())
        self.stop(check=kind is None)


class Extra:
    """A single daemon without `curia agent`."""

    def __init__(self, cluster, name, config, run_dir, daemon):
        self.cluster, self.name = cluster, daemon
        self.dir = os.path.join(cluster.dir, name)
        os.makedirs(self.dir, exist_ok=True)
        self.run_dir = run_dir or os.path.join(self.dir, 'run')
        os.makedirs(self.run_dir, exist_ok=True)
        self.log_path = os.path.join(self.dir, daemon + '.log')
        path = os.path.join(self.dir, daemon + '.json')
        with open(path, 'w') as f:
            json.dump(config, f, indent=1)
        self.args = [os.path.join(cluster.bin, daemon), '-config-file', path, '-run-dir', self.run_dir]
        self.start()

    def start(self):
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=environment(),
                                            start_new_session=True, cwd=self.dir)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def curia(self, *args):
        return subprocess.run([os.path.join(self.cluster.bin, 'curia'), *args], capture_output=True,
                              env=environment(), timeout=60)

    def daemon(self, name=None):
        return Daemon(self, name or self.name)

    logs = Node.logs
