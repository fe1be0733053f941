"""Who gets what: every route of agentd, every method of catalogd, for nobody in particular, for strangers, for who has
just the rule that it takes, and for the master (http-api.md 2 and 4, items 237 to 264, 272 to 274)."""
import base64
import contextlib
import http.client
import json
import os
import re

from cluster import ROOT, Cluster, wait_for
from runner import fixture, test

EXPECT = ('sync.blocked', 'gossip.exchange-failed')  # the agent has no token of its own; it joins nobody
MASTER = 'the-master-of-this-test'
UNKNOWN = '99999999-1111-4111-8111-111111111111'
MANAGEMENT = '00000000-0000-0000-0000-000000000001'
DENIED = (403, 'Permission denied')
NOBODY = (403, 'ACL not found')
WRITTEN = (200, 'true')
DONE = (200, '')

# Much, but of other things.
STRANGER = ''.join('%s_prefix "zz" { policy = "write" }\n' % r for r in
                   ('agent', 'key', 'node', 'event', 'query', 'session')) + \
    'service_prefix "zz" { policy = "write" intentions = "write" }\nkeyring = "write"\n'

ACL_READ, ACL_WRITE = 'acl = "read"', 'acl = "write"'
AGENT_READ, AGENT_WRITE = ('agent "n1" { policy = "%s" }' % p for p in ('read', 'write'))
NODE_READ, NODE_WRITE = ('node "n1" { policy = "%s" }' % p for p in ('read', 'write'))
WEB_READ, WEB_WRITE = ('service "web" { policy = "%s" }' % p for p in ('read', 'write'))
DB_INTENTIONS = 'service "db" { policy = "read" intentions = "%s" }'
INTENTION_READ, INTENTION_WRITE = DB_INTENTIONS % 'read', DB_INTENTIONS % 'write'
SEEN = WEB_READ + NODE_READ
KEY_READ, KEY_WRITE = ('key_prefix "a/" { policy = "%s" }' % p for p in ('read', 'write'))
OPERATOR_READ, OPERATOR_WRITE = 'operator = "read"', 'operator = "write"'
ANY = ''


class Part(str):
    """Of what nobody in particular is told; all other texts are the whole."""


OPEN = None  # nobody's token is looked at

POLICY = {'Name': 'p1', 'Rules': ''}
INTENTION = {'SourceName': 'web', 'DestinationName': 'db', 'Action': 'allow'}
EXACT = '?source=web&destination=db'
AUTHORIZE = {'Target': 'web', 'ClientCertURI': 'spiffe://x.consul/ns/default/dc/dc1/svc/db'}
REGISTER = {'Node': 'n1', 'Address': '127.0.0.1', 'SkipNodeUpdate': True, 'Service': {'Service': 'web', 'ID': 'web2'}}
TXN = [{'KV': {'Verb': 'set', 'Key': 'a/t', 'Value': 'eA=='}}]
QUESTIONS = [{'Resource': 'key', 'Segment': 'a/k', 'Access': 'read'}]

# method, route, what follows, body, rule, what nobody in particular gets, what who has the rule gets (status, a part of
# the text), what the master gets afterwards where that is something else
TABLE = (
    ('PUT', '/v1/acl/bootstrap', '', None, OPEN, (403, Part('Permission denied: ACL bootstrap no longer')), None),
    ('GET', '/v1/acl/policies', '', None, ACL_READ, DENIED, (200, 'global-management')),
    ('PUT', '/v1/acl/policy', '', POLICY, ACL_WRITE, DENIED, (200, '"p1"'), (500, 'already exists')),
    ('GET', '/v1/acl/policy/', MANAGEMENT, None, ACL_READ, DENIED, (200, 'global-management')),
    ('PUT', '/v1/acl/policy/', UNKNOWN, dict(POLICY, ID=UNKNOWN), ACL_WRITE, DENIED, (500, 'cannot find policy')),
    ('DELETE', '/v1/acl/policy/', UNKNOWN, None, ACL_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/acl/policy/name/', 'global-management', None, ACL_READ, DENIED, (200, MANAGEMENT)),
    ('GET', '/v1/acl/replication', '', None, OPEN, (200, Part('"Enabled":false')), None),
    ('PUT', '/v1/acl/role', '', {'Name': 'r1'}, ACL_WRITE, DENIED, (200, '"r1"'), (500, 'already exists')),
    ('GET', '/v1/acl/role/', UNKNOWN, None, ACL_READ, DENIED, (404, '')),
    ('PUT', '/v1/acl/role/', UNKNOWN, {'ID': UNKNOWN, 'Name': 'r2'}, ACL_WRITE, DENIED, (500, 'cannot find role')),
    ('DELETE', '/v1/acl/role/', UNKNOWN, None, ACL_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/acl/role/name/', 'r1', None, ACL_READ, DENIED, (200, '"r1"')),
    ('GET', '/v1/acl/roles', '', None, ACL_READ, DENIED, (200, '"r1"')),
    ('PUT', '/v1/acl/token', '', {}, ACL_WRITE, DENIED, (200, 'SecretID')),
    ('GET', '/v1/acl/token/', '00000000-0000-0000-0000-000000000002', None, ACL_READ, DENIED, (200, 'hidden'), (200, 'anonymous')),
    ('PUT', '/v1/acl/token/', UNKNOWN, {}, ACL_WRITE, DENIED, (500, 'Cannot find token')),
    ('DELETE', '/v1/acl/token/', UNKNOWN, None, ACL_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/acl/token/self', '', None, ANY, NOBODY, (200, 'SecretID')),
    ('GET', '/v1/acl/tokens', '', None, ACL_READ, DENIED, (200, 'Master Token')),
    ('PUT', '/v1/agent/check/register', '', {'Name': 'c1', 'TTL': '1h'}, NODE_WRITE,
     (403, 'Permission denied: Missing node:write on n1'), DONE),
    ('PUT', '/v1/agent/check/register', '', {'Name': 'c2', 'TTL': '1h', 'ServiceID': 'web1'}, WEB_WRITE,
     (403, 'Permission denied: Missing service:write on web'), DONE),
    ('PUT', '/v1/agent/check/fail/', 'c1', None, NODE_WRITE, (403, 'Permission denied: Missing node:write on n1'), DONE),
    ('PUT', '/v1/agent/check/warn/', 'c2', None, WEB_WRITE, (403, 'Permission denied: Missing service:write on web'), DONE),
    ('PUT', '/v1/agent/check/pass/', 'c1', None, NODE_WRITE, (403, 'Permission denied: Missing node:write on n1'), DONE),
    ('PUT', '/v1/agent/check/update/', 'c2', {'Status': 'passing'}, WEB_WRITE,
     (403, 'Permission denied: Missing service:write on web'), DONE),
    ('GET', '/v1/agent/checks', '', None, NODE_READ, (200, '{}'), (200, '"c1"')),
    ('GET', '/v1/agent/checks', '', None, WEB_READ, (200, '{}'), (200, '"c2"')),
    ('POST', '/v1/agent/connect/authorize', '', AUTHORIZE, WEB_WRITE, DENIED, (200, '"Authorized":false')),
    ('GET', '/v1/agent/connect/ca/leaf/', 'web', None, WEB_WRITE, DENIED, (200, 'PRIVATE KEY')),
    ('GET', '/v1/agent/connect/ca/roots', '', None, OPEN, (200, Part('TrustDomain')), None),
    ('PUT', '/v1/agent/force-leave/', 'nope', None, OPERATOR_WRITE, DENIED, (500, 'No node found')),
    ('GET', '/v1/agent/health/service/id/', 'web1', None, WEB_READ, DENIED, (200, '"web1"')),
    ('GET', '/v1/agent/health/service/name/', 'web', None, WEB_READ, DENIED, (200, '"web1"')),
    ('GET', '/v1/agent/host', '', None, OPERATOR_READ, DENIED, (200, 'Memory')),
    ('PUT', '/v1/agent/join/', '127.0.0.1:1', None, AGENT_WRITE, DENIED, (500, 'Failed to')),
    ('PUT', '/v1/agent/leave', '', None, AGENT_WRITE, DENIED, None),  # it would
    ('PUT', '/v1/agent/maintenance', '?enable=false', None, NODE_WRITE, DENIED, DONE),
    ('GET', '/v1/agent/members', '', None, NODE_READ, (200, '[]'), (200, '"n1"')),
    ('GET', '/v1/agent/metrics', '', None, AGENT_READ, DENIED, (200, 'Gauges')),
    ('GET', '/v1/agent/monitor', '', None, AGENT_READ, DENIED, (200, None)),
    ('PUT', '/v1/agent/reload', '', None, AGENT_WRITE, DENIED, DONE),
    ('GET', '/v1/agent/self', '', None, AGENT_READ, DENIED, (200, 'DebugConfig')),
    ('GET', '/v1/agent/service/', 'web1', None, WEB_READ, DENIED, (200, '"web1"')),
    ('PUT', '/v1/agent/service/maintenance/', 'web1?enable=false', None, WEB_WRITE,
     (403, 'Permission denied: Missing service:write on web'), DONE),
    ('PUT', '/v1/agent/service/register', '', {'Name': 'web', 'ID': 'web3'}, WEB_WRITE,
     (403, 'Permission denied: Missing service:write on web'), DONE),
    ('GET', '/v1/agent/services', '', None, WEB_READ, (200, '{}'), (200, '"web3"')),
    ('PUT', '/v1/agent/service/deregister/', 'web3', None, WEB_WRITE,
     (403, 'Permission denied: Missing service:write on web'), DONE, (500, 'Unknown service "web3"')),
    ('PUT', '/v1/agent/check/deregister/', 'c2', None, WEB_WRITE,
     (403, 'Permission denied: Missing service:write on web'), DONE, (500, 'Unknown check "c2"')),
    ('PUT', '/v1/agent/token/', 'replication', {'Token': ''}, AGENT_WRITE, DENIED, DONE),
    ('GET', '/v1/catalog/connect/', 'web', None, SEEN, (200, '[]'), (200, '"native"')),
    ('GET', '/v1/catalog/datacenters', '', None, OPEN, (200, Part('dc1')), None),
    ('PUT', '/v1/catalog/register', '', REGISTER, WEB_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/catalog/node/', 'n1', None, NODE_READ, (200, 'null'), (200, '"n1"')),
    ('GET', '/v1/catalog/node-services/', 'n1', None, SEEN, (200, '{"Node":null,"Services":null}'), (200, '"web2"')),
    ('GET', '/v1/catalog/nodes', '', None, NODE_READ, (200, '[]'), (200, '"n1"')),
    ('GET', '/v1/catalog/service/', 'web', None, SEEN, (200, '[]'), (200, '"web2"')),
    ('GET', '/v1/catalog/services', '', None, WEB_READ, (200, '{}'), (200, '"web"')),
    ('PUT', '/v1/catalog/deregister', '', {'Node': 'n1', 'ServiceID': 'web2'}, NODE_WRITE, DENIED, WRITTEN),
    ('PUT', '/v1/config', '', {'Kind': 'service-defaults', 'Name': 'web'}, WEB_WRITE, DENIED, WRITTEN),
    ('PUT', '/v1/config', '', {'Kind': 'proxy-defaults', 'Name': 'global'}, OPERATOR_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/config/', 'service-defaults', None, WEB_READ, (200, '[]'), (200, '"web"')),
    ('GET', '/v1/config/', 'service-defaults/web', None, WEB_READ, DENIED, (200, '"web"')),
    ('DELETE', '/v1/config/', 'service-defaults/web', None, WEB_WRITE, DENIED, (200, '')),
    ('GET', '/v1/connect/ca/configuration', '', None, OPERATOR_WRITE, DENIED, (200, 'LeafCertTTL')),
    ('PUT', '/v1/connect/ca/configuration', '', {'Provider': 'x'}, OPERATOR_WRITE, DENIED, (500, 'unknown CA provider')),
    ('GET', '/v1/connect/ca/roots', '', None, OPEN, (200, Part('TrustDomain')), None),
    ('POST', '/v1/connect/intentions', '', INTENTION, INTENTION_WRITE, DENIED, (200, 'ID'), (500, 'more than once')),
    ('GET', '/v1/connect/intentions', '', None, INTENTION_READ, (200, '[]'), (200, '"db"')),
    ('GET', '/v1/connect/intentions/', '{intention}', None, INTENTION_READ, DENIED, (200, '"db"')),
    ('PUT', '/v1/connect/intentions/', '{intention}', dict(INTENTION, SourceName='src1'), INTENTION_WRITE, DENIED, (200, 'ID')),
    ('GET', '/v1/connect/intentions/check', EXACT, None, INTENTION_READ, DENIED, (200, '"Allowed":true')),
    ('GET', '/v1/connect/intentions/exact', EXACT, None, INTENTION_READ, DENIED, (200, '"db"')),
    ('GET', '/v1/connect/intentions/match', '?by=destination&name=db', None, INTENTION_READ, DENIED, (200, '"db"')),
    ('PUT', '/v1/connect/intentions/exact', EXACT, {'Action': 'deny'}, INTENTION_WRITE, DENIED, WRITTEN),
    ('DELETE', '/v1/connect/intentions/exact', EXACT, None, INTENTION_WRITE, DENIED, WRITTEN),
    ('DELETE', '/v1/connect/intentions/', '{other}', None, INTENTION_WRITE, DENIED, WRITTEN, (500, 'non-existent')),
    ('GET', '/v1/health/checks/', 'web', None, SEEN, (200, '[]'), (200, '"held"')),
    ('GET', '/v1/health/connect/', 'web', None, SEEN, (200, '[]'), (200, '"native"')),
    ('GET', '/v1/health/node/', 'n1', None, NODE_READ, (200, '[]'), (200, 'serfHealth')),
    ('GET', '/v1/health/service/', 'web', None, SEEN, (200, '[]'), (200, '"web1"')),
    ('GET', '/v1/health/state/', 'any', None, NODE_READ, (200, '[]'), (200, 'serfHealth')),
    ('POST', '/v1/internal/acl/authorize', '', QUESTIONS, KEY_READ, (200, Part('"Allow":false')), (200, '"Allow":true')),
    ('PUT', '/v1/kv/', 'a/k', 'v', KEY_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/kv/', 'a/k?raw', None, KEY_READ, DENIED, (200, 'v')),
    ('GET', '/v1/kv/', 'a/?keys', None, KEY_READ, (404, ''), (200, '"a/k"')),
    ('GET', '/v1/kv/', 'a/?recurse', None, KEY_READ, (404, ''), (200, '"a/k"')),
    ('PUT', '/v1/txn', '', TXN, KEY_WRITE, (409, Part('Permission denied')), (200, '"a/t"')),
    ('PUT', '/v1/txn', '', [{'KV': {'Verb': 'get', 'Key': 'a/k'}}], KEY_READ, (200, Part('{"Results":[],"Errors":null')), (200, '"a/k"')),
    ('DELETE', '/v1/kv/', 'a/?recurse', None, KEY_WRITE, DENIED, WRITTEN),
    ('GET', '/v1/operator/raft/configuration', '', None, OPERATOR_READ, DENIED, (200, '"Leader":true')),
    ('DELETE', '/v1/operator/raft/peer', '?id=' + UNKNOWN, None, OPERATOR_WRITE, DENIED, (500, 'was not found')),
    ('GET', '/v1/status/leader', '', None, OPEN, (200, Part(':8300')), None),
    ('GET', '/v1/status/peers', '', None, OPEN, (200, Part(':8300')), None),
)


class Caller:
    """Of one server, with a token."""

    def __init__(self, node, token):
        self.node, self.headers = node, {'X-Consul-Token': token} if token else {}

    def ask(self, method, path, body=None):
        """(status, text); of what does not end only the status."""
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
        if not path.startswith('/v1/agent/monitor'):
            answer = self.node.request(method, path, body, self.headers)
            return answer.status, answer.text
        with contextlib.closing(http.client.HTTPConnection(self.node.ip, 8500, timeout=30)) as own:
            own.request(method, path, body, self.headers)
            answer = own.getresponse()
            return answer.status, '' if answer.status == 200 else answer.read().decode()

    def made(self, path, body):
        status, text = self.ask('PUT', path, body)
        assert status == 200, (path, status, text)
        return json.loads(text)


@fixture
def one():
    acl = {'enabled': True, 'default_policy': 'deny', 'token_ttl': '0s', 'tokens': {'master': MASTER}}
    with Cluster(1, config={'acl': acl, 'connect': {'enabled': True}}) as c:
        yield c[1]


@fixture
def master(one):
    caller = Caller(one, MASTER)
    wait_for(lambda: caller.ask('GET', '/v1/acl/token/self')[0] == 200, 30, 'the master token')
    wait_for(lambda: caller.ask('GET', '/v1/connect/ca/roots')[0] == 200, 30, 'the CA')
    wait_for(lambda: 'serfHealth' in caller.ask('GET', '/v1/health/node/n1')[1], 30, 'the node')
    yield caller


@fixture
def tokens(master):
    """Secrets by the rules that they are worth, made when they are asked for."""
    made = {}

    def secret(rules):
        if rules not in made:
            links = []
            if rules:
                policy = master.made('/v1/acl/policy', {'Name': 'rules-%d' % len(made), 'Rules': rules})
                links = [{'ID': policy['ID']}]
            made[rules] = master.made('/v1/acl/token', {'Policies': links})['SecretID']
        return made[rules]
    yield secret


@fixture
def things(master):
    """What there is to see."""
    for body in ({'Name': 'web', 'ID': 'web1', 'Check': {'CheckID': 'held', 'TTL': '1h', 'Status': 'passing'}},
                 {'Name': 'web', 'ID': 'native', 'Connect': {'Native': True}}):
        assert master.ask('PUT', '/v1/agent/service/register', body) == DONE
    named = {}
    for name, source in (('intention', 'src1'), ('other', 'src2')):
        status, text = master.ask('POST', '/v1/connect/intentions', dict(INTENTION, SourceName=source))
        assert status == 200, text
        named[name] = json.loads(text)['ID']
    wait_for(lambda: 'held' in master.ask('GET', '/v1/health/checks/web')[1], 30, 'the check in the catalog')
    wait_for(lambda: 'native' in master.ask('GET', '/v1/catalog/connect/web')[1], 30, 'the native one')
    yield named


def routes():
    with open(os.path.join(ROOT, 'services/agentd/rpc/routes.c')) as f:
        found = re.findall(r'\{"(/v1/[^"]*)",\s*"([A-Z,]+)"', f.read())
    assert len(found) > 60, found
    return {(method, pattern) for pattern, methods in found for method in methods.split(',')}


@test
def the_table_names_every_route_and_method():
    named = {(row[0], row[1]) for row in TABLE}
    assert routes() == named, 'not in the table: %s; no route: %s' % (routes() - named, named - routes())


def fits(want, got):
    return got[0] == want[0] and (want[1] in got[1] if want[1] else True)


def refused(want, got):
    return fits(want, got) if isinstance(want[1], Part) else got == want


@test(seconds=240)
def every_route_gives_to_each_what_is_theirs(one, master, tokens, things):
    wrong = []
    for method, route, rest, body, rule, nobody, holder, *after in TABLE:
        path = route + rest.format(**things) if '{' in rest else route + rest

        def check(who, token, verdict, want):
            got = Caller(one, token).ask(method, path, body)
            if not verdict(want, got):
                wrong.append('%s %s, %s: want %r, got %d %r' % (method, path, who, want, got[0], got[1][:300]))

        check('nobody in particular', '', refused, nobody)
        if rule is OPEN:
            check('an unknown token', UNKNOWN, refused, nobody)
            continue
        check('an unknown token', UNKNOWN, refused, NOBODY)
        if nobody != NOBODY:
            check('a stranger', tokens(STRANGER), refused, nobody)
        if holder:
            check('who has %r' % rule, tokens(rule), fits, holder)
            check('the master', MASTER, fits, after[0] if after else holder)
    assert not wrong, '\n'.join([''] + wrong)


@test
def who_has_lost_a_token_has_lost_what_is_kept_for_it(one, master, tokens, things):
    own = master.made('/v1/acl/token', {'ServiceIdentities': [{'ServiceName': 'web'}]})
    caller = Caller(one, own['SecretID'])
    status, text = caller.ask('GET', '/v1/agent/connect/ca/leaf/web')
    assert status == 200, text
    assert caller.ask('GET', '/v1/agent/connect/ca/leaf/web') == (200, text), 'another one'
    assert master.ask('DELETE', '/v1/acl/token/' + own['AccessorID'])[0] == 200
    assert caller.ask('GET', '/v1/agent/connect/ca/leaf/web') == NOBODY


@test
def what_is_cached_goes_with_the_rights_to_it(one, master, tokens, things):
    policy = master.made('/v1/acl/policy', {'Name': 'cached', 'Rules': SEEN})
    token = master.made('/v1/acl/token', {'Policies': [{'ID': policy['ID']}]})
    caller, path = Caller(one, token['SecretID']), '/v1/health/service/web?cached'
    assert 'web1' in caller.ask('GET', path)[1] and 'web1' in caller.ask('GET', path)[1]
    master.made('/v1/acl/policy/' + policy['ID'], dict(policy, Rules=''))
    assert caller.ask('GET', path) == (200, '[]')
    assert master.ask('DELETE', '/v1/acl/token/' + token['AccessorID'])[0] == 200
    assert caller.ask('GET', path) == NOBODY


@test
def a_check_takes_no_others_place_unasked(one, master, tokens, things):
    """The reference does not ask: who may write any service may take away the checks of all others, and of the node."""
    caller = Caller(one, tokens('service "mine" { policy = "write" } node "n1" { policy = "read" }'))
    body = {'Node': 'n1', 'Address': '127.0.0.1', 'SkipNodeUpdate': True, 'Service': {'Service': 'mine', 'ID': 'm1'}}
    assert caller.ask('PUT', '/v1/catalog/register', body) == WRITTEN
    for check in ('serfHealth', 'held'):
        taken = dict(body, Check={'CheckID': check, 'ServiceID': 'm1', 'Status': 'passing'})
        assert caller.ask('PUT', '/v1/catalog/register', taken) == DENIED, check
    mine = {'Name': 'mine', 'ID': 'm2', 'Check': {'CheckID': 'held', 'TTL': '1h'}}
    got = caller.ask('PUT', '/v1/agent/service/register', mine)
    assert got == (403, 'Permission denied: Missing service:write on web'), got


@test
def a_node_is_not_renamed_by_who_may_not_write_it(one, master, tokens, things):
    """Nor does the reference ask here: who may write any node may take away all others, by their ids."""
    victim = {'Node': 'victim', 'ID': UNKNOWN, 'Address': '127.0.0.1', 'Service': {'Service': 'held-there'}}
    caller = Caller(one, tokens('node "evil" { policy = "write" } node "Victim" { policy = "write" }'))
    assert master.ask('PUT', '/v1/catalog/register', victim) == WRITTEN
    for name in ('evil', 'Victim'):
        got = caller.ask('PUT', '/v1/catalog/register', {'Node': name, 'ID': UNKNOWN, 'Address': '127.0.0.2'})
        assert got == DENIED, (name, got)
    assert caller.ask('PUT', '/v1/catalog/deregister', {'Node': 'Victim'}) == DENIED
    assert '"victim"' in master.ask('GET', '/v1/catalog/service/held-there')[1]
    assert master.ask('PUT', '/v1/catalog/deregister', {'Node': 'victim'}) == WRITTEN


# ---- the bus ----

def coded(text):
    return base64.b64encode(text.encode()).decode()


class Hides(str):
    """What only who may see it is shown."""


SHUT = 'Denied: Permission denied'
BUS_KEY = {'key': coded('bus/k')}
NODE = {'node': 'n1'}
OF_WEB = {'service': 'web'}
# method: the request, what nobody in particular is told: a refusal, or what is left out; OPEN: as the master
BUS = {
    'Acl.Authorize': ({'questions': [{'resource': 'key', 'segment': 'a', 'access': 'read'}]}, Hides('"allow":true')),
    'Acl.Bootstrap': ({}, 'Denied: Permission denied: ACL bootstrap no longer'),
    'Acl.DeletePolicy': ({'id': UNKNOWN}, SHUT),
    'Acl.DeleteRole': ({'id': UNKNOWN}, SHUT),
    'Acl.DeleteToken': ({'accessor_id': UNKNOWN}, SHUT),
    'Acl.GetPolicy': ({'id': MANAGEMENT}, SHUT),
    'Acl.GetRole': ({'id': UNKNOWN}, SHUT),
    'Acl.GetToken': ({'accessor_id': UNKNOWN}, SHUT),
    'Acl.ListPolicies': ({}, SHUT),
    'Acl.ListRoles': ({}, SHUT),
    'Acl.ListTokens': ({}, SHUT),
    'Acl.Resolve': ({}, Hides('policy')),
    'Acl.SetPolicy': ({'policy': {'name': 'bus'}}, SHUT),
    'Acl.SetRole': ({'role': {'name': 'bus'}}, SHUT),
    'Acl.SetToken': ({'token': {}, 'is_create': True}, SHUT),
    'Catalog.DeregisterNode': (NODE, SHUT),
    'Catalog.ListNodes': ({}, Hides('"n1"')),
    'Catalog.ListServices': ({}, Hides('"web"')),
    'Catalog.NodeServices': (NODE, Hides('"web"')),
    'Catalog.RegisterNode': ({'node': {'node': 'n9', 'address': '127.0.0.1'}}, SHUT),
    'Catalog.ServiceNodes': (OF_WEB, Hides('"web1"')),
    'Config.Delete': ({'kind': 'service-defaults', 'name': 'nope'}, SHUT),
    'Config.Get': ({'kind': 'service-defaults', 'name': 'nope'}, SHUT),
    'Config.List': ({'kind': 'service-defaults'}, Hides('"bus"')),
    'Config.Set': ({'entry': {'kind': 'service-defaults', 'name': 'bus2', 'service_defaults': {}}}, SHUT),
    'ConnectCa.Config': ({}, SHUT),
    'ConnectCa.Roots': ({}, OPEN),
    'ConnectCa.SetConfig': ({'config': {'provider': 'consul', 'config': coded('{}')}}, SHUT),
    'ConnectCa.Sign': ({'csr': 'none'}, 'Invalid'),  # what it is for cannot be told; leaves are asked for above
    'Feed.Follow': ({'topics': ['connect_roots']}, OPEN),  # more of it below
    'Feed.Rows': ({}, Hides('"kv"')),
    'Health.NodeChecks': (NODE, Hides('serfHealth')),
    'Health.ServiceChecks': (OF_WEB, Hides('"held"')),
    'Health.ServiceNodes': (OF_WEB, Hides('"web1"')),
    'Health.StateChecks': ({'state': 'any'}, Hides('serfHealth')),
    'Intentions.Apply': ({'intention': {'source_name': 'a', 'destination_name': 'b', 'action': 'deny'}}, SHUT),
    'Intentions.Check': ({'source': 'a', 'destination': 'bus'}, SHUT),
    'Intentions.Get': ({'source': 'bus', 'destination': 'bus'}, SHUT),
    'Intentions.List': ({}, Hides('"bus"')),
    'Intentions.Match': ({'name': 'bus'}, SHUT),
    'Kv.Get': (BUS_KEY, SHUT),
    'Kv.List': ({}, Hides(coded('bus/k'))),
    'Kv.Put': (dict(BUS_KEY, value=coded('x')), SHUT),
    'Kv.Txn': ({'operations': [dict(BUS_KEY, verb='KV_GET')]}, Hides(coded('bus/k'))),
    'State.Chunk': ({}, 'Denied: State.Chunk is not open'),
    'State.Done': ({}, 'Denied: State.Done is not open'),
    'State.Hash': ({}, 'Denied: State.Hash is not open'),
    'State.Offer': ({}, 'Denied: State.Offer is not open'),
    'Status.Leader': ({}, OPEN),
    'Status.Peers': ({}, OPEN),
    'Status.RaftConfiguration': ({}, SHUT),
    'Status.RemovePeer': ({'id': UNKNOWN}, SHUT),
    'Status.Stats': ({}, OPEN),
}


def called(node, method, request, token):
    """All that is said, over TCP as from another host."""
    last = ['-n', '1'] if method == 'Feed.Follow' else []
    done = node.curia('call', '-addr', 'tcp://%s:8300' % node.ip, *last, 'catalogd', method, json.dumps(request),
                      env={'CONSUL_HTTP_TOKEN': token})
    return (done.stdout + done.stderr).decode()


def listed(node):
    done = node.curia('call', '-addr', 'ipc://%s/catalogd.sock' % node.run_dir, 'catalogd')
    names = [line.split('(')[0] for line in done.stdout.decode().splitlines()]
    return {name for name in names if not name.startswith('Daemon.')}


@test
def every_method_of_catalogd_gives_nobody_more_than_is_open(one, master, things):
    assert listed(one) == set(BUS), listed(one) ^ set(BUS)
    assert master.ask('PUT', '/v1/kv/bus/k', 'x') == WRITTEN
    assert master.ask('PUT', '/v1/config', {'Kind': 'service-defaults', 'Name': 'bus'}) == WRITTEN
    path = '/v1/connect/intentions/exact?source=bus&destination=bus'
    assert master.ask('PUT', path, {'Action': 'deny'}) == WRITTEN
    wrong = []
    for method, (request, nobody) in BUS.items():
        got = called(one, method, request, '')
        if nobody is OPEN:
            right = 'Denied' not in got
        elif isinstance(nobody, Hides):
            right = 'Denied' not in got and nobody not in got and nobody in called(one, method, request, MASTER)
        else:
            right = got.startswith(nobody)
        if not right:
            wrong.append('%s: want %r, got %s' % (method, nobody, got[:300]))
        got = called(one, method, request, UNKNOWN)
        if isinstance(nobody, Hides) or nobody == SHUT:
            if not got.startswith('Denied: ACL not found'):
                wrong.append('%s with an unknown token: %s' % (method, got[:300]))
    assert not wrong, '\n'.join([''] + wrong)


@test
def the_feed_shows_what_may_be_seen_and_nobody_a_secret(one, master, tokens, things):
    key, rows = tokens(KEY_READ), json.loads(called(one, 'Feed.Rows', {}, MASTER))['rows']
    assert master.ask('PUT', '/v1/kv/a/seen', 'x') == WRITTEN and master.ask('PUT', '/v1/kv/b/unseen', 'x') == WRITTEN
    for row in rows:
        raw = base64.b64decode(row['key']) + base64.b64decode(row['row'])
        assert MASTER.encode() not in raw and key.encode() not in raw and b'PRIVATE' not in raw, row['topic']
    seen = {(r['topic'], base64.b64decode(r['key'])) for r in json.loads(called(one, 'Feed.Rows', {}, key))['rows']}
    keys = {k.split(b'\0')[-1] for topic, k in seen if topic == 'kv'}
    assert b'a/seen' in keys and b'b/unseen' not in keys, seen
    assert {topic for topic, k in seen} <= {'kv', 'tombstones', 'connect_roots', 'config_entries'}, seen
    first = json.loads(called(one, 'Feed.Follow', {'topics': ['kv']}, tokens('key "a/seen" { policy = "read" }')))
    assert base64.b64decode(first['key']).endswith(b'a/seen'), first
