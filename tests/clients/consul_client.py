"""Debian's python3-consul, unchanged, against one server: what http-api.md 1.10 says clients rely on."""
import threading
import time

import consul

from cluster import Cluster, wait_for
from runner import fixture, test
from waiting import suspended, wait_until_hanging


@fixture
def node():
    with Cluster(1) as c:
        yield c[1]


@fixture
def client(node):
    yield consul.Consul(host=node.ip)


def once_it_hangs(node, act):
    """Calls `act` in a thread of its own as soon as one more read hangs at the node."""
    before = suspended(node)

    def wait():
        wait_until_hanging(node, before)
        act()
    threading.Thread(target=wait).start()


@test
def kv_put_and_get_bytes(client):
    assert client.kv.put('py/a', b'\x00\xff') is True
    index, data = client.kv.get('py/a')
    assert data['Value'] == b'\x00\xff' and data['ModifyIndex'] == int(index), data
    assert client.kv.put('py/empty', '') is True
    assert client.kv.get('py/empty')[1]['Value'] is None


@test
def kv_get_of_a_missing_key_is_none(client):
    index, data = client.kv.get('py/none')
    assert data is None and int(index) >= 1


@test
def kv_recurse_and_keys(client):
    for key in ('py/r/a', 'py/r/b/c', 'py/r/b/d'):
        client.kv.put(key, key)
    assert [e['Key'] for e in client.kv.get('py/r/', recurse=True)[1]] == ['py/r/a', 'py/r/b/c', 'py/r/b/d']
    assert client.kv.get('py/r/', keys=True, separator='/')[1] == ['py/r/a', 'py/r/b/']
    assert client.kv.get('py/zz', recurse=True)[1] is None


@test
def kv_flags_and_cas(client):
    assert client.kv.put('py/c', '1', flags=42, cas=0) is True
    assert client.kv.put('py/c', '2', cas=0) is False
    data = client.kv.get('py/c')[1]
    assert data['Flags'] == 42 and data['Value'] == b'1'
    assert client.kv.put('py/c', '3', cas=data['ModifyIndex']) is True


@test
def kv_delete(client):
    client.kv.put('py/d/a', '1')
    client.kv.put('py/d/b', '1')
    assert client.kv.delete('py/d/a', cas=1) is False
    assert client.kv.delete('py/d/a') is True
    assert client.kv.delete('py/d/', recurse=True) is True
    assert client.kv.get('py/d/', recurse=True)[1] is None


@test
def kv_every_consistency_mode(client):
    client.kv.put('py/m', '1')
    for mode in ('default', 'stale', 'consistent'):
        assert client.kv.get('py/m', consistency=mode)[1]['Value'] == b'1'


@test
def kv_blocking_get_wakes(node, client):
    client.kv.put('py/w', '1')
    index, _ = client.kv.get('py/w')

    once_it_hangs(node, lambda: consul.Consul(host=node.ip).kv.put('py/w', '2'))
    start = time.monotonic()
    later, data = client.kv.get('py/w', index=index, wait='10s')
    assert data['Value'] == b'2' and int(later) > int(index) and time.monotonic() - start < 5


@test
def kv_errors_are_exceptions_with_the_body(client):
    try:
        client.kv.get('py/a', dc='nope')
    except consul.ConsulException as e:
        assert '500 No path to datacenter' in str(e), e
    else:
        raise AssertionError('no exception')


@test
def status_and_self(client):
    assert client.status.leader() == '%s:8300' % client.http.host
    assert client.status.peers() == ['%s:8300' % client.http.host]
    assert client.agent.self()['Config']['Datacenter'] == 'dc1'
    assert client.catalog.datacenters() == ['dc1']


# ---- catalog and health ----

def put_in(client, node, service, **kw):
    return client.catalog.register(node, '10.1.1.1', service=dict({'service': service}, **kw))


@test
def catalog_register_and_read_back(client):
    assert put_in(client, 'py1', 'pyweb', id='pyweb1', tags=['a', 'b'], port=80) is True
    index, nodes = client.catalog.nodes()
    assert 'py1' in [n['Node'] for n in nodes] and int(index) > 1
    index, services = client.catalog.services()
    assert sorted(services['pyweb']) == ['a', 'b']
    index, found = client.catalog.service('pyweb', tag='a')
    assert found[0]['ServicePort'] == 80 and found[0]['Address'] == '10.1.1.1', found
    index, node = client.catalog.node('py1')
    assert node['Node']['Node'] == 'py1' and node['Services']['pyweb1']['Service'] == 'pyweb', node
    assert client.catalog.node('py-none')[1] is None


@test
def catalog_deregister(client):
    put_in(client, 'py2', 'pygone')
    assert client.catalog.deregister('py2', service_id='pygone') is True
    assert client.catalog.service('pygone')[1] == []
    assert client.catalog.deregister('py2') is True
    assert client.catalog.node('py2')[1] is None


@test
def catalog_modes_and_errors(client):
    for mode in ('default', 'stale', 'consistent'):
        assert client.catalog.nodes(consistency=mode)[1] is not None
    try:
        client.catalog.register('', '')
    except consul.ConsulException as e:
        assert '500 Must provide node' in str(e), e
    else:
        raise AssertionError('no exception')


@test
def health_of_services_nodes_and_states(client):
    client.catalog.register('py3', '10.1.1.3', service={'service': 'pyh', 'id': 'pyh'})
    assert client.health.service('pyh', passing=True)[1][0]['Service']['Service'] == 'pyh'
    index, entries = client.health.service('pyh')
    assert entries[0]['Node']['Address'] == '10.1.1.3' and entries[0]['Checks'] == []
    assert client.health.node('py3')[1] == [] and client.health.checks('pyh')[1] == []
    assert isinstance(client.health.state('any')[1], list)


@test
def health_blocking_wakes(node, client):
    put_in(client, 'py4', 'pywait')
    index, _ = client.health.service('pywait')

    once_it_hangs(node, lambda: put_in(consul.Consul(host=node.ip), 'py5', 'pywait'))
    start = time.monotonic()
    later, entries = client.health.service('pywait', index=index, wait='10s')
    assert len(entries) == 2 and int(later) > int(index) and time.monotonic() - start < 5


# ---- the agent ----
# Before 1.0 (Debian 12) this client asks for some changes by GET, as agents before 1.0 took them: 405 with the reference
# and here. Debian 13's asks by PUT.
BY_PUT = int(consul.__version__.split('.')[0]) >= 1


def put_agent(client, what, **params):
    return client.http.put(lambda reply: reply.code == 200, '/v1/agent/' + what, params=params)


@test
def agent_services_and_their_checks(client):
    service, check = client.agent.service, client.agent.check
    assert service.register('pyagent', service_id='pyagent1', address='10.1.1.9', port=99, tags=['x'],
                            check=consul.Check.ttl('1h')) is True
    found = client.agent.services()['pyagent1']
    assert found['Service'] == 'pyagent' and found['Port'] == 99 and found['Tags'] == ['x'], found
    assert client.agent.checks()['service:pyagent1']['Status'] == 'critical'
    assert check.ttl_pass('service:pyagent1') is BY_PUT
    assert put_agent(client, 'check/pass/service:pyagent1', note='fine') is True
    assert [e['Service']['ID'] for e in client.health.service('pyagent', passing=True)[1]] == ['pyagent1']
    assert put_agent(client, 'check/fail/service:pyagent1') is True
    assert client.health.service('pyagent', passing=True)[1] == []
    assert service.maintenance('pyagent1', 'true', 'why') is True
    assert client.agent.checks()['_service_maintenance:pyagent1']['Notes'] == 'why'
    assert service.maintenance('pyagent1', 'false') is True
    assert service.deregister('pyagent1') is BY_PUT
    assert BY_PUT or put_agent(client, 'service/deregister/pyagent1') is True
    assert 'pyagent1' not in client.agent.services()


@test
def agent_checks_of_the_node(client):
    host = client.http.host
    assert client.agent.check.register('pyhttp', consul.Check.http('http://%s:8500/v1/status/leader' % host, '1s',
                                                                   timeout='1s'), notes='n') is True
    assert client.agent.check.register('pytcp', consul.Check.tcp(host, 8500, '1s'), check_id='t') is True

    def statuses():
        return {k: c['Status'] for k, c in client.agent.checks().items()}
    wait_for(lambda: statuses() == {'pyhttp': 'passing', 't': 'passing'}, 10, 'both checks pass')
    for name in ('pyhttp', 't'):
        assert put_agent(client, 'check/deregister/' + name) is True
    assert client.agent.checks() == {}


@test
def agent_maintenance_and_members(client):
    assert [m['Name'] for m in client.agent.members()] == ['n1']
    assert client.agent.maintenance('true', 'py') is True
    assert client.agent.checks()['_node_maintenance']['Notes'] == 'py'
    assert client.agent.maintenance('false') is True
    assert client.agent.self()['Member']['Name'] == 'n1'
