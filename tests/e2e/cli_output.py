"""What commands print and ask for, against fixed answers: cli.md 4.3, 4.8 to 4.11, 4.17 to 4.19, 4.22, 4.25;
checklist items are in the names."""
import json
import os
import subprocess
import tempfile

import cluster
from canned import Canned
from runner import fixture, test


@fixture
def agent():
    with Canned() as canned:
        yield canned


def run(agent, *args, code=0, out=None, err=None):
    done = subprocess.run([os.path.join(cluster.bin_dir(), 'curia'), *args],
                          env={**os.environ, 'CONSUL_HTTP_ADDR': agent.address}, capture_output=True, timeout=30)
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
def cli_18_members_is_a_table_with_padding(agent):
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
def members_wan_asks_for_the_wan_pool(agent):
    agent['/v1/agent/members'] = []
    run(agent, 'members', '-wan', code=2, out='')
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
def monitor_prints_the_stream_and_says_that_it_ended(agent):
    agent['/v1/agent/monitor'] = (200, 'a line\nanother\n')
    run(agent, 'monitor', code=1, out='a line\nanother\n',
        err='Remote side ended the monitor! This usually means that the\nremote side has exited or crashed.')
    assert agent.asked[-1][1] == '/v1/agent/monitor?loglevel=INFO'
    agent['/v1/agent/monitor'] = (400, 'Bad request: Unknown log level: bogus')
    run(agent, 'monitor', '-log-level=bogus', code=1,
        err='Error starting monitor: Unexpected response code: 400 (Bad request: Unknown log level: bogus)')
