"""The peers of the comparison: nginx with one static answer, and etcd on one or three nodes."""
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

import nginx
from cluster import wait_for
from net import Net


def children(pid):
    with open('/proc/%d/task/%d/children' % (pid, pid)) as f:
        return [int(p) for p in f.read().split()]


class Peer:
    def __enter__(self):
        self.net, self.dir, self.processes = Net(), tempfile.mkdtemp(prefix='curia-bench-'), []
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            p.wait(20)
        self.net.release()
        shutil.rmtree(self.dir, ignore_errors=True)

    def spawn(self, *args):
        with open(os.path.join(self.dir, 'log%d' % len(self.processes)), 'w') as log:
            self.processes.append(subprocess.Popen(args, stdout=log, stderr=subprocess.STDOUT,
                                                   start_new_session=True))

    def pids(self):
        return [p.pid for p in self.processes] + [c for p in self.processes for c in children(p.pid)]


class Nginx(Peer):
    """200 bytes from memory: the least that an HTTP answer costs on this machine."""

    def start(self):
        self.url = 'http://%s:8080' % self.net.ip(1)
        self.spawn(*nginx.command(self.dir, self.net.ip(1), 'x' * 200))
        wait_for(lambda: urllib.request.urlopen(self.url).status == 200, 10)


class Etcd(Peer):
    def __init__(self, servers):
        self.count = servers

    def start(self):
        names = ['e%d=http://%s:2380' % (k, self.net.ip(k)) for k in range(1, self.count + 1)]
        self.urls = ['http://%s:2379' % self.net.ip(k) for k in range(1, self.count + 1)]
        for k in range(1, self.count + 1):
            ip = self.net.ip(k)
            self.spawn('etcd', '--name', 'e%d' % k, '--data-dir', os.path.join(self.dir, 'e%d' % k),
                       '--listen-client-urls', 'http://%s:2379' % ip,
                       '--advertise-client-urls', 'http://%s:2379' % ip,
                       '--listen-peer-urls', 'http://%s:2380' % ip,
                       '--initial-advertise-peer-urls', 'http://%s:2380' % ip,
                       '--initial-cluster', ','.join(names), '--initial-cluster-state', 'new')
        wait_for(lambda: all(b'true' in urllib.request.urlopen(u + '/health').read() for u in self.urls), 30)
        time.sleep(1)
