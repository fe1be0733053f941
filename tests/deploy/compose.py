"""docker-compose.yml with real Docker: what deploy/README.md says of it is so. Its commands are taken from there."""
import json
import os
import re
import subprocess
import threading
import time

from cluster import ROOT, wait_for
from http1 import Http
from runner import fixture, test

IP = '127.%d.%d.1' % (128 + (os.getpid() >> 8) % 64, os.getpid() % 256)  # nobody else's ports
PROJECT = 'curia-test-%d' % os.getpid()
IMAGE = 'curia-test-compose'
ENV = dict(os.environ, CURIA_IP=IP, CURIA_IMAGE=IMAGE, CURIA_SAMPLE_IMAGE=IMAGE + '-sample', COMPOSE_PROJECT_NAME=PROJECT,
           COMPOSE_HTTP_TIMEOUT='300')
DAEMONS = ('gossipd', 'raftd', 'catalogd', 'agentd', 'dnsd', 'xdsd')
FURTHER = ('dnsd', 'xdsd', 'catalogd')
SERVERS = ('server1', 'server2', 'server3')
HTTP = {'client1': 8500, 'server1': 8501, 'server2': 8502, 'server3': 8503}
DNS = {'client1': 8600, 'server1': 8601, 'server2': 8602, 'server3': 8603}
UP_S = 90


def run(*args, check=True, seconds=240, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, cwd=ROOT, env=ENV, **more)
    text = done.stdout.decode(errors='replace')
    assert not check or done.returncode == 0, '%s: %d\n%s' % (args, done.returncode, text[-4000:])
    return text


def compose(*args, **more):
    return run('docker-compose', *args, **more)


def readme(words, seconds=240):
    """Runs the one command of deploy/README.md that has these words."""
    with open(os.path.join(ROOT, 'deploy', 'README.md')) as f:
        found = [line for line in f if line.startswith('    ') and words in line]
    assert len(found) == 1, (words, found)
    return run('bash', '-ec', found[0].strip(), seconds=seconds)


def containers():
    """{(service, number): all that Docker knows of it}"""
    ids = run('docker', 'ps', '-aq', '--filter', 'label=com.docker.compose.project=' + PROJECT).split()
    found = json.loads(run('docker', 'inspect', *ids)) if ids else []
    label = 'com.docker.compose.'
    return {(c['Config']['Labels'][label + 'service'], int(c['Config']['Labels'][label + 'container-number'])): c for c in found}


def inspect(service, number=1):
    return containers()[service, number]


def get(node, path, timeout=10):
    http = Http(IP, HTTP[node], timeout=timeout)
    try:
        answer = http.get(path)
    finally:
        http.close()
    assert answer.status == 200, answer
    return answer.json()


def dig(port, *more):
    return run('dig', '+time=2', '+tries=1', '+short', '@' + IP, '-p', str(port), 'sample.service.consul', 'SRV', *more,
               check=False).split('\n')


def in_dns(port, *more):
    return dig(port, *more)[0] == '1 1 8080 client1.node.dc1.consul.'


def sample_is(state):
    return lambda: [i['Checks'] and i['Service']['Service'] for i in get('client1', '/v1/health/service/sample?passing')] == state


def servers():
    """{node: is leader} as the raft configuration says."""
    return {s['Node']: s['Leader'] for s in get('client1', '/v1/operator/raft/configuration')['Servers']}


def leader():
    return wait_for(lambda: next((n for n, leads in servers().items() if leads), None), UP_S, 'a leader', every=0.1)


def healthy(service):
    return inspect(service)['State']['Health']['Status'] == 'healthy'


def status(service, daemon, index=1):
    text = compose('exec', '-T', '--index=%d' % index, service, 'curia', 'call', daemon, 'Daemon.Status')
    reply = json.loads(text[text.index('{'):])
    return dict(reply, items={i['name']: i['value'] for i in reply['items']})


def nodes():
    """{node: create index}: a node that went and came back has another one."""
    return {n['Node']: n['CreateIndex'] for n in get('client1', '/v1/catalog/nodes')}


class Reads(threading.Thread):
    """Reads the sample's instances at a node, one after the other; a failed read is tried again."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.ended, self.good, self.failures, self.down_s, self.wrong = node, False, 0, [], 0.0, []
        self.start()

    def run(self):
        since = None
        while not self.ended:
            try:
                found = [i['Service']['Service'] for i in get(self.node, '/v1/health/service/sample?passing', timeout=20)]
                if found != ['sample']:
                    self.wrong.append(found)
                self.good, since = self.good + 1, None
            except Exception as e:
                since = since or time.monotonic()
                self.failures.append(repr(e)[:200])
                self.down_s = max(self.down_s, time.monotonic() - since)
            time.sleep(0.01)

    def stop(self):
        """Once it has read well again."""
        before = self.good
        wait_for(lambda: self.good > before, 30, 'a good read: %s' % self.failures[-1:])
        self.ended = True
        self.join(30)
        assert not self.is_alive() and not self.wrong, self.wrong[:3]


@test(seconds=2400)  # packages are installed, and everything is compiled
def the_image_is_built_from_the_repository():
    run(os.path.join(ROOT, 'tests', 'deploy', 'base_image'), 'bookworm', seconds=900)
    start = time.monotonic()
    readme('docker-compose build', seconds=2000)
    size = int(run('docker', 'image', 'inspect', '-f', '{{.Size}}', IMAGE))
    base = int(run('docker', 'image', 'inspect', '-f', '{{.Size}}', 'debian:bookworm-slim'))
    print('built in %.0f s; %.0f MB on top of a base of %.0f MB' % (time.monotonic() - start, (size - base) / 1e6, base / 1e6))
    assert size - base < 120e6, 'the image has more than it needs to run'


@fixture
def up():
    try:
        start = time.monotonic()
        readme('docker-compose up -d  ', seconds=500)
        created = time.monotonic()
        wait_for(lambda: sorted(servers()) == list(SERVERS) and any(servers().values()), UP_S, 'three servers and a leader')
        print('all containers after %.1f s, a leader %.1f s later' % (created - start, time.monotonic() - created))
        wait_for(sample_is(['sample']), UP_S, 'the sample is healthy')
        yield
    finally:
        compose('down', '-v', '--remove-orphans', '-t', '2', check=False)


@test(seconds=900)
def every_daemon_gets_healthy_and_may_do_no_more_than_it_must(up):
    services = compose('config', '--services').split()
    assert sorted(n for n, _ in containers()) == sorted(services)
    assert sorted(n for n in services if n.startswith('server1-')) == sorted('server1-' + d for d in DAEMONS), services
    wait_for(lambda: not [n for (n, _), c in containers().items()
                          if c['State'].get('Health', {'Status': 'healthy'})['Status'] != 'healthy'],
             UP_S, 'everybody is healthy', every=0.3)
    for (name, _), what in containers().items():
        assert ('Health' in what['State']) == (name != 'sample' and name not in HTTP), name
        assert what['HostConfig']['ReadonlyRootfs'] == (name not in FURTHER) and what['HostConfig']['CapDrop'] == ['ALL'], name
        assert all(m['Name'].startswith(PROJECT + '_') for m in what['Mounts'] if m['Type'] == 'volume'), what['Mounts']
        assert what['Config']['User'] in ('curia', '65534:65534'), (name, what['Config']['User'])
        assert not what['State']['OOMKilled'] and what['RestartCount'] == 0, (name, what['State'])


@test
def ports_are_published_on_one_address_which_is_loopback_unless_told(up):
    bindings = [b for c in containers().values() for bound in (c['HostConfig']['PortBindings'] or {}).values() for b in bound]
    assert len(bindings) >= 14 and {b['HostIp'] for b in bindings} == {IP}, bindings
    with open(os.path.join(ROOT, 'docker-compose.yml')) as f:
        assert set(re.findall(r'\$\{CURIA_IP:-([^}]*)\}', f.read())) == {'127.0.0.1'}


@test
def the_sample_is_found_on_every_server_by_http_and_dns(up):
    for node in HTTP:
        wait_for(lambda: [i['Service']['Port'] for i in get(node, '/v1/health/service/sample?passing')] == [8080],
                 UP_S, 'the sample over HTTP at ' + node)
        wait_for(lambda: in_dns(DNS[node]) and in_dns(DNS[node], '+tcp'), UP_S, 'the sample in DNS at ' + node)
    members = compose('exec', '-T', 'client1-agentd', 'curia', 'members')
    assert all(re.search(r'^%s +\S+ +alive' % n, members, re.M) for n in HTTP), members


@test
def a_sample_that_stops_leaves_dns_and_comes_back(up):
    readme('docker-compose stop sample')
    for node in DNS:
        wait_for(lambda: dig(DNS[node])[0] == '', UP_S, 'the sample is gone from DNS at ' + node)
    compose('start', 'sample')
    for node in DNS:
        wait_for(lambda: in_dns(DNS[node]), UP_S, 'the sample is back in DNS at ' + node)


@test
def a_reload_is_taken_up_and_ends_nobody(up):
    readme('Daemon.Reload')
    assert 'daemon.reload' in compose('logs', '--no-color', 'server1-dnsd')
    assert inspect('server1-dnsd')['RestartCount'] == 0 and in_dns(DNS['server1'])


@test(seconds=300)
def dnsd_and_the_reading_catalogd_scale(up):
    readme('--scale dnsd=3')
    for index in (1, 2, 3):
        port = compose('port', '--protocol=udp', '--index=%d' % index, 'dnsd', '8600').strip().rpartition(':')[2]
        wait_for(lambda: in_dns(port), UP_S, 'dnsd %d answers' % index)
    for index in (1, 2):
        wait_for(lambda: status('xdsd', 'xdsd', index)['items']['view'] == 'live', UP_S, 'xdsd %d follows' % index)
        wait_for(lambda: int(status('catalogd', 'catalogd', index)['items']['applied_index']) > 0 and
                 status('catalogd', 'catalogd', index)['items']['reader'] == 'true', UP_S, 'catalogd %d follows' % index)
    assert sorted(servers()) == list(SERVERS)
    compose('up', '-d', '--no-recreate', '--scale', 'dnsd=1', '--scale', 'xdsd=1', '--scale', 'catalogd=0')
    port = compose('port', '--protocol=udp', 'dnsd', '8600').strip().rpartition(':')[2]
    compose('stop', 'sample')  # news have to come from a server now
    wait_for(lambda: dig(port)[0] == '', UP_S, 'the dnsd left hears of it')
    compose('start', 'sample')
    wait_for(lambda: in_dns(port), UP_S, 'and of its return')


@test(seconds=400)
def a_daemon_killed_on_the_leader_is_restarted_and_nothing_is_deregistered(up):
    before = wait_for(nodes, UP_S, 'the nodes')
    assert sorted(before) == sorted(HTTP), before
    for daemon in DAEMONS:
        service = '%s-%s' % (leader(), daemon)
        old = inspect(service)
        os.kill(old['State']['Pid'], 9)  # not `docker kill`, after which Docker leaves it ended
        wait_for(lambda: inspect(service)['RestartCount'] > old['RestartCount'] and status(service, daemon)['ready'],
                 UP_S, service + ' is back', every=0.2)
        wait_for(lambda: Http(IP, HTTP['client1']).put('/v1/kv/after', daemon.encode()).text == 'true', UP_S, 'a write')
        wait_for(lambda: [get(n, '/v1/status/leader') != '' for n in HTTP] == [True] * 4, UP_S, 'all know a leader')
        assert wait_for(nodes, UP_S, 'the nodes') == before
    wait_for(sample_is(['sample']), UP_S, 'the sample is still there')


@test(seconds=300)
def one_daemon_is_replaced_by_a_newer_image_and_the_others_go_on(up):
    old = containers()
    reads = [Reads('client1'), Reads('server2')]
    # What building a changed repository gives: the same tag on another image.
    run('docker', 'build', '-q', '-t', IMAGE, '-', input=b'FROM %s\nLABEL newer="%d"\n' % (IMAGE.encode(), time.time()))
    readme('--no-deps server2-catalogd')
    wait_for(lambda: healthy('server2-catalogd'), UP_S, 'the new catalogd is healthy', every=0.3)
    for r in reads:
        r.stop()
    new = containers()
    assert new['server2-catalogd', 1]['Config']['Labels'].get('newer'), 'the new image'
    assert [s for s in new if new[s]['Id'] != old[s]['Id']] == [('server2-catalogd', 1)]
    print('client1: %d reads, %d failed, at most %.1f s long; server2: %d, %d, %.1f s' % sum(
        ((r.good, len(r.failures), r.down_s) for r in reads), ()))
    assert all(r.good > 10 and r.down_s < 20 for r in reads), [(r.good, r.failures[:3], r.down_s) for r in reads]


@test(seconds=300)
def a_node_whose_address_was_killed_is_made_anew_and_is_the_same_server(up):
    before = wait_for(nodes, UP_S, 'the nodes')
    os.kill(inspect('server1')['State']['Pid'], 9)
    readme('--force-recreate server1 ')
    wait_for(lambda: sorted(servers()) == list(SERVERS) and get('server1', '/v1/status/leader') != '', UP_S, 'server1 is back')
    wait_for(lambda: Http(IP, HTTP['server1']).put('/v1/kv/moved', b'1').text == 'true', UP_S, 'a write at server1')
    assert wait_for(nodes, UP_S, 'the nodes') == before


@test(seconds=300)
def down_leaves_nothing(up):
    readme('docker-compose down -v')
    mark = 'label=com.docker.compose.project=' + PROJECT
    for kind in (('ps', '-a'), ('volume', 'ls'), ('network', 'ls')):
        left = run('docker', *kind, '-q', '--filter', mark)
        assert left == '', (kind, left)
