"""CPU a query of dnsd beside NSD as it comes, over the same names: A, SRV, a service that is not there.

The latency in the column p99_ms is the longest one: dnsperf tells no percentile."""
import json
import os
import re
import subprocess
import time

from cluster import Cluster, wait_for
from peers import Peer, children

INSTANCES = 3
NSD = '''server:
    ip-address: %(ip)s@5300
    server-count: 1
    database: ""
    zonesdir: "%(dir)s"
    pidfile: "%(dir)s/pid"
    xfrdfile: "%(dir)s/xfrd"
    zonelistfile: "%(dir)s/zones"
    username: ""
    do-ip6: no
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: "consul"
    zonefile: "zone"
'''
QUERIES = {'A': 'web.service.consul A', 'SRV': 'web.service.consul SRV', 'NXDOMAIN': 'nosuch.service.consul A'}


def zone():
    lines = ['$ORIGIN consul.', '$TTL 0', '@ SOA ns.consul. hostmaster.consul. 1 3600 600 86400 0', '@ NS n1.node.dc1']
    for k in range(1, INSTANCES + 1):
        lines += ['n%d.node.dc1 A 10.0.0.%d' % (k, k), 'web.service A 10.0.0.%d' % k,
                  'web.service SRV 1 1 80 n%d.node.dc1' % k]
    return '\n'.join(lines) + '\n'


class Nsd(Peer):
    def start(self):
        self.ip = self.net.ip(1)
        for name, text in (('conf', NSD % {'ip': self.ip, 'dir': self.dir}), ('zone', zone())):
            with open(os.path.join(self.dir, name), 'w') as f:
                f.write(text)
        self.spawn('/usr/sbin/nsd', '-d', '-c', os.path.join(self.dir, 'conf'))
        wait_for(lambda: answers(self.ip, 5300), 10)

    def pids(self):
        """Its servers are children of a child."""
        found = [p.pid for p in self.processes]
        for pid in found:
            found += children(pid)
        return found


def answers(ip, port):
    done = subprocess.run(['dig', '+short', '+time=1', '+tries=1', '@' + ip, '-p', str(port), 'web.service.consul', 'SRV'],
                          capture_output=True, text=True)
    return len(done.stdout.splitlines()) == INSTANCES


def fill(node):
    for k in range(1, INSTANCES + 1):
        body = {'Node': 'n%d' % k, 'Address': '10.0.0.%d' % k, 'Service': {'Service': 'web', 'Port': 80}}
        assert node.put('/v1/catalog/register', json.dumps(body).encode()).status == 200
    wait_for(lambda: answers(node.ip, 8600), 10)


def dnsperf(ip, port, query, folder):
    path = os.path.join(folder, 'queries')
    with open(path, 'w') as f:
        f.write(query + '\n')

    def run(seconds):
        done = subprocess.run(['dnsperf', '-s', ip, '-p', str(port), '-d', path, '-l', str(seconds), '-T', '1', '-c', '8',
                               '-q', '128'], capture_output=True, text=True, check=True)

        def number(word):
            return float(re.search(word + r':?\s+([0-9.]+)', done.stdout).group(1))
        completed, sent = number('Queries completed'), number('Queries sent')
        assert completed > 0.999 * sent, done.stdout
        return {'requests': completed, 'seconds': number(r'Run time \(s\)'), 'rps': number('Queries per second'),
                'p50_ms': 1000 * number(r'Average Latency \(s\)'), 'p99_ms': 1000 * number(r'max')
                if 'max' in done.stdout else 0}
    return run


def bench(measured, show):
    with Nsd() as nsd:
        for kind, query in QUERIES.items():
            show('nsd ' + kind, measured({'nsd': nsd.pids()}, dnsperf(nsd.ip, 5300, query, nsd.dir)))
    with Cluster(1, {'log_level': 'INFO'}) as c:
        fill(c[1])
        time.sleep(1)
        pids = {'dnsd': [c[1].daemon('dnsd').pid]}
        for kind, query in QUERIES.items():
            show('dnsd ' + kind, measured(pids, dnsperf(c[1].ip, 8600, query, c.dir)))
