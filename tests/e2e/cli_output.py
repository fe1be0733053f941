"""What commands print and ask for, against fixed answers: cli.md 4.3, 4.8 to 4.11, 4.17 to 4.19, 4.22, 4.25;
checklist items are in the names."""
import base64
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import tempfile

import cluster
from canned import Canned
from runner import fixture, test


@fixture
def agent():
    with Canned() as canned:
        yield canned


def run(agent, *args, code=0, out=None, err=None, **env):
    """`env`: variables; None takes one away."""
    env = {**os.environ, 'CONSUL_HTTP_ADDR': agent.address, **env}
    done = subprocess.run([os.path.join(cluster.bin_dir(), 'curia'), *args], capture_output=True, timeout=30,
                          env={name: value for name, value in env.items() if value is not None})
    assert done.returncode == code, done
    if out is not None:
        assert done.stdout.decode() == out, done.stdout.decode()
    if err is not None:
        assert err in done.stderr.decode(), done.stderr.decode()
    return done


def member(name, status=1, role='node', **tags):
    return {'Name': name, 'Addr': '127.0.0.1', 'Port': 8301, 'Status': status,
            'Tags': {'role': role, 'dc': 'dc1', 'build': '1.9.8:', 'vsn': '2', 'segment': '', **tags}}


@test
def cli_18_23_members_is_a_table_with_padding(agent):
    agent['/v1/agent/members'] = [member('s1', role='consul'), member('client-2', 4)]
    run(agent, 'members', out=(
        'Node      Address         Status  Type    Build  Protocol  DC   Segment\n'
        's1        127.0.0.1:8301  alive   server  1.9.8  2         dc1  <all>\n'
        'client-2  127.0.0.1:8301  failed  client  1.9.8  2         dc1  <default>\n'))
    assert agent.asked[-1][1] == '/v1/agent/members?segment=_all'


@test
def members_shows_what_it_does_not_know_as_unknown_and_v6_in_brackets(agent):
    agent['/v1/agent/members'] = [{'Name': 'x', 'Addr': '::1', 'Port': 7, 'Status': 1, 'Tags': {}}]
    run(agent, 'members', out='Node  Address  Status  Type     Build  Protocol  DC  Segment\n'
                              'x     [::1]:7  alive   unknown                       \n')


@test
def cli_19_members_detailed_has_sorted_tags(agent):
    agent['/v1/agent/members'] = [member('a', zz='1')]
    run(agent, 'members', '-detailed', out=(
        'Node  Address         Status  Tags\n'
        'a     127.0.0.1:8301  alive   build=1.9.8:,dc=dc1,role=node,segment=<default>,vsn=2,zz=1\n'))


@test
def cli_20_21_members_status(agent):
    agent['/v1/agent/members'] = [member('a')]
    run(agent, 'members', '-status=failed', code=2, out='')
    run(agent, 'members', '-status=[', code=1, err='Failed to compile status regexp: ')


@test
def cli_22_members_wan_lists_the_wan_pool_by_its_names(agent):
    agent['/v1/agent/members'] = [member('s1.dc1', role='consul'), member('s2.dc2', role='consul', dc='dc2')]
    run(agent, 'members', '-wan', out=(
        'Node    Address         Status  Type    Build  Protocol  DC   Segment\n'
        's1.dc1  127.0.0.1:8301  alive   server  1.9.8  2         dc1  <all>\n'
        's2.dc2  127.0.0.1:8301  alive   server  1.9.8  2         dc2  <all>\n'))
    assert agent.asked[-1][1] == '/v1/agent/members?wan=1'


@test
def cli_5_15_members_without_an_agent_or_with_a_bad_flag(agent):
    run(agent, 'members', '-bogus', code=1, err='flag provided but not defined: -bogus')
    run(agent, 'members', '-http-addr=127.0.0.1:1', code=1,
        err='Error retrieving members: Get "http://127.0.0.1:1/v1/agent/members?segment=_all": '
            'dial tcp 127.0.0.1:1: connect: connection refused')


@test
def cli_24_info_prints_blocks_sorted(agent):
    agent['/v1/agent/self'] = {'Stats': {'raft': {'term': '2', 'state': 'Leader'}, 'agent': {'checks': '0'}}}
    run(agent, 'info', out='agent:\n\tchecks = 0\nraft:\n\tstate = Leader\n\tterm = 2\n')


NODES = [{'Node': 'ext1', 'ID': '', 'Address': '10.9.9.1', 'Datacenter': 'dc1', 'TaggedAddresses': None,
          'Meta': {'rack': 'r1'}},
         {'Node': 'srv1', 'ID': '11111111-2222-3333-4444-555555555555', 'Address': '127.0.0.1', 'Datacenter': 'dc1',
          'TaggedAddresses': {'wan': '127.0.0.1', 'lan': '127.0.0.1'}, 'Meta': {'consul-network-segment': ''}}]


@test
def cli_25_catalog_nodes_cuts_ids(agent):
    agent['/v1/catalog/nodes'] = NODES
    run(agent, 'catalog', 'nodes', '-node-meta', 'a=b', out=(
        'Node  ID        Address    DC\n'
        'ext1            10.9.9.1   dc1\n'
        'srv1  11111111  127.0.0.1  dc1\n'))
    assert agent.asked[-1][1] == '/v1/catalog/nodes?node-meta=a%3Ab'
    run(agent, 'catalog', 'nodes', '-node-meta', 'ab', code=1, err='-node-meta wants key=value, got "ab"')


@test
def cli_26_catalog_nodes_detailed_has_six_columns(agent):
    agent['/v1/catalog/nodes'] = NODES
    done = run(agent, 'catalog', 'nodes', '-detailed')
    lines = done.stdout.decode().splitlines()
    assert lines[0].split() == ['Node', 'ID', 'Address', 'DC', 'TaggedAddresses', 'Meta'], lines
    assert lines[2].endswith('dc1  lan=127.0.0.1, wan=127.0.0.1  consul-network-segment='), lines


@test
def cli_27_catalog_nodes_without_a_match_says_so_and_exits_0(agent):
    agent['/v1/catalog/service/none'] = []
    run(agent, 'catalog', 'nodes', '-service=none', out='',
        err='No nodes match the given query - try expanding your search.')


@test
def cli_16_catalog_nodes_passes_the_refusal_on(agent):
    agent['/v1/catalog/nodes'] = (403, 'ACL not found')
    run(agent, 'catalog', 'nodes', code=1, err='Error listing nodes: Unexpected response code: 403 (ACL not found)')


@test
def cli_28_catalog_services_with_tags(agent):
    agent['/v1/catalog/services'] = {'web': ['v1', 'primary'], 'consul': []}
    run(agent, 'catalog', 'services', out='consul\nweb\n')
    run(agent, 'catalog', 'services', '-tags', out='consul      \nweb         primary,v1\n')
    agent['/v1/catalog/services'] = {}
    run(agent, 'catalog', 'services', out='', err='No services match the given query - try expanding your search.')


@test
def catalog_services_of_one_node(agent):
    agent['/v1/catalog/node/n1'] = {'Node': {}, 'Services': {'w1': {'Service': 'web', 'Tags': ['a']},
                                                             'w2': {'Service': 'web', 'Tags': ['b']}}}
    run(agent, 'catalog', 'services', '-node', 'n1', '-tags', out='web      a,b\n')
    agent['/v1/catalog/node/n2'] = None
    run(agent, 'catalog', 'services', '-node', 'n2', out='', err='No services match')


@test
def cli_29_catalog_datacenters(agent):
    agent['/v1/catalog/datacenters'] = ['dc1', 'dc2']
    run(agent, 'catalog', 'datacenters', out='dc1\ndc2\n')
    run(agent, 'catalog', 'datacenters', 'x', code=1, err='Too many arguments (expected 0, got 1)')


@test
def cli_68_join_counts_what_worked(agent):
    agent['/v1/agent/join/good'] = (200, '')
    agent['/v1/agent/join/bad'] = (500, 'no route')
    run(agent, 'join', 'good', 'bad', out='Successfully joined cluster by contacting 1 nodes.\n',
        err="Error joining address 'bad': Unexpected response code: 500 (no route)")
    run(agent, 'join', 'bad', code=1, out='', err='Failed to join any nodes.')
    run(agent, 'join', code=1, err='At least one address to join must be specified.')
    run(agent, 'join', '-wan', 'good')
    assert agent.asked[-1][:2] == ('PUT', '/v1/agent/join/good?wan=1')


@test
def cli_69_leave_force_leave_and_reload(agent):
    for path in ('/v1/agent/leave', '/v1/agent/reload', '/v1/agent/force-leave/n1'):
        agent[path] = (200, '')
    agent['/v1/agent/force-leave/nosuch'] = (500, "agent: No node found with name 'nosuch'")
    run(agent, 'leave', out='Graceful leave complete\n')
    run(agent, 'leave', 'foo', code=1, out='', err='Error found unexpected args: [foo]')
    run(agent, 'reload', out='Configuration reload triggered\n')
    run(agent, 'force-leave', '-prune', 'n1', out='')
    assert agent.asked[-1][1] == '/v1/agent/force-leave/n1?prune=1'
    run(agent, 'force-leave', code=1, err='A single node name must be specified to force leave.')
    run(agent, 'force-leave', 'nosuch', code=1,
        err="Error force leaving: Unexpected response code: 500 (agent: No node found with name 'nosuch')")


@test
def cli_70_maint(agent):
    agent['/v1/agent/checks'] = {'_node_maintenance': {'Node': 'srv1', 'Notes': 'why'},
                                 '_service_maintenance:web': {'ServiceID': 'web', 'Notes': 'upgrade'}, 'c1': {}}
    run(agent, 'maint', out='Node:\n  Name:   srv1\n  Reason: why\n\nService:\n  ID:     web\n  Reason: upgrade\n\n')
    agent['/v1/agent/maintenance'] = (200, '')
    agent['/v1/agent/service/maintenance/web'] = (200, '')
    agent['/v1/agent/service/maintenance/nope'] = (500, 'Unknown service "nope"')
    run(agent, 'maint', '-enable', '-reason', 'a b', out='Node maintenance is now enabled\n')
    assert agent.asked[-1][1] == '/v1/agent/maintenance?enable=true&reason=a%20b'
    run(agent, 'maint', '-disable', out='Node maintenance is now disabled\n')
    run(agent, 'maint', '-enable', '-service', 'web', out='Service maintenance is now enabled for "web"\n')
    run(agent, 'maint', '-disable', '-service', 'web', out='Service maintenance is now disabled for "web"\n')
    run(agent, 'maint', '-enable', '-service', 'nope', code=1,
        err='Error enabling service maintenance: Unexpected response code: 500 (Unknown service "nope")')
    run(agent, 'maint', '-enable', '-disable', code=1, err='Only one of -enable or -disable may be provided')
    run(agent, 'maint', '-reason', 'x', code=1, err='Reason may only be provided with -enable')
    run(agent, 'maint', '-service', 'web', code=1, err='Service requires either -enable or -disable')


def asked_body(agent):
    return json.loads(agent.asked[-1][2])


@test
def cli_71_services_register_from_flags(agent):
    agent['/v1/agent/service/register'] = (200, '')
    run(agent, 'services', 'register', '-name', 'web', '-id', 'w1', '-port', '80', '-tag', 'a', '-tag', 'b', '-meta',
        'k=v', '-tagged-address', 'lan=[::1]:81', '-address', '10.0.0.1', out='Registered service: web\n')
    assert asked_body(agent) == {'Name': 'web', 'ID': 'w1', 'Port': 80, 'Tags': ['a', 'b'], 'Meta': {'k': 'v'},
                                 'Address': '10.0.0.1', 'TaggedAddresses': {'lan': {'Address': '::1', 'Port': 81}}}
    run(agent, 'services', 'register', code=1, err='Service registration requires at least one argument or flags.')
    run(agent, 'services', 'register', '-name', 'x', 'f.json', code=1,
        err='Service registration requires arguments or -id, not both.')
    run(agent, 'services', 'register', '-name', 'x', '-tagged-address', 'lan=1.2.3.4', code=1,
        err='Invalid Tagged Address: ')


@test
def cli_71_services_register_and_deregister_by_file(agent):
    agent['/v1/agent/service/register'] = (200, '')
    agent['/v1/agent/service/deregister/w1'] = (200, '')
    agent['/v1/agent/service/deregister/nope'] = (500, 'Unknown service "nope"')
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'web.json')
        with open(path, 'w') as file:
            json.dump({'service': {'name': 'web', 'id': 'w1', 'port': 80, 'meta': {'a_b': 'c'},
                                   'checks': [{'id': 'c1', 'http': 'http://127.0.0.1/', 'interval': '1s',
                                               'deregister_critical_service_after': '90m'}]}}, file)
        run(agent, 'services', 'register', path, out='Registered service: web\n')
        assert asked_body(agent) == {'name': 'web', 'id': 'w1', 'port': 80, 'meta': {'a_b': 'c'},
                                     'checks': [{'CheckID': 'c1', 'http': 'http://127.0.0.1/', 'interval': '1s',
                                                 'deregistercriticalserviceafter': '90m'}]}
        twin = os.path.join(folder, 'web.hcl')
        with open(twin, 'w') as file:
            file.write('service { name = "web" id = "w1" port = 80 meta { a_b = "c" }\n checks { id = "c1" interval = "1s"\n'
                       'http = "http://127.0.0.1/" deregister_critical_service_after = "90m" } } # all of it\n'
                       'service { name = "db" connect { sidecar_service {} } }')
        before = asked_body(agent)
        run(agent, 'services', 'register', twin, out='Registered service: web\nRegistered service: db\n')
        assert json.loads(agent.asked[-2][2]) == before, agent.asked[-2]
        assert asked_body(agent) == {'name': 'db', 'connect': {'sidecarservice': {}}}
        run(agent, 'services', 'deregister', path, out='Deregistered service: w1\n')
        bad = os.path.join(folder, 'bad.json')
        with open(bad, 'w') as file:
            file.write('{"servicce": {}}')
        run(agent, 'services', 'register', bad, code=1, err='Error: ')
    run(agent, 'services', 'deregister', '-id', 'nope', code=1,
        err='Error deregistering service "nope": Unexpected response code: 500 (Unknown service "nope")')


@test
def cli_72_validate(agent):
    with tempfile.TemporaryDirectory() as folder:
        good, bad = os.path.join(folder, 'good.json'), os.path.join(folder, 'bad.json')
        for path, text in ((good, json.dumps({'datacenter': 'dc1', 'data_dir': folder})), (bad, '{"bogus_key": 1}')):
            with open(path, 'w') as file:
                file.write(text)
        run(agent, 'validate', good, out='Configuration is valid!\n')
        run(agent, 'validate', '-quiet', good, out='')
        run(agent, 'validate', bad, code=1, out='', err='Config validation failed: ')
        run(agent, 'validate', '-quiet', bad, code=1, out='', err='bogus_key')
        twin = os.path.join(folder, 'good.hcl')
        with open(twin, 'w') as file:
            file.write('datacenter = "dc1"\ndata_dir = "%s"\nports { http = 8500 }\n' % folder)
        run(agent, 'validate', twin, out='Configuration is valid!\n')
        run(agent, 'validate', '-config-format=json', twin, code=1, out='', err='failed to parse ' + twin)
        os.rename(twin, good)
        run(agent, 'validate', '-config-format=hcl', good, out='Configuration is valid!\n')
        with open(good, 'w') as file:
            file.write('ports {')
        run(agent, 'validate', '-config-format=hcl', good, code=1, out='',
            err='At 1:9: object expected closing RBRACE got: EOF')
    run(agent, 'validate', code=1, err='Must specify at least one config file or directory')
    run(agent, 'validate', '-config-format=x', 'f', code=1, err="-config-format must be either 'hcl' or 'json")


@test
def cli_80_monitor_prints_the_stream_and_says_that_it_ended(agent):
    agent['/v1/agent/monitor'] = (200, 'a line\nanother\n')
    run(agent, 'monitor', code=1, out='a line\nanother\n',
        err='Remote side ended the monitor! This usually means that the\nremote side has exited or crashed.')
    assert agent.asked[-1][1] == '/v1/agent/monitor?loglevel=INFO'
    agent['/v1/agent/monitor'] = (400, 'Bad request: Unknown log level: bogus')
    run(agent, 'monitor', '-log-level=bogus', code=1,
        err='Error starting monitor: Unexpected response code: 400 (Bad request: Unknown log level: bogus)')


class Streaming:
    """An agent that sends the head of a stream, and then what it is told to."""

    def __enter__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.process = subprocess.Popen(
            [os.path.join(cluster.bin_dir(), 'curia'), 'monitor'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, 'CONSUL_HTTP_ADDR': '127.0.0.1:%d' % self.listener.getsockname()[1]})
        self.listener.settimeout(30)
        self.agent = self.listener.accept()[0]
        self.agent.recv(65536)
        self.agent.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        return self

    def line(self, text):
        """Sends it, and waits until it is printed."""
        self.agent.sendall(b'%x\r\n%s\r\n' % (len(text), text))
        assert self.process.stdout.readline() == text

    def end(self):
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err.decode()

    def __exit__(self, *exc):
        self.agent.close()
        self.listener.close()
        self.process.kill()
        self.process.wait()


@test
def cli_80_monitor_ends_with_0_at_a_signal_and_with_1_when_the_agent_dies():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Streaming() as stream:
            stream.line(b'one\n')  # each at once, not when the stream ends
            stream.line(b'two\n')
            stream.process.send_signal(number)
            assert stream.end() == (0, b'', '')
    with Streaming() as stream:
        stream.line(b'one\n')
        stream.agent.close()  # in the middle of the stream
        assert stream.end() == (1, b'', '\nRemote side ended the monitor! This usually means that the\n'
                                        'remote side has exited or crashed.\n')


@test
def cli_94_agent_100_conf_render_gives_a_daemon_what_it_owns(agent):
    tokens = {'agent': 'secret-a', 'agent_master': 'secret-m', 'default': 'secret-d', 'master': 'secret-s'}
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, 'all.json'), os.path.join(folder, 'out')
        config = {'node_name': 'n', 'data_dir': folder, 'run_dir': folder, 'server': True, 'bootstrap': True,
                  'raft_trailing_logs': 7, 'raftd': {'port': 8311}, 'retry_join': ['10.0.0.1'], 'gossip_lan': {'probe_interval': '2s'},
                  'dns_config': {'node_ttl': '9s'}, 'acl': {'enabled': True, 'tokens': tokens}}
        with open(path, 'w') as f:
            json.dump(config, f)

        def rendered(daemon, at, *args):
            run(agent, 'conf', 'render', daemon, '-config-file', path, *args, out='')
            assert stat.S_IMODE(os.stat(at).st_mode) == 0o600, oct(os.stat(at).st_mode)
            with open(at) as f:
                return json.load(f)
        part = rendered('raftd', out, '-out', out)
        assert part == {'node_name': 'n', 'data_dir': folder, 'run_dir': folder, 'server': True, 'bootstrap': True,
                        'raft_trailing_logs': 7, 'raftd': {'port': 8311}}, part
        part = rendered('gossipd', os.path.join(folder, 'gossipd.json'))
        assert part['retry_join'] == ['10.0.0.1'] and part['gossip_lan'] == {'probe_interval': '2s'}, part
        assert 'raft_trailing_logs' not in part, part
        for daemon, secrets in (('gossipd', ''), ('raftd', ''), ('catalogd', 's'), ('agentd', 'adm'), ('dnsd', 'ad'),
                                ('xdsd', 'adm')):
            given = rendered(daemon, os.path.join(folder, daemon + '.json')).get('acl', {}).get('tokens', {})
            assert sorted(given.values()) == ['secret-' + letter for letter in secrets], (daemon, given)
        run(agent, 'conf', 'render', 'nosuchd', '-config-file', path, code=1, out='', err='Unknown daemon: nosuchd')
        run(agent, 'conf', 'render', '-config-file', path, code=1, out='', err='Missing DAEMON argument')


# ---- what all commands have in common ----

GROUPS = {'C': ('http-addr', 'token', 'token-file', 'ca-file', 'ca-path', 'client-cert', 'client-key', 'tls-server-name'),
          'S': ('datacenter', 'stale'), 'N': ('namespace',)}
COMMANDS = {  # cli.md 3, of what is built
    'acl bootstrap': 'CS', 'acl policy create': 'CSN', 'acl policy delete': 'CSN', 'acl policy list': 'CSN',
    'acl policy read': 'CSN', 'acl policy update': 'CSN', 'acl role create': 'CSN', 'acl role delete': 'CSN',
    'acl role list': 'CSN', 'acl role read': 'CSN', 'acl role update': 'CSN', 'acl set-agent-token': 'CS',
    'acl token clone': 'CSN', 'acl token create': 'CSN', 'acl token delete': 'CSN', 'acl token list': 'CSN',
    'acl token read': 'CSN', 'acl token update': 'CSN', 'agent': '', 'call': '', 'catalog datacenters': 'CS',
    'catalog nodes': 'CS', 'catalog services': 'CSN', 'conf render': '', 'connect envoy': 'CN', 'force-leave': 'C',
    'info': 'C', 'intention check': 'CSN', 'intention create': 'CSN', 'intention delete': 'CSN', 'intention get': 'CSN',
    'intention list': 'CSN', 'intention match': 'CSN', 'join': 'C', 'kv delete': 'CSN', 'kv export': 'CSN', 'kv get': 'CSN',
    'kv import': 'CSN', 'kv put': 'CSN', 'leave': 'C', 'maint': 'C', 'members': 'C', 'monitor': 'C',
    'operator raft add-peer': '', 'operator raft forget-promise': '', 'operator raft list-peers': 'CS',
    'operator raft recover': '', 'operator raft remove-peer': 'CS', 'reload': 'C', 'services deregister': 'CSN',
    'services register': 'CSN', 'validate': '', 'version': ''}


def commands(agent, *parent):
    """All that are listed, with those below them."""
    text = run(agent, *parent, '-h').stdout.decode()
    listed = re.search(r'(?:Available commands are|Subcommands):\n\n?((?:    .*\n)+)', text)
    if not listed:
        return [' '.join(parent)]
    words = [line.split()[0] for line in listed.group(1).splitlines()]
    return [path for word in words for path in commands(agent, *parent, word)]


@test
def cli_10_every_command_takes_the_flags_of_its_groups_and_no_others(agent):
    assert commands(agent) == sorted(COMMANDS), commands(agent)
    own = {'agent': ['datacenter'], 'call': ['token', 'token-file']}
    for path, groups in COMMANDS.items():
        code = 2 if path in ('intention check', 'intention match') else 1
        given = ['-%s=%s' % (name, 'true' if name == 'stale' else 'x') for g in groups for name in GROUPS[g]]
        others = [[name for name in GROUPS[g] if name not in own.get(path, ())][0] for g in GROUPS if g not in groups]
        for strange in ['bogus'] + others:
            done = run(agent, *path.split(), *given, '-' + strange, code=code, out='')
            line = done.stderr.decode().splitlines()[0]
            assert line == 'flag provided but not defined: -' + strange, (path, line)


def ask(agent, *args, **more):
    """Any request; what it was."""
    agent['/v1/kv/k'] = (200, '[]')
    run(agent, 'kv', 'get', '-keys', *args, 'k', **more)
    return agent.asked[-1][1]


@test
def agent_16_a_flag_counts_more_than_a_variable_and_that_more_than_the_default(agent):
    nowhere = '127.0.0.1:1'
    ask(agent, '-http-addr=' + agent.address, CONSUL_HTTP_ADDR=nowhere)
    ask(agent, CONSUL_HTTP_ADDR='http://' + agent.address)
    with socket.socket() as s:
        if s.connect_ex(('127.0.0.1', 8500)):  # else somebody's agent runs there
            run(agent, 'kv', 'get', 'k', code=1, CONSUL_HTTP_ADDR=None, err='Get "http://127.0.0.1:8500/v1/kv/k"')

    def token(*args, **env):
        ask(agent, *args, **env)
        return agent.headers['X-Consul-Token']
    with tempfile.TemporaryDirectory() as folder:
        one, two = os.path.join(folder, 'one'), os.path.join(folder, 'two')
        for path in (one, two):
            with open(path, 'w') as f:
                f.write('of-%s\n' % os.path.basename(path))
        assert token() is None
        assert token(CONSUL_HTTP_TOKEN='env') == 'env'
        assert token('-token=flag', CONSUL_HTTP_TOKEN='env') == 'flag'
        assert token(CONSUL_HTTP_TOKEN_FILE=one) == 'of-one'
        assert token('-token-file', two, CONSUL_HTTP_TOKEN_FILE=one) == 'of-two'
        assert token('-token=flag', CONSUL_HTTP_TOKEN_FILE=one) == 'of-one'  # cli.md 2.2: the file wins
    assert agent.headers['Authorization'] is None
    ask(agent, CONSUL_HTTP_AUTH='user:pass')
    assert agent.headers['Authorization'] == 'Basic ' + base64.b64encode(b'user:pass').decode()
    assert 'ns=' not in ask(agent)
    assert '&ns=default' in ask(agent, CONSUL_NAMESPACE='default')
    assert '&ns=default' in ask(agent, '-namespace=default', CONSUL_NAMESPACE='team')
    run(agent, 'kv', 'get', 'k', code=1, CONSUL_NAMESPACE='team', err='namespace "team" does not exist')
    run(agent, 'kv', 'get', '-keys', 'k', out='', CONSUL_HTTP_SSL='maybe', err='could not parse CONSUL_HTTP_SSL: maybe')


@test
def agent_16_what_envoy_is_told_follows_the_same_order(agent):
    agent['/v1/agent/self'] = {'Config': {'NodeName': 'n1', 'Datacenter': 'dc1'}, 'DebugConfig': {'GRPCPort': 8502}}
    agent['/v1/agent/services'] = {
        id: {'ID': id, 'Kind': 'connect-proxy', 'Proxy': {'DestinationServiceID': id[0], 'DestinationServiceName': id[0]}}
        for id in ('a-proxy', 'b-proxy')}

    def told(*args, **env):
        done = run(agent, 'connect', 'envoy', '-bootstrap', *args, **env)
        cluster = json.loads(done.stdout)['static_resources']['clusters'][0]
        at = cluster['load_assignment']['endpoints'][0]['lb_endpoints'][0]['endpoint']['address']['socket_address']
        return json.loads(done.stdout)['node']['id'], '%s:%d' % (at['address'], at['port_value'])
    assert told(CONNECT_SIDECAR_FOR='a') == ('a-proxy', '127.0.0.1:8502')
    assert told('-sidecar-for=b', CONNECT_SIDECAR_FOR='a')[0] == 'b-proxy'
    assert told(CONNECT_PROXY_ID='a-proxy')[0] == 'a-proxy'
    assert told('-proxy-id=b-proxy', CONNECT_PROXY_ID='a-proxy')[0] == 'b-proxy'
    assert told(CONNECT_PROXY_ID='a-proxy', CONSUL_GRPC_ADDR='10.0.0.1:7') == ('a-proxy', '10.0.0.1:7')
    assert told('-grpc-addr=10.0.0.2:8', CONNECT_PROXY_ID='a-proxy', CONSUL_GRPC_ADDR='10.0.0.1:7')[1] == '10.0.0.2:8'


class Authority:
    """A CA in a folder, with the hashed name by which a folder of CAs is read; signs what it is asked to."""

    def __init__(self, folder):
        os.makedirs(folder)
        self.folder, self.pem, self.names = folder, os.path.join(folder, 'ca.pem'), 0
        self.sign('ca', by=())
        name = subprocess.run(['openssl', 'x509', '-hash', '-noout', '-in', self.pem], capture_output=True, check=True)
        os.symlink('ca.pem', os.path.join(folder, name.stdout.decode().strip() + '.0'))

    def sign(self, name, alternatives=None, by=None):
        pem, key = (os.path.join(self.folder, name + end) for end in ('.pem', '.key'))
        by = ('-CA', self.pem, '-CAkey', os.path.join(self.folder, 'ca.key')) if by is None else by
        more = ('-addext', 'subjectAltName=' + alternatives) if alternatives else ()
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
                        '1', '-subj', '/CN=' + name, '-keyout', key, '-out', pem, *by, *more], capture_output=True, check=True)
        return pem, key


@test
def agent_16_cli_14_tls_variables_and_their_flags(agent):
    with tempfile.TemporaryDirectory() as folder:
        good, other = Authority(os.path.join(folder, 'good')), Authority(os.path.join(folder, 'other'))
        context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
        context.load_cert_chain(*good.sign('server', 'IP:127.0.0.1,DNS:server.dc1.consul'))
        context.load_verify_locations(good.pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = lambda sock, name, context: asked.append(name)
        with Canned(context) as tls:
            def refused(*args, **env):
                run(tls, 'kv', 'get', *args, 'k', code=1, err='Error querying Consul agent: ', **env)
                assert not tls.asked, tls.asked

            def name():
                return dict(pair[0] for pair in tls.certificate['subject'])['commonName']
            trust = {'CONSUL_HTTP_SSL': 'true', 'CONSUL_CACERT': good.pem}
            refused(CONSUL_CACERT=good.pem)  # plain HTTP is the default
            refused(CONSUL_HTTP_SSL='true')  # nobody knows that CA
            refused(CONSUL_HTTP_SSL='true', CONSUL_CACERT=other.pem)
            refused('-ca-file=' + other.pem, **trust)
            refused('-http-addr=http://' + tls.address, **trust)
            refused('-tls-server-name=nobody', **trust)
            refused(**trust, CONSUL_TLS_SERVER_NAME='nobody')
            ask(tls, **trust)
            ask(tls, '-ca-file=' + good.pem, CONSUL_HTTP_SSL='true', CONSUL_CACERT=other.pem)
            ask(tls, CONSUL_HTTP_SSL='1', CONSUL_CAPATH=good.folder)
            ask(tls, '-ca-path=' + good.folder, CONSUL_HTTP_SSL='1', CONSUL_CAPATH=other.folder)
            ask(tls, '-http-addr=https://' + tls.address, CONSUL_HTTP_ADDR=None, CONSUL_CACERT=good.pem)
            ask(tls, CONSUL_HTTP_SSL='true', CONSUL_HTTP_SSL_VERIFY='false')
            assert not tls.certificate
            ask(tls, **trust, CONSUL_TLS_SERVER_NAME='server.dc1.consul')
            assert asked[-1] == 'server.dc1.consul' and tls.headers['Host'] == tls.address, (asked, tls.headers)
            ask(tls, '-tls-server-name=server.dc1.consul', **trust, CONSUL_TLS_SERVER_NAME='nobody')
            by_env, by_flag = good.sign('by-env'), good.sign('by-flag')
            own = {'CONSUL_CLIENT_CERT': by_env[0], 'CONSUL_CLIENT_KEY': by_env[1]}
            ask(tls, **trust, **own)
            assert name() == 'by-env'
            ask(tls, '-client-cert=' + by_flag[0], '-client-key=' + by_flag[1], **trust, **own)
            assert name() == 'by-flag'
