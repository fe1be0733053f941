"""Rights at the agent's own endpoints, and its own tokens: http-api.md 5.12 items 190, 191, 237, 240 to 242, 258 to 261, 275;
agent.md 27 items 50, 57, 88."""
import json
import os

from cluster import Cluster, wait_for
from runner import fixture, test

EXPECT = ('sync.blocked', 'daemon.ended: name=agentd')  # it is killed once
MASTER, AGENT_MASTER = 'aaaaaaaa-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000002'
UNKNOWN = '12345678-1111-4111-8111-111111111111'
NODE = 'node "n1" { policy = "write" } service_prefix "" { policy = "read" }'


class Agent:
    """The node's agent, asked with one token; '': none."""

    def __init__(self, node, token=''):
        self.node, self.headers = node, {'X-Consul-Token': token} if token else {}

    def get(self, path, **headers):
        return self.node.get('/v1/' + path, headers=dict(self.headers, **headers))

    def put(self, path, body=None):
        return self.node.put('/v1/' + path, json.dumps(body) if body is not None else b'', headers=self.headers)

    def register(self, name, **more):
        return self.put('agent/service/register', dict({'Name': name}, **more))


def said(answer, status, text=None):
    assert answer.status == status, answer
    if text is not None:
        assert answer.text == text, answer
    return answer


@fixture
def one():
    acl = {'enabled': True, 'default_policy': 'deny', 'enable_token_persistence': True, 'token_ttl': '1s',
           'tokens': {'master': MASTER, 'agent_master': AGENT_MASTER}}
    config = {'node_meta': {'rack': '7'}, 'acl': acl}
    with Cluster(1, config=config) as c:
        wait_for(lambda: c[1].get('/v1/acl/policies', headers={'X-Consul-Token': MASTER}).status == 200, 20, 'a manager')
        yield c[1]


@fixture
def manager(one):
    yield Agent(one, MASTER)


def token(manager, rules=None, **body):
    """Who has it."""
    if rules:
        name = 'p%d' % len(said(manager.get('acl/policies'), 200).json())
        said(manager.put('acl/policy', {'Name': name, 'Rules': rules}), 200)
        body['Policies'] = [{'Name': name}]
    made = said(manager.put('acl/token', body), 200).json()
    return Agent(manager.node, made['SecretID'])


def ports(manager, service):
    """Of its instances in the catalog."""
    return [e['Service']['Port'] for e in said(manager.get('health/service/' + service), 200).json()]


@test
def http_237_240_241_242_tokens_of_requests(one, manager):
    anyone = Agent(one)
    assert said(anyone.get('agent/self'), 403, 'Permission denied')['X-Consul-Default-ACL-Policy'] == 'deny'
    said(Agent(one, UNKNOWN).get('agent/self'), 403, 'ACL not found')
    said(Agent(one, UNKNOWN).get('agent/services'), 403, 'ACL not found')
    said(Agent(one, UNKNOWN).get('status/leader'), 200)
    said(one.get('/v1/agent/self?token=deny'), 500, 'Cannot resolve root ACL')
    self = said(manager.get('agent/self'), 200).json()
    assert self['DebugConfig']['ACLsEnabled'] and self['Stats']['consul']['acl'] == 'enabled'
    said(one.get('/v1/agent/self', headers={'Authorization': 'Bearer ' + MASTER}), 200)
    said(one.get('/v1/agent/self?token=', headers={'X-Consul-Token': MASTER}), 200)
    said(one.get('/v1/agent/self?token=' + MASTER, headers={'X-Consul-Token': UNKNOWN}), 200)
    said(one.get('/v1/agent/self', headers={'Authorization': 'Basic ' + MASTER}), 403)


@test
def http_190_what_is_of_the_node_needs_the_agents_rights(one, manager):
    anyone, reader = Agent(one), token(manager, 'agent "n1" { policy = "read" }')
    for path in ('agent/metrics', 'agent/host', 'agent/monitor?loglevel=zz', 'agent/service/nope?x'):
        expected = 404 if 'service' in path else 403
        said(anyone.get(path), expected)
    said(reader.get('agent/metrics'), 200)
    said(reader.get('agent/monitor?loglevel=zz'), 400, 'Bad request: Unknown log level: zz')
    said(reader.get('agent/host'), 403)
    for path in ('agent/reload', 'agent/join/127.0.0.9', 'agent/leave', 'agent/force-leave/x', 'agent/maintenance?enable=true'):
        said(reader.put(path), 403, 'Permission denied')
    said(manager.put('agent/force-leave/nope'), 500, "agent: No node found with name 'nope'")
    said(manager.put('agent/reload'), 200)


@test
def http_258_260_261_registrations(one, manager):
    anyone = Agent(one)
    said(anyone.register('w'), 403, 'Permission denied: Missing service:write on w')
    said(anyone.put('agent/check/register', {'Name': 'm', 'TTL': '1h'}), 403,
         'Permission denied: Missing node:write on n1')
    web = token(manager, ServiceIdentities=[{'ServiceName': 'web'}])
    said(web.register('w'), 403, 'Permission denied: Missing service:write on w')
    said(web.register('web', Port=80, Check={'TTL': '1h', 'Status': 'passing'}, Connect={'SidecarService': {}}), 200, '')
    wait_for(lambda: ports(manager, 'web') == [80], 10, 'the service in the catalog')
    assert set(web.get('agent/services').json()) == {'web', 'web-sidecar-proxy'}
    assert 'service:web' in web.get('agent/checks').json()
    assert anyone.get('agent/services').json() == anyone.get('agent/checks').json() == {}
    assert anyone.get('agent/members').json() == []
    assert [m['Name'] for m in web.get('agent/members').json()] == ['n1']
    said(anyone.get('agent/service/web'), 403, 'Permission denied')
    said(anyone.get('agent/health/service/id/web'), 403, 'Permission denied')
    said(anyone.put('agent/check/fail/service:web'), 403, 'Permission denied: Missing service:write on web')
    said(web.put('agent/check/warn/service:web'), 200)
    said(web.put('agent/service/deregister/unknown'), 500, 'Unknown service "unknown"')
    said(web.put('agent/check/deregister/unknown'), 500, 'Unknown check "unknown"')
    said(anyone.put('agent/service/deregister/web'), 403, 'Permission denied: Missing service:write on web')
    said(web.put('agent/service/deregister/web'), 200, '')
    wait_for(lambda: ports(manager, 'web') == [], 10, 'the catalog without the service')
    assert web.get('agent/services').json() == {}


@test
def http_275_the_agents_master_token(one):
    local = Agent(one, AGENT_MASTER)
    said(local.get('agent/self'), 200)
    assert [(m['Name'], m['Tags']['acls']) for m in said(local.get('agent/members'), 200).json()] == [('n1', '1')]
    said(local.get('kv/x'), 403)
    said(local.put('agent/maintenance?enable=true'), 403)


@test
def http_191_259_agent_50_57_88_the_nodes_own_tokens(one, manager):
    blocked = 'acl.blocked.node.registration'
    agentd = one.daemon('agentd')
    wait_for(lambda: agentd.metric(blocked) >= 1, 20, 'a blocked registration')
    wait_for(lambda: 'Node registration blocked by ACLs' in one.logs(), 20, 'a warning')
    said(Agent(one).put('agent/token/agent', {'Token': MASTER}), 403)
    said(manager.put('agent/token/zz', {'Token': MASTER}), 404, 'Token "zz" is unknown')
    node = token(manager, NodeIdentities=[{'NodeName': 'n1', 'Datacenter': 'dc1'}])

    def rack():  # the agent alone tells of it
        return (manager.get('catalog/node/n1').json()['Node']['Meta'] or {}).get('rack')
    assert rack() is None
    said(manager.put('agent/token/agent', {'Token': node.headers['X-Consul-Token']}), 200, '')
    wait_for(lambda: rack() == '7', 20, 'the node in the catalog')

    web = token(manager, 'service "web" { policy = "write" }')
    said(Agent(one).register('web'), 403)
    said(manager.put('agent/token/default', {'Token': web.headers['X-Consul-Token']}), 200)
    said(Agent(one).register('web', Port=81), 200)
    wait_for(lambda: ports(manager, 'web') == [81], 10, 'the service in the catalog')
    path = os.path.join(one.data_dir, 'acl-tokens.json')
    with open(path) as f:
        assert set(json.load(f)) == {'agent', 'default'}
    assert os.stat(path).st_mode & 0o777 == 0o600

    agentd.kill()  # its next life knows them
    wait_for(lambda: Agent(one).get('agent/service/web').status == 200, 20, 'the default token')
    said(Agent(one).put('agent/service/deregister/web'), 200)
    wait_for(lambda: ports(manager, 'web') == [], 10, 'the catalog without the service')
