"""/v1/acl, the rights that it gives, and `curia acl` against it: http-api.md 5.12 items 237 to 239, 243 to 252, 254, 257,
264, 272, 274; cli.md 9 items 13, 16, 41 to 47."""
import json
import os
import time

from cluster import Cluster, wait_for
from discovery import equal
from runner import fixture, test
from waiting import Wait

# the node has no token of its own
EXPECT = ('sync.blocked', 'sync.failed')
MANAGEMENT, ANONYMOUS = '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'
NOWHERE = 'bbbbbbbb-0000-4000-8000-000000000001'
RESET = 'Permission denied: ACL bootstrap no longer allowed (reset index: '


class Caller:
    """Asks with one token; '': with none."""

    def __init__(self, node, secret=''):
        self.node, self.secret = node, secret
        self.headers = {'X-Consul-Token': secret} if secret else {}

    def get(self, path):
        return self.node.get('/v1/' + path, headers=self.headers)

    def put(self, path, body=None):
        data = b'' if body is None else json.dumps(body)
        return self.node.put('/v1/' + path, data, headers=self.headers)

    def post(self, path, body):
        return self.node.request('POST', '/v1/' + path, json.dumps(body), headers=self.headers)

    def delete(self, path):
        return self.node.request('DELETE', '/v1/' + path, headers=self.headers)


def made(answer):
    equal(answer, 200)
    return answer.json()


def bootstrap(node):
    """The first token, once there is a leader on duty."""
    answers = []

    def done():
        answers.append(node.put('/v1/acl/bootstrap'))
        return answers[-1].status != 500
    wait_for(done, 30, 'a bootstrap')
    return answers[-1]


@fixture
def one():
    with Cluster(1, config={'acl': {'enabled': True, 'default_policy': 'deny'}}) as c:
        yield c[1]


@fixture
def first(one):
    equal(one.get('/v1/acl/tokens'), 403, 'Permission denied')  # http 237
    yield bootstrap(one)


@fixture
def manager(one, first):
    yield Caller(one, made(first)['SecretID'])


def may(manager, rules=None, **body):
    """A caller with these rules."""
    if rules is not None:
        name = 'p-%d' % time.monotonic_ns()
        body['Policies'] = [{'Name': made(manager.put('acl/policy', {'Name': name, 'Rules': rules}))['Name']}]
    return Caller(manager.node, made(manager.put('acl/token', body))['SecretID'])


# ---- bootstrap ----

@test
def http_238_one_bootstraps_once(one, first, manager):
    token = made(first)
    assert list(token)[:4] == ['ID', 'AccessorID', 'SecretID', 'Description'] and token['ID'] == token['SecretID'], token
    assert token['Description'] == 'Bootstrap Token (Global Management)' and token['Local'] is False, token
    assert token['Policies'] == [{'ID': MANAGEMENT, 'Name': 'global-management'}], token
    assert token['CreateTime'].endswith('Z') and len(token['Hash']) == 44, token
    again = one.put('/v1/acl/bootstrap')
    assert again.status == 403 and again.text.startswith(RESET) and again.text.endswith(')'), again
    own = manager.get('acl/token/self')
    equal(own, 200)
    assert own.index >= token['ModifyIndex'] and own['X-Consul-KnownLeader'] == 'true', own
    assert own.json() == {k: v for k, v in token.items() if k != 'ID'}, own


@test
def http_239_the_announced_index_in_a_file_allows_it_once_more(one, first):
    path = os.path.join(one.config['data_dir'], 'acl-bootstrap-reset')
    index = one.put('/v1/acl/bootstrap').text[len(RESET):-1]

    def write(text):
        with open(path + '.new', 'w') as f:
            f.write(text)
        os.rename(path + '.new', path)
    write(str(int(index) + 1))
    equal(one.put('/v1/acl/bootstrap'), 500,
          'Invalid bootstrap reset index (specified %d, reset index: %s)' % (int(index) + 1, index))
    write(index)
    token = made(one.put('/v1/acl/bootstrap'))
    assert token['AccessorID'] != made(first)['AccessorID'], token
    wait_for(lambda: not os.path.exists(path), 10, 'the end of the file')
    assert one.put('/v1/acl/bootstrap').status == 403


# ---- policies ----

@test
def http_244_the_built_in_policy_stays(manager):
    policies = made(manager.get('acl/policies'))
    found = [p for p in policies if p['ID'] == MANAGEMENT]
    assert found and found[0]['Name'] == 'global-management' and found[0]['Datacenters'] is None, policies
    assert 'Rules' not in found[0] and policies == sorted(policies, key=lambda p: p['ID']), policies
    equal(manager.delete('acl/policy/' + MANAGEMENT), 500,
          'Delete operation not permitted on the builtin global-management policy')
    policy = made(manager.get('acl/policy/' + MANAGEMENT))
    assert policy['Rules'].startswith('\nacl = "write"\n'), policy
    equal(manager.put('acl/policy/' + MANAGEMENT, dict(policy, Rules='acl = "read"')), 500,
          'Changing the Rules for the builtin global-management policy is not permitted')


@test
def http_245_policies_are_checked(manager):
    def refused(status, text, **body):
        a = manager.put('acl/policy', body)
        assert a.status == status and text in a.text, a
    refused(500, 'Invalid Policy: no Name is set')
    refused(500, 'invalid Name', Name='a b')
    made(manager.put('acl/policy', {'Name': 'twice'}))
    refused(500, 'Invalid Policy: A Policy with Name "twice" already exists', Name='twice')
    refused(500, 'Failed to parse ACL rules', Name='x', Rules='key "a" {')
    refused(500, 'Invalid operator policy: "list"', Name='x', Rules='operator = "list"')
    refused(400, 'Bad request: Policy decoding failed: json: unknown field "Bogus"', Name='x', Bogus=1)
    refused(400, 'Bad request: Cannot specify the ID when creating a new policy', ID=NOWHERE, Name='x')
    policy = made(manager.put('acl/policy', {'Name': 'odd', 'Rules': 'bogus "x" {}', 'Datacenters': ['dc1']}))
    assert made(manager.get('acl/policy/name/odd')) == policy == made(manager.get('acl/policy/' + policy['ID'])), policy
    changed = made(manager.put('acl/policy/' + policy['ID'], dict(policy, Description='d')))
    assert changed['ModifyIndex'] > policy['ModifyIndex'] and changed['Hash'] != policy['Hash'], changed
    equal(manager.put('acl/policy/' + MANAGEMENT, policy), 400,
          'Bad request: Policy ID in URL and payload do not match')
    equal(manager.delete('acl/policy/' + policy['ID']), 200, 'true')
    equal(manager.delete('acl/policy/' + policy['ID']), 200, 'true')


@test
def http_246_rules_may_be_json(manager):
    caller = may(manager, '{"key_prefix":{"j/":{"policy":"write"}}}')
    equal(caller.put('kv/j/a', 1), 200, 'true')
    equal(caller.put('kv/k/a', 1), 403, 'Permission denied')


@test
def http_247_what_is_not_there(manager):
    equal(manager.get('acl/policy/' + NOWHERE), 403, 'ACL not found')
    equal(manager.get('acl/policy/name/nope'), 403, 'ACL not found')
    equal(manager.get('acl/token/' + NOWHERE), 403, 'ACL not found')
    for path in ('acl/role/' + NOWHERE, 'acl/role/name/nope'):
        a = manager.get(path)
        equal(a, 404, '')
        assert a['X-Consul-Index'] is None, a


# ---- tokens ----

@test
def http_243_without_a_token_there_is_no_own_one(one, first):
    equal(Caller(one).get('acl/token/self'), 403, 'ACL not found')
    equal(Caller(one, NOWHERE).get('acl/token/self'), 403, 'ACL not found')


@test
def http_248_links_are_named_and_must_be_there(manager):
    policy = made(manager.put('acl/policy', {'Name': 'linked'}))
    role = made(manager.put('acl/role', {'Name': 'r248', 'Policies': [{'Name': 'linked'}],
                                         'NodeIdentities': [{'NodeName': 'n9', 'Datacenter': 'dc1'}]}))
    link = [{'ID': policy['ID'], 'Name': 'linked'}]
    assert role['Policies'] == link and made(manager.get('acl/role/name/r248')) == role, role
    token = made(manager.put('acl/token', {'Policies': [{'Name': 'linked'}, {'ID': policy['ID']}],
                                           'Roles': [{'Name': 'r248'}], 'ServiceIdentities': [{'ServiceName': 'web'}]}))
    assert token['Policies'] == link and token['Roles'] == [{'ID': role['ID'], 'Name': 'r248'}], token
    assert token['ServiceIdentities'] == [{'ServiceName': 'web'}] and 'NodeIdentities' not in token, token
    stub = {k: v for k, v in token.items() if k != 'SecretID'}
    for query in ('policy=' + policy['ID'], 'role=' + role['ID']):
        assert made(manager.get('acl/tokens?' + query)) == [stub]
    assert made(manager.get('acl/roles?policy=' + policy['ID'])) == [role]
    equal(manager.get('acl/tokens?policy=a&role=b'), 500,
          'can only filter by one of policy, role, or methodName at a time')
    equal(manager.put('acl/token', {'Policies': [{'Name': 'nope'}]}), 500, 'No such ACL policy with name "nope"')
    equal(manager.put('acl/token', {'Roles': [{'ID': NOWHERE}]}), 500, 'No such ACL role with ID "%s"' % NOWHERE)
    made(manager.delete('acl/policy/' + policy['ID']))  # is taken out of what had it
    assert 'Policies' not in made(manager.get('acl/token/' + token['AccessorID']))
    assert 'Policies' not in made(manager.get('acl/role/' + role['ID']))


@test
def http_249_an_end_lies_between_a_minute_and_a_day_ahead(manager):
    def refused(text, **body):
        a = manager.put('acl/token', body)
        assert a.status == 500 and text in a.text, a
    refused('ExpirationTime cannot be less than 1m0s in the future (was 1s)', ExpirationTTL='1s')
    refused('ExpirationTime cannot be more than 24h0m0s in the future (was 25h0m0s)', ExpirationTTL='25h')
    refused("Token Expiration TTL '-1s' should be > 0", ExpirationTTL='-1s')
    refused('Token Expiration TTL and Expiration Time cannot both be set', ExpirationTTL='1h',
            ExpirationTime='2030-01-01T00:00:00Z')
    refused('ExpirationTime cannot be before CreateTime', ExpirationTime='2020-01-01T00:00:00Z')
    token = made(manager.put('acl/token', {'ExpirationTTL': '1h'}))
    assert token['ExpirationTime'] > token['CreateTime'] and 'ExpirationTTL' not in token, token
    assert made(manager.put('acl/token/' + token['AccessorID'], token))['ExpirationTime'] == token['ExpirationTime']
    a = manager.put('acl/token/' + token['AccessorID'], {'ExpirationTime': '2030-01-01T00:00:00Z'})
    equal(a, 500, 'Cannot change expiration time of ' + token['AccessorID'])


@test
def http_250_an_update_changes_no_secret(manager):
    token = made(manager.put('acl/token', {'Description': 'd'}))
    path = 'acl/token/' + token['AccessorID']
    equal(manager.put(path, {'SecretID': NOWHERE}), 500, 'Changing a tokens SecretID is not permitted')
    equal(manager.put(path, {'Local': True}), 500, 'cannot toggle local mode of ' + token['AccessorID'])
    equal(manager.put(path, {'AccessorID': NOWHERE}), 400,
          'Bad request: Token Accessor ID in URL and payload do not match')
    equal(manager.put('acl/token/' + NOWHERE, {}), 500, 'Cannot find token "%s"' % NOWHERE)
    equal(manager.put('acl/token', {'Rules': 'x'}), 500, 'Rules cannot be specified for this token')
    changed = made(manager.put(path, {'Description': 'e'}))
    assert (changed['SecretID'], changed['CreateTime']) == (token['SecretID'], token['CreateTime']), changed
    copy = made(manager.put(path + '/clone', {}))
    assert copy['Description'] == 'e' and copy['AccessorID'] != token['AccessorID'], copy
    assert copy['Hash'] == changed['Hash'], (copy, changed)


@test
def http_251_who_may_only_read_sees_no_secret(manager):
    reader, token = may(manager, 'acl = "read"'), made(manager.put('acl/token', {}))
    shown = reader.get('acl/token/' + token['AccessorID'])
    equal(shown, 200)
    assert '"SecretID":"\\u003chidden\\u003e"' in shown.text, shown
    assert shown.json() == dict(token, SecretID='<hidden>'), shown
    assert made(manager.get('acl/token/' + token['AccessorID'])) == token
    assert all('SecretID' not in t for t in made(reader.get('acl/tokens')))
    assert made(reader.get('acl/token/self'))['SecretID'] == reader.secret  # its own it may know
    for answer in (reader.put('acl/token', {}), reader.delete('acl/token/' + token['AccessorID']),
                   reader.put('acl/policy', {'Name': 'x'}), may(manager).get('acl/policies')):
        equal(answer, 403, 'Permission denied')


@test
def http_252_neither_ones_own_token_nor_the_anonymous_one_is_deleted(manager):
    own = made(manager.get('acl/token/self'))['AccessorID']
    equal(manager.delete('acl/token/' + own), 500,
          "Deletion of the request's authorization token is not permitted")
    equal(manager.delete('acl/token/' + ANONYMOUS), 500, 'Delete operation not permitted on the anonymous token')
    equal(manager.delete('acl/token/' + NOWHERE), 200, 'true')


@test
def http_254_272_policies_are_merged_and_taken_away_at_once(manager):
    caller = may(manager, 'key "k254" { policy = "write" }')
    equal(caller.put('kv/k254', 1), 200, 'true')
    token = made(manager.get('acl/token/self'.replace('self', made(caller.get('acl/token/self'))['AccessorID'])))
    deny = made(manager.put('acl/policy', {'Name': 'deny254', 'Rules': 'key "k254" { policy = "deny" }'}))
    path = 'acl/token/' + token['AccessorID']
    made(manager.put(path, dict(token, Policies=token['Policies'] + [{'ID': deny['ID']}])))
    equal(caller.put('kv/k254', 1), 403, 'Permission denied')
    made(manager.put(path, token))
    equal(caller.put('kv/k254', 1), 200, 'true')
    made(manager.put(path, dict(token, Policies=[])))
    equal(caller.put('kv/k254', 1), 403, 'Permission denied')
    made(manager.delete(path))
    equal(caller.put('kv/k254', 1), 403, 'ACL not found')


@test
def http_257_a_transaction_asks_for_the_right_of_each_operation(manager):
    caller = may(manager, 'key_prefix "t257/" { policy = "read" } key_prefix "t257/w" { policy = "write" }')

    def txn(*ops):
        return caller.put('txn', [{'KV': dict({'Verb': verb, 'Key': key}, **({'Value': 'eA=='} if verb == 'set' else {}))}
                                  for verb, key in ops])

    def denied(answer, *at):
        equal(answer, 409)
        body = answer.json()
        assert body['Results'] is None, body
        assert [(e['OpIndex'], e['What']) for e in body['Errors']] == [(i, 'Permission denied') for i in at], body
    for key in ('t257/w', 't257/r', 'hidden'):
        made(manager.put('kv/' + key, 1))
    denied(txn(('set', 't257/r')), 0)
    denied(txn(('set', 't257/w'), ('set', 't257/r'), ('get', 't257/r'), ('delete', 'hidden')), 1, 3)
    assert made(manager.get('kv/t257/w?raw')) == 1  # nothing of it was done
    for ops in ((('get', 'hidden'), ('get', 't257/r')), (('get', 'hidden'), ('get', 't257/r'), ('set', 't257/w'))):
        results = made(txn(*ops))['Results']
        assert [r['KV']['Key'] for r in results] == [key for verb, key in ops if key != 'hidden'], (ops, results)
    assert made(txn(('get', 'hidden')))['Results'] == []
    denied(txn(('check-not-exists', 't257/none')), 0)  # that it may be read is not enough
    equal(txn(('check-not-exists', 't257/w-none')), 200)
    denied(txn(('check-index', 'hidden')), 0)


@test
def http_274_a_read_of_a_node_asks_for_services_by_their_ids(manager):
    made(manager.put('catalog/register', {'Node': 'n274', 'Address': '10.0.0.1',
                                          'Service': {'ID': 'id274', 'Service': 'name274'}}))
    rules = 'node "n274" { policy = "read" } service "name274" { policy = "read" }'
    by_name, by_both = may(manager, rules), may(manager, rules + ' service "id274" { policy = "read" }')
    assert made(by_name.get('catalog/node/n274'))['Services'] == {}
    assert list(made(by_both.get('catalog/node/n274'))['Services']) == ['id274']
    for caller in (by_name, by_both):  # the others ask by the name
        assert [s['ID'] for s in made(caller.get('catalog/node-services/n274'))['Services']] == ['id274']
        assert [s['ServiceID'] for s in made(caller.get('catalog/service/name274'))] == ['id274']


@test
def a_read_waits_for_a_change_and_each_caller_is_told_its_own(manager):  # 1.8; both callers may do the same
    callers = [may(manager, Description='w%d' % k) for k in range(2)]
    own = [made(caller.get('acl/token/self')) for caller in callers]
    index = manager.get('acl/tokens').index
    waits = [Wait(manager.node, '/v1/acl/token/self?wait=20s&index=%d&token=%s' % (index, caller.secret))
             for caller in callers]
    waits.append(Wait(manager.node, '/v1/acl/tokens?wait=20s&index=%d&token=%s' % (index, manager.secret)))
    made(manager.put('acl/token/' + own[0]['AccessorID'], {'Description': 'changed'}))
    made(manager.put('acl/token/' + own[1]['AccessorID'], {'Description': 'changed'}))
    for k, wait in enumerate(waits[:2]):
        answer = wait.result()
        equal(answer, 200)
        assert answer.json()['SecretID'] == callers[k].secret and answer.index > index, answer
    answer = waits[2].result()
    assert answer.index > index and 'changed' in [t['Description'] for t in answer.json()], answer


# ---- questions ----

@test
def http_264_what_a_token_may_is_asked_for_in_a_list(one, manager):
    caller = may(manager, 'key_prefix "a/" { policy = "write" } key "a/no" { policy = "deny" } service "web" '
                          '{ policy = "read" } operator = "read"')
    asked = [('key', 'a/x', 'write', True), ('key', 'a/no', 'read', False), ('key', 'b', 'read', False),
             ('key', 'a/', 'write-prefix', False), ('key', 'a/b/', 'write-prefix', True), ('service', 'web', 'READ', True),
             ('service', 'web', 'write', False), ('intention', 'web', 'read', True), ('operator', '', 'read', True),
             ('acl', '', 'read', False)]
    want, body = [], []
    for resource, segment, access, allow in asked:
        body.append({k: v for k, v in (('Resource', resource), ('Segment', segment), ('Access', access)) if v})
        want.append(dict(body[-1], Allow=allow))
    assert made(caller.post('internal/acl/authorize', body)) == want
    assert all(row['Allow'] for row in made(manager.post('internal/acl/authorize', body)))
    equal(caller.post('internal/acl/authorize', []), 200, '[]')
    equal(caller.post('internal/acl/authorize', [{'Resource': 'zz', 'Access': 'read'}]), 400,
          'Bad request: Invalid ACL resource requested: "zz"')
    equal(caller.post('internal/acl/authorize', body[:1] * 65), 400,
          'Bad request: Refusing to process more than 64 authorizations at once')
    equal(Caller(one, NOWHERE).post('internal/acl/authorize', body), 403, 'ACL not found')


# ---- the commands ----

def run(node, *args, code=0, err='', env=None):
    done = node.curia(*args, env=env)
    assert done.returncode == code and err in done.stderr.decode(), done
    return done.stdout.decode()


@test
def cli_13_16_every_command_takes_a_token(one, manager):
    path = os.path.join(one.dir, 'token')
    with open(path, 'w') as f:
        f.write(manager.secret + '\n')
    made(manager.put('kv/cli', 1))
    for args, env in ((['-token', manager.secret], {}), (['-token-file', path, '-token', NOWHERE], {}),
                      ([], {'CONSUL_HTTP_TOKEN': manager.secret}), ([], {'CONSUL_HTTP_TOKEN_FILE': path})):
        assert run(one, 'kv', 'get', *args, 'cli', env=env) == '1\n'
    socket = 'ipc://' + os.path.join(one.run_dir, 'catalogd.sock')
    for args, env in ((['-token', manager.secret], {}), (['-token-file', path], {}), ([], {'CONSUL_HTTP_TOKEN': manager.secret})):
        said = run(one, 'call', '-addr', socket, *args, 'catalogd', 'Acl.GetToken', '{"self":true}', env=env)
        assert json.loads(said)['token']['secret_id'] == manager.secret, said
    run(one, 'kv', 'get', 'cli', code=1, err='Error querying Consul agent: Unexpected response code: 403\n')
    run(one, 'catalog', 'nodes', '-token', NOWHERE, code=1,
        err='Error listing nodes: Unexpected response code: 403 (ACL not found)\n')


@test
def cli_41_to_47_acls_from_the_command_line(one, manager):
    env = {'CONSUL_HTTP_TOKEN': manager.secret}
    run(one, 'acl', 'bootstrap', code=1, err='Failed ACL bootstrapping: Unexpected response code: 403 (' + RESET)
    out = run(one, 'acl', 'policy', 'create', '-name', 'cli', '-rules', 'key_prefix "c/" { policy = "write" }', env=env)
    assert out.endswith('Datacenters:  \nRules:\nkey_prefix "c/" { policy = "write" }\n'), out
    token = json.loads(run(one, 'acl', 'token', 'create', '-policy-name', 'cli', '-node-identity', 'n5:dc1', '-expires-ttl',
                           '1h', '-format', 'json', env=env))
    run(one, 'kv', 'put', '-token', token['SecretID'], 'c/a', 'x')
    out = run(one, 'acl', 'token', 'list', env=env)
    assert 'Node Identities:\n   n5 (Datacenter: dc1)\n' in out, out
    out = run(one, 'acl', 'token', 'read', '-self', '-meta', env={'CONSUL_HTTP_TOKEN': token['SecretID']})
    assert out.startswith('AccessorID:       %s\nSecretID:         %s\n' % (token['AccessorID'], token['SecretID'])), out
    assert out.index('\nHash:   ') < out.index('\nCreate Index:  ') < out.index('\nModify Index:  ') < out.index('\nPolicies:'), out
    run(one, 'acl', 'token', 'update', '-id', token['AccessorID'][:30], '-description', 't2', '-merge-node-identities',
        env=env, err='Warning: "cli" was removed from Policies (-merge-policies keeps them)\n')
    run(one, 'kv', 'put', '-token', token['SecretID'], 'c/a', 'x', code=1, err='Permission denied')
    run(one, 'acl', 'role', 'create', '-name', 'cli', '-policy-name', 'cli', env=env)
    assert run(one, 'acl', 'role', 'read', '-name', 'cli', env=env).endswith(' - cli\n\n')
    run(one, 'acl', 'token', 'delete', '-id', token['AccessorID'], env=env)
    run(one, 'kv', 'put', '-token', token['SecretID'], 'c/a', 'x', code=1, err='ACL not found')
