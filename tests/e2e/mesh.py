"""The mesh with real Envoys (mesh.md 9.3, items 94 to 109, 124, 125, 149, 151, 153): two services on two nodes, reached
through their sidecars over mTLS, under load while everything around them changes."""
import http.client
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time

from cluster import Cluster, wait_for
from envoy_sidecar import Sidecar, binary
from http1 import Http
from runner import fixture, test

BUILD = 'release'
EXPECT = ('daemon.ended', 'agent.', 'catalog.lost', 'gossip')  # one is killed; a node joins
# Not before is a minute in the past, so that a leaf lives for 60 s and is renewed after 30 to 48.
CONFIG = {'connect': {'enabled': True, 'ca_config': {'leaf_cert_ttl': '120s', 'skip_validate': True}},
          'ports': {'grpc': 8502}, 'default_intention_policy': 'deny'}
UPSTREAM, RATE = 9191, 50


class Server(http.server.ThreadingHTTPServer):
    request_queue_size, daemon_threads = 128, True


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the name of the server."""
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        body = self.server.text.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class App:
    """An application that listens on 8080, registered with a sidecar on the address `ip`."""

    def __init__(self, node, ip, name, id, upstreams=(), status='passing'):
        self.node, self.ip, self.name, self.id = node, ip, name, id
        self.server = Server((ip, 8080), Echo)
        self.server.text = id
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        proxy = {'LocalServiceAddress': ip, 'Upstreams': list(upstreams)}
        self.put('service/register', {
            'Name': name, 'ID': id, 'Address': ip, 'Port': 8080, 'Check': {'TTL': '10m', 'Status': status},
            'Connect': {'SidecarService': {'Proxy': proxy, 'Checks': [{'Name': 'app', 'AliasService': id}]}}})

    def put(self, path, body=None):
        a = self.node.put('/v1/agent/' + path, json.dumps(body) if body else b'')
        assert a.status == 200, a

    def set(self, status):
        self.put('check/%s/service:%s' % (status, self.id))

    def deregister(self):
        self.put('service/deregister/' + self.id)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Load:
    """Requests to the upstream until stopped: half of them on two kept connections, the rest on new ones."""

    def __init__(self, ip):
        self.ip, self.stopping = ip, threading.Event()
        self.counts, self.failures, self.last = {}, [], []
        self.threads = [threading.Thread(target=self.run, args=(keeps,)) for keeps in (True, True, False, False)]
        [t.start() for t in self.threads]

    def run(self, keeps):
        client = Http(self.ip, UPSTREAM, timeout=20)
        while not self.stopping.wait(len(self.threads) / RATE):
            begun = time.monotonic()
            try:
                a = client.get('/')
                text, good = a.text, a.status == 200
            except (OSError, http.client.HTTPException) as e:
                text, good = repr(e), False
            if not good:
                self.failures.append('%.3f s, %s: %s' % (time.monotonic() - begun, 'kept' if keeps else 'new', text))
            self.counts[text] = self.counts.get(text, 0) + 1
            self.last = [*self.last[-19:], text]
            if not keeps:
                client.close()
        client.close()

    def only(self, *names):
        """The last twenty answers came from these, each of them."""
        return len(self.last) == 20 and set(self.last) == set(names)

    def check(self):
        assert not self.failures, (len(self.failures), self.failures[:5], self.counts)

    def stop(self):
        self.stopping.set()
        [t.join(30) for t in self.threads]


class Mesh:
    def __init__(self, c):
        self.c, self.parts, self.load = c, [], None
        self.server, self.client = c[1], c[2]
        wait_for(lambda: self.server.get('/v1/connect/ca/roots').status == 200, 20, 'a CA')
        self.put('/v1/config', {'Kind': 'service-defaults', 'Name': 'db', 'Protocol': 'http'})
        self.ip = self.server.ip
        self.db1 = self.add(App(self.client, self.client.ip, 'db', 'db1'))
        self.web = self.add(App(self.server, self.ip, 'web', 'web', [
            {'DestinationName': 'db', 'LocalBindAddress': self.ip, 'LocalBindPort': UPSTREAM}]))
        self.db1_envoy = self.add(Sidecar(self.client, 'db1', self.client.ip))
        self.web_envoy = self.add(Sidecar(self.server, 'web', self.ip))
        self.db1_envoy.wait()
        self.web_envoy.wait()
        self.first = self.changed()

    def add(self, part):
        self.parts.append(part)
        return part

    def put(self, path, body, status=200):
        a = self.server.put(path, json.dumps(body))
        assert a.status == status, a

    def changed(self):
        """How often listeners of either sidecar were changed."""
        return [e.total('listener_manager.listener_(modified|in_place_updated)')
                for e in (self.db1_envoy, self.web_envoy)]

    def allow(self, action):
        self.put('/v1/connect/intentions/exact?source=web&destination=db', {'SourceType': 'consul', 'Action': action})

    def get(self):
        """A request on a new connection through web's sidecar to db: its status."""
        client = Http(self.ip, UPSTREAM)
        try:
            return client.get('/').status
        finally:
            client.close()

    def end(self):
        if self.load:
            self.load.stop()
        for part in reversed(self.parts):
            part.stop()


@fixture
def mesh():
    with Cluster(1, clients=1, config=CONFIG) as c:
        m = None
        try:
            m = Mesh(c)
            yield m
        except BaseException:
            for part in m.parts if m else ():
                print(part.logs() if isinstance(part, Sidecar) else '')
            raise
        finally:
            if m:
                m.end()


def on_load(mesh):
    """Starts it once; from here on no request may fail."""
    if not mesh.load:
        mesh.serials = mesh.db1_envoy.serial(), mesh.web_envoy.serial()
        mesh.load = Load(mesh.ip)
        wait_for(lambda: len(mesh.load.last) == 20, 20, 'requests')
    return mesh.load


# ---- who may ----

@test
def mesh_3_6_what_no_intention_allows_is_refused_and_allowing_it_needs_no_restart(mesh):
    kept = Http(mesh.ip, UPSTREAM)
    # until it knows where db is, web's sidecar says 503
    a = wait_for(lambda: (a := kept.get('/')).status == 403 and a, 20, 'a refusal through both sidecars')
    assert a.text == 'RBAC: access denied', a
    mesh.allow('allow')
    a = wait_for(lambda: (a := kept.get('/')).status == 200 and a, 20, 'allowed')
    assert a.text == 'db1', a
    mesh.allow('deny')  # in force on the next request of an open connection, item 151
    wait_for(lambda: kept.get('/').status == 403, 20, 'denied')
    a = mesh.server.delete('/v1/connect/intentions/exact?source=web&destination=db')
    assert a.status == 200 and mesh.get() == 403, a
    mesh.allow('allow')
    wait_for(lambda: kept.get('/').status == 200 and mesh.get() == 200, 20, 'allowed again')
    kept.close()
    assert mesh.changed() == mesh.first
    for node in (mesh.server, mesh.client):
        assert node.daemon('xdsd').metric('xds.nacks') == 0


@test
def mesh_125_without_a_certificate_of_the_mesh_nobody_comes_in(mesh):
    at = (mesh.db1.ip, 21000)
    loose = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(at, 40) as plain:
        try:
            plain.sendall(b'GET / HTTP/1.1\r\nHost: db\r\n\r\n')
            assert b'db1' not in plain.recv(4096)
        except ConnectionError:
            pass
    with socket.create_connection(at, 40) as plain:
        try:
            with loose.wrap_socket(plain) as tls:
                tls.sendall(b'GET / HTTP/1.1\r\nHost: db\r\n\r\n')
                got = tls.recv(4096)
        except (ssl.SSLError, ConnectionError):
            got = b''
    assert got == b'', got
    assert mesh.web_envoy.total(r'cluster\.db.*\.ssl\.handshake$') > 0


# ---- under load ----

@test
def mesh_make_before_break_an_upstream_moves_and_an_instance_goes_critical(mesh):
    load = on_load(mesh)
    db2 = mesh.add(App(mesh.server, mesh.c.net.ip(11), 'db', 'db2', status='critical'))
    mesh.add(Sidecar(mesh.server, 'db2', db2.ip)).wait()
    db2.set('pass')  # now that its sidecar listens
    wait_for(lambda: load.only('db1', 'db2'), 30, 'both instances serve')
    mesh.db1.set('fail')
    wait_for(lambda: load.only('db2'), 30, 'all goes to the other one')
    mesh.db1.set('pass')
    wait_for(lambda: load.only('db1', 'db2'), 30, 'both serve again')
    db2.deregister()
    wait_for(lambda: load.only('db1'), 30, 'the upstream has moved')
    load.check()


def alone(mesh, k):
    """An xdsd of its own that asks the server's catalogd."""
    config = {'node_name': 'n1', 'node_id': '%08d-0000-4000-8000-000000000000' % k, 'datacenter': 'dc1', 'server': False,
              'data_dir': os.path.join(mesh.c.dir, 'x%d' % k), 'bind_addr': mesh.c.net.ip(k),
              'client_addr': mesh.c.net.ip(k), 'advertise_addr': mesh.c.net.ip(k), 'log_level': 'DEBUG',
              'connect': CONFIG['connect'], 'ports': CONFIG['ports'], 'xdsd': {'catalog': [mesh.ip]}}
    return mesh.c.spawn('x%d' % k, config, None, 'xdsd')


@test
def issue_an_envoy_whose_xdsd_stays_away_goes_to_another(mesh):
    pool = {k: alone(mesh, k) for k in (21, 22)}
    for x in pool.values():
        wait_for(lambda: x.daemon().status()['items']['view'] == 'live', 20, 'its view')
    app = mesh.add(App(mesh.server, mesh.c.net.ip(12), 'api', 'api'))
    both = ','.join(mesh.c.net.ip(k) + ':8502' for k in pool)
    api = mesh.add(Sidecar(mesh.server, 'api', app.ip, grpc=both, more=['-xds-api', 'sotw'])).wait()
    used = wait_for(lambda: [x for x in pool.values() if x.daemon().metric('xds.streams') == 1], 20, 'one is used')
    assert len(used) == 1
    other, = (x for x in pool.values() if x is not used[0])
    used[0].kill()
    wait_for(lambda: other.daemon().metric('xds.streams') == 1, 30, 'the other one is used')
    mesh.put('/v1/config', {'Kind': 'service-defaults', 'Name': 'api', 'Protocol': 'http'})
    wait_for(lambda: api.total('http.public_listener.rds') > 0, 30, 'what the other one says is in force')


# ---- the command ----

@test
def mesh_2_8_connect_envoy_becomes_envoy(mesh):
    node, ip = mesh.server, mesh.c.net.ip(13)
    app = mesh.add(App(node, ip, 'cli', 'cli'))
    log = open(os.path.join(node.dir, 'cli.log'), 'wb')
    process = subprocess.Popen([os.path.join(mesh.c.bin, 'curia'), 'connect', 'envoy', '-sidecar-for=' + app.id,
                                '-http-addr=http://%s:8500' % node.ip, '-grpc-addr=%s:8502' % node.ip,
                                '-admin-bind=%s:19000' % ip, '-envoy-binary=' + binary(), '--', '--concurrency', '1',
                                '-l', 'info'], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: process.poll() is None and Http(ip, 19000).get('/ready').status == 200, 30, 'Envoy')
        with open('/proc/%d/comm' % process.pid) as f:
            assert f.read().strip() == 'envoy'
    finally:
        process.kill()
        process.wait()
        log.close()


@test
def mesh_2_8_connect_envoy_says_what_is_missing(mesh):
    for args, text in ((['-sidecar-for=nope'], 'No sidecar proxy registered for nope'),
                       ([], 'No proxy ID specified. One of -proxy-id, -sidecar-for, or -gateway is required'),
                       (['-proxy-id=web'], 'service is not a Connect proxy or gateway'),
                       (['-proxy-id=nope'], 'unknown service ID: nope')):
        done = mesh.server.curia('connect', 'envoy', '-bootstrap', *args)
        assert done.returncode == 1 and text in done.stderr.decode(), done


# ---- under load, still ----

@test
def mesh_149_leaves_are_renewed(mesh):
    load = on_load(mesh)
    for envoy, before in zip((mesh.db1_envoy, mesh.web_envoy), mesh.serials):
        wait_for(lambda: not envoy.serial() & before, 60, 'a leaf of its own again', every=0.2)
    seen = sum(load.counts.values())
    wait_for(lambda: sum(load.counts.values()) > seen + RATE, 20, 'requests with the new ones')
    assert mesh.changed() == mesh.first
    load.check()


@test
def issue_xdsd_is_killed_and_comes_back(mesh):
    load = on_load(mesh)
    killed = {node: node.daemon('xdsd').kill() for node in (mesh.server, mesh.client)}
    for node, pid in killed.items():
        wait_for(lambda: node.daemon('xdsd').restarted_since(pid), 20, 'xdsd of n%d' % node.k)
        wait_for(lambda: node.daemon('xdsd').metric('xds.streams') >= 1, 30, 'its Envoy is back')
    assert mesh.changed() == mesh.first  # it confirmed what they had
    load.check()
