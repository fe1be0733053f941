"""Policies, roles and tokens over HTTP, and the bootstrap: http-api.md 5.12 items 238, 239, 243 to 245, 247 to 252, 272."""
import json
import os

from cluster import Cluster, wait_for
from runner import fixture, test

EXPECT = ('acl.reset', 'acl.off', 'sync.blocked')  # the agents have no token of their own
MANAGEMENT = '00000000-0000-0000-0000-000000000001'
ANONYMOUS = '00000000-0000-0000-0000-000000000002'
UNKNOWN = '12345678-1111-4111-8111-111111111111'
MASTER = 'a-configured-token'


class Manager:
    """Requests with a token."""

    def __init__(self, node, token):
        self.node, self.headers = node, {'X-Consul-Token': token}

    def get(self, path):
        return self.node.get('/v1/acl/' + path, headers=self.headers)

    def put(self, path, body=None):
        return self.node.put('/v1/acl/' + path, json.dumps(body or {}), headers=self.headers)

    def delete(self, path):
        return self.node.delete('/v1/acl/' + path, headers=self.headers)

    def made(self, path, body=None):
        answer = self.put(path, body)
        assert answer.status == 200, answer
        return answer.json()


def cluster(**acl):
    return Cluster(1, config={'acl': dict({'enabled': True, 'default_policy': 'deny'}, **acl)})


@fixture
def one():
    with cluster() as c:
        yield c[1]


@fixture
def first(one):
    """The answer to the one bootstrap of `one`."""
    answer = one.put('/v1/acl/bootstrap')
    assert answer.status == 200, answer
    yield answer.json()


@fixture
def manager(one, first):
    yield Manager(one, first['SecretID'])


@test
def who_bootstraps_first_manages_and_nobody_else_does_238(one, first):
    assert first['ID'] == first['SecretID']
    assert first['Policies'] == [{'ID': MANAGEMENT, 'Name': 'global-management'}], first
    assert first['Description'] == 'Bootstrap Token (Global Management)'
    again = one.put('/v1/acl/bootstrap')
    assert again.status == 403, again
    assert 'ACL bootstrap no longer allowed (reset index: ' in again.text


@test
def what_there_always_is_is_there_244(manager):
    def is_there():
        names = {p['ID']: p['Name'] for p in manager.get('policies').json()}
        return names.get(MANAGEMENT) == 'global-management' and \
            any(t['AccessorID'] == ANONYMOUS for t in manager.get('tokens').json())

    wait_for(is_there, 30, 'the built-in policy and the anonymous token')
    answer = manager.delete('policy/' + MANAGEMENT)
    assert answer.status == 500 and 'not permitted' in answer.text, answer
    answer = manager.put('policy/' + MANAGEMENT, {'ID': MANAGEMENT, 'Name': 'global-management', 'Rules': ''})
    assert answer.status == 500 and 'is not permitted' in answer.text, answer


@test
def a_policy_is_checked_245(manager):
    for body, sentence in (({'Rules': ''}, 'Invalid Policy: no Name is set'),
                           ({'Name': 'a b'}, 'invalid Name'),
                           ({'Name': 'x', 'Rules': 'key_prefix "x" {'}, 'Failed to parse ACL rules'),
                           ({'Name': 'x', 'Rules': 'operator = "list"'}, 'Invalid operator policy: "list"')):
        answer = manager.put('policy', body)
        assert answer.status == 500 and sentence in answer.text, answer
    manager.made('policy', {'Name': 'p245', 'Rules': 'bogus "x" {}'})
    answer = manager.put('policy', {'Name': 'p245'})
    assert answer.status == 500 and 'already exists' in answer.text, answer


@test
def what_is_not_there_is_said_so_247(manager):
    answer = manager.get('policy/' + UNKNOWN)
    assert answer.status == 403 and 'ACL not found' in answer.text, answer
    answer = manager.get('role/' + UNKNOWN)
    assert answer.status == 404 and answer.text == '', answer


@test
def links_are_given_and_shown_by_name_248(manager):
    policy = manager.made('policy', {'Name': 'p248', 'Rules': 'operator = "read"'})
    role = manager.made('role', {'Name': 'r248', 'Policies': [{'Name': 'p248'}]})
    token = manager.made('token', {'Policies': [{'Name': 'p248'}], 'Roles': [{'ID': role['ID']}]})
    assert token['Policies'] == [{'ID': policy['ID'], 'Name': 'p248'}], token
    assert token['Roles'] == [{'ID': role['ID'], 'Name': 'r248'}], token
    answer = manager.put('token', {'Policies': [{'Name': 'nope'}]})
    assert answer.status == 500 and 'No such ACL policy with name "nope"' in answer.text, answer
    assert manager.delete('policy/' + policy['ID']).text.strip() == 'true'
    now = manager.get('token/' + token['AccessorID']).json()
    assert not now.get('Policies'), now
    assert not manager.get('role/' + role['ID']).json().get('Policies')


@test
def a_time_to_live_has_bounds_249(manager):
    for ttl, sentence in (('1s', 'cannot be less than 1m0s'), ('25h', 'cannot be more than 24h0m0s')):
        answer = manager.put('token', {'ExpirationTTL': ttl})
        assert answer.status == 500 and sentence in answer.text, answer
    assert manager.made('token', {'ExpirationTTL': '1h'})['ExpirationTime']


@test
def what_stays_of_a_token_stays_250(manager):
    token = manager.made('token', {'Description': 'd'})
    path = 'token/' + token['AccessorID']
    answer = manager.put(path, dict(token, SecretID=UNKNOWN))
    assert answer.status == 500 and 'Changing a tokens SecretID is not permitted' in answer.text, answer
    answer = manager.put(path, {'Local': True})
    assert answer.status == 500 and 'cannot toggle local mode' in answer.text, answer
    copy = manager.made(path + '/clone', {'Description': 'other'})
    assert copy['Description'] == 'other' and copy['SecretID'] != token['SecretID'], copy
    assert copy['AccessorID'] != token['AccessorID']


def with_rules(one, manager, name, rules):
    """Somebody with a token of one policy, and the token."""
    manager.made('policy', {'Name': name, 'Rules': rules})
    token = manager.made('token', {'Policies': [{'Name': name}]})
    return Manager(one, token['SecretID']), token


@test
def ones_own_token_is_shown_to_who_has_one_243(one, manager):
    somebody, token = with_rules(one, manager, 'p243', '')
    own = somebody.get('token/self').json()
    assert own['AccessorID'] == token['AccessorID'] and own['SecretID'] == token['SecretID'], own
    answer = one.get('/v1/acl/token/self')
    assert answer.status == 403 and 'ACL not found' in answer.text, answer


@test
def who_may_only_read_sees_no_secret_251(one, manager):
    reader, _ = with_rules(one, manager, 'p251', 'acl = "read"')
    token = manager.made('token')
    path = 'token/' + token['AccessorID']
    assert manager.get(path).json()['SecretID'] == token['SecretID']
    assert reader.get(path).json()['SecretID'] == '<hidden>'
    assert all('SecretID' not in t for t in reader.get('tokens').json())
    answer = reader.put('token')
    assert answer.status == 403 and 'Permission denied' in answer.text, answer


@test
def a_token_without_its_policies_is_worth_nothing_at_once_272(one, manager):
    reader, token = with_rules(one, manager, 'p272', 'acl = "read"')
    assert reader.get('policies').status == 200
    manager.made('token/' + token['AccessorID'], {'AccessorID': token['AccessorID']})
    assert reader.get('policies').status == 403


@test
def nobody_deletes_his_own_token_252(one, manager, first):
    answer = manager.delete('token/' + first['AccessorID'])
    assert answer.status == 500, answer
    assert "Deletion of the request's authorization token is not permitted" in answer.text, answer


@test
def a_token_is_deleted_but_not_everybodys_252(manager):
    token = manager.made('token')
    assert manager.delete('token/' + token['AccessorID']).text.strip() == 'true'
    assert manager.delete('token/' + token['AccessorID']).text.strip() == 'true'
    answer = manager.get('token/' + token['AccessorID'])
    assert answer.status == 403 and 'ACL not found' in answer.text, answer
    answer = manager.delete('token/' + ANONYMOUS)
    assert answer.status == 500 and 'not permitted on the anonymous token' in answer.text, answer


@test
def the_reset_file_allows_one_more_239(one, first):
    path = os.path.join(one.config['data_dir'], 'acl-bootstrap-reset')
    said = one.put('/v1/acl/bootstrap').text
    index = int(said.split('reset index: ')[1].split(')')[0])
    with open(path, 'w') as f:
        f.write('%d' % (index + 1))
    answer = one.put('/v1/acl/bootstrap')
    assert answer.status == 500, answer
    assert 'Invalid bootstrap reset index (specified %d, reset index: %d)' % (index + 1, index) in answer.text
    with open(path, 'w') as f:
        f.write('%d\n' % index)
    answer = one.put('/v1/acl/bootstrap')
    assert answer.status == 200 and answer.json()['SecretID'] != first['SecretID'], answer
    assert not os.path.exists(path)
    assert one.put('/v1/acl/bootstrap').status == 403


@test
def a_configured_master_token_counts_as_bootstrap():
    with cluster(tokens={'master': MASTER}) as c:
        manager = Manager(c[1], MASTER)
        wait_for(lambda: manager.get('token/self').status == 200, 30, 'the master token')
        assert manager.get('token/self').json()['Description'] == 'Master Token'
        answer = c[1].put('/v1/acl/bootstrap')
        assert answer.status == 403 and 'no longer allowed' in answer.text, answer


@test
def a_server_that_does_not_guard_what_others_guard_says_so():
    with cluster(tokens={'master': MASTER}) as c:
        manager = Manager(c[1], MASTER)
        wait_for(lambda: manager.get('token/self').status == 200, 30, 'the master token')
        assert ' acl.off: ' not in c[1].logs()
        c[1].stop()
        c[1].config['acl'] = {'enabled': False}
        c[1].start()
        wait_for(lambda: ' acl.off: text="there are tokens in the state' in c[1].logs(), 30, 'the warning')
        assert c[1].get('/v1/acl/tokens').status == 401
