"""Sidecars: a real Envoy each, with the bootstrap that `curia connect envoy` prints."""
import json
import os
import signal
import subprocess

from cluster import ROOT, Ended, alive, environment, wait_for
from http1 import Http

VENV = os.path.join(ROOT, 'build', 'envoy-venv')  # tests/run puts it there


def binary():
    """The program itself: what the wheel puts into bin/ is a script that starts it."""
    for folder, _, files in os.walk(os.path.join(VENV, 'lib')):
        if folder.endswith(os.path.join('envoy', '_bin')) and 'envoy' in files:
            return os.path.join(folder, 'envoy')
    raise FileNotFoundError('no Envoy under build/: `tests/run e2e mesh` installs it')


def validate(document, path):
    """What `envoy --mode validate` says of a configuration; '' when it is good."""
    with open(path, 'w') as f:
        json.dump(document, f)
    done = subprocess.run([binary(), '--mode', 'validate', '-c', path, '-l', 'error'], capture_output=True,
                          text=True, timeout=120)
    return '' if done.returncode == 0 else done.stdout + done.stderr


class Sidecar:
    """Envoy beside a service of `node`. `ip` is where its admin page is, and its upstreams by custom."""

    def __init__(self, node, service, ip, more=(), grpc=None, config=None):
        self.ip, self.service, self.admin = ip, service, Http(ip, 19000)
        self.dir = node.dir
        done = node.curia('connect', 'envoy', '-sidecar-for', service, '-bootstrap', '-admin-bind', ip + ':19000',
                          '-grpc-addr', grpc or node.ip + ':8502', *more)
        assert done.returncode == 0, done.stderr.decode()
        self.bootstrap = json.loads(done.stdout)
        if config:
            config(self.bootstrap)
        self.log_path = os.path.join(node.dir, 'envoy-%s.log' % service)
        self.start()

    def start(self):
        path = os.path.join(self.dir, 'envoy-%s.json' % self.service)
        with open(path, 'w') as f:
            json.dump(self.bootstrap, f)
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen([binary(), '-c', path, '--concurrency', '1', '--disable-hot-restart',
                                             '-l', 'info'], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env=environment(), start_new_session=True)

    def is_ready(self):
        if self.process.poll() is not None:
            raise Ended(self.logs())
        # it is "ready" without a listener, too, once it has waited for one long enough
        return self.admin.get('/ready').status == 200 and self.total('listener_manager.total_listeners_active') > 0

    def wait(self, seconds=30):
        wait_for(self.is_ready, seconds, 'Envoy of ' + self.service)
        return self

    def stats(self, words=''):
        """Counters and gauges whose names match, as numbers."""
        text = self.admin.get('/stats?filter=' + words).text
        pairs = (line.rsplit(': ', 1) for line in text.splitlines() if ': ' in line)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def total(self, words):
        return sum(self.stats(words).values())

    def serial(self):
        """Of the leaf that it presents."""
        answer = self.admin.get('/certs').json()
        return {c['serial_number'] for one in answer['certificates'] for c in one.get('cert_chain', [])}

    def logs(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()[-6000:]

    def stop(self):
        self.admin.close()
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert not alive(self.process.pid)
