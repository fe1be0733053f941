"""Debian's HAProxy, unchanged, takes its servers from dnsd's SRV answers over UDP (its `server-template` and `resolvers`):
an instance that turns critical gets no more requests though it still answers, none of them fails meanwhile; what is
registered is used; a tag in the name of RFC 2782 chooses."""
import csv
import http.client
import http.server
import os
import shutil
import socket
import subprocess
import threading

from agentapi import put, register
from cluster import Cluster, Ended, wait_for
from http1 import Http
from runner import fixture, test

BUILD = 'release'
SOON_S = 10  # HAProxy asks every half second and holds what is gone for one
PORT = 8080  # of every instance, and of the frontend of all
TAGGED = 8081  # the frontend of what is tagged v2
SERVER = '2'  # the type of row in `show stat`

CONFIG = '''
global
    stats socket {socket} mode 600 level operator
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
resolvers curia
    nameserver dnsd {node}:8600
    accepted_payload_size 8192
    timeout resolve 500ms
    timeout retry 500ms
    hold valid 500ms
    hold obsolete 1s
frontend all
    bind {ip}:{port}
    default_backend web
frontend tagged
    bind {ip}:{tagged}
    default_backend v2
backend web
    option httpchk GET /
    server-template web 5 _web._tcp.service.consul resolvers curia resolve-prefer ipv4 check inter 500ms
backend v2
    option httpchk GET /
    server-template v2 5 _web._v2.service.consul resolvers curia resolve-prefer ipv4 check inter 500ms
'''


class Instance:
    """A web server on an address of its own that answers with its name."""

    def __init__(self, net, name, k):
        self.name, self.ip = name, net.ip(k)

        class Handler(http.server.BaseHTTPRequestHandler):
            wbufsize = -1  # one write: a health check closes once it has the head

            def do_GET(self):
                self.send_response(200)
                self.send_header('Content-Length', str(len(name)))
                self.end_headers()
                self.wfile.write(name.encode())

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer((self.ip, PORT), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class HAProxy:
    def __init__(self, node, ip):
        self.ip, self.socket = ip, os.path.join(node.dir, 'haproxy.sock')
        path = os.path.join(node.dir, 'haproxy.cfg')
        with open(path, 'w') as f:
            f.write(CONFIG.format(socket=self.socket, node=node.ip, ip=ip, port=PORT, tagged=TAGGED))
        self.log_path = os.path.join(node.dir, 'haproxy.log')
        with open(self.log_path, 'wb') as log:
            program = shutil.which('haproxy', path=os.environ['PATH'] + ':/usr/sbin')
            self.process = subprocess.Popen([program, '-db', '-f', path], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)

    def say(self, command):
        """A command over the stats socket."""
        if self.process.poll() is not None:
            with open(self.log_path) as f:
                raise Ended('haproxy ended: ' + f.read())
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket)
            s.sendall(command.encode() + b'\n')
            return b''.join(iter(lambda: s.recv(65536), b'')).decode()

    def servers(self, backend):
        """'address:port' of the servers that it uses, as `show stat` tells."""
        rows = csv.DictReader(self.say('show stat').lstrip('# ').splitlines())
        return sorted(row['addr'] for row in rows
                      if row['pxname'] == backend and row['type'] == SERVER and row['status'].startswith('UP'))

    def ask(self, port=PORT):
        """One request over a connection of its own: the name of the instance, else what went wrong."""
        client = Http(self.ip, port, timeout=10)
        try:
            answer = client.get('/')
            return answer.text if answer.status == 200 else repr(answer)
        except (OSError, http.client.HTTPException) as e:
            return repr(e)
        finally:
            client.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


@fixture
def webs(one):
    """Three that answer; the first two are registered, the second is tagged."""
    made = {}
    try:
        for k in (1, 2, 3):
            made['web%d' % k] = Instance(one.cluster.net, 'web%d' % k, 10 + k)
        enlist(one, made['web1'], tags=['v1'])
        enlist(one, made['web2'], tags=['v2'])
        yield made
    finally:
        for instance in made.values():
            instance.close()


@fixture
def haproxy(one, webs):
    h = HAProxy(one, one.cluster.net.ip(20))
    try:
        wait_for(lambda: h.servers('web') == addresses(webs, 'web1', 'web2'), 20, 'servers from DNS')
        wait_for(lambda: h.servers('v2') == addresses(webs, 'web2'), 20, 'servers from DNS by tag')
        yield h
    finally:
        h.stop()


def enlist(one, instance, tags=()):
    register(one, 'web', ID=instance.name, Address=instance.ip, Port=PORT, Tags=list(tags),
             Check={'TTL': '600s', 'Status': 'passing'})


def tell(one, status, name):
    put(one, 'check/%s/service:%s' % (status, name))


def addresses(webs, *names):
    return ['%s:%d' % (webs[name].ip, PORT) for name in names]


def become(haproxy, webs, *names, backend='web', port=PORT):
    """Its servers are these and no others, soon; each request until then, and the next twenty, goes well."""
    wanted, answers = addresses(webs, *names), []

    def arrived():
        answers.append(haproxy.ask(port))
        return haproxy.servers(backend) == wanted
    wait_for(arrived, SOON_S, 'servers %r' % (names,), every=0.05)
    assert set(answers) <= set(webs), answers
    assert {haproxy.ask(port) for _ in range(20)} == set(names)


@test
def requests_go_to_every_instance(haproxy, webs):
    become(haproxy, webs, 'web1', 'web2')


@test
def a_critical_instance_is_used_no_more_and_no_request_fails(one, haproxy, webs):
    tell(one, 'fail', 'web1')
    become(haproxy, webs, 'web2')
    assert Http(webs['web1'].ip, PORT).get('/').text == 'web1'  # so it was dnsd's word, not HAProxy's own check
    tell(one, 'pass', 'web1')
    become(haproxy, webs, 'web1', 'web2')


@test
def a_new_instance_is_used(one, haproxy, webs):
    enlist(one, webs['web3'])
    become(haproxy, webs, 'web1', 'web2', 'web3')


@test
def a_tag_in_the_name_chooses(one, haproxy, webs):
    become(haproxy, webs, 'web2', backend='v2', port=TAGGED)
    enlist(one, webs['web3'], tags=['v2'])
    become(haproxy, webs, 'web2', 'web3', backend='v2', port=TAGGED)
    enlist(one, webs['web2'], tags=['v1'])
    become(haproxy, webs, 'web3', backend='v2', port=TAGGED)


@test
def a_deregistered_instance_is_used_no_more(one, haproxy, webs):
    enlist(one, webs['web3'])
    become(haproxy, webs, 'web1', 'web2', 'web3')
    put(one, 'service/deregister/web3')
    become(haproxy, webs, 'web1', 'web2')
