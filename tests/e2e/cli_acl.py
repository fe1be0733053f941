"""`acl` against fixed answers: cli.md 4.1, 5.1, 5.2, checklist 41 to 48 but for what a server decides; items are in the names."""
import json
import os
import subprocess
import tempfile

import cluster
from canned import Canned
from runner import fixture, test

BASE = '/v1/acl/'
ID = '3f707833-9c1b-4a52-8f4e-0c1d2e3f4a5b'
OTHER = '3f70aaaa-9c1b-4a52-8f4e-0c1d2e3f4a5b'
SECRET = 'e08c9802-1111-2222-3333-444455556666'
MANAGEMENT = '00000000-0000-0000-0000-000000000001'
TOKEN = {'AccessorID': ID, 'SecretID': SECRET, 'Description': 'both', 'Local': False,
         'CreateTime': '2026-11-20T09:56:24.787Z', 'Hash': 'AQL/', 'CreateIndex': 5, 'ModifyIndex': 7}
HEAD = 'AccessorID:       %s\nSecretID:         %s\nDescription:      both\nLocal:            false\n' \
       'Create Time:      2026-11-20 09:56:24.787 +0000 UTC\n' % (ID, SECRET)
META = 'Hash:             0102ff\nCreate Index:     5\nModify Index:     7\n'
LINKS = {'Policies': [{'ID': MANAGEMENT, 'Name': 'global-management'}], 'Roles': [{'ID': OTHER, 'Name': 'r1'}],
         'ServiceIdentities': [{'ServiceName': 'web'}, {'ServiceName': 'db', 'Datacenters': ['a', 'b']}],
         'NodeIdentities': [{'NodeName': 'n1', 'Datacenter': 'dc1'}]}
LINKED = 'Policies:\n   %s - global-management\nRoles:\n   %s - r1\nService Identities:\n   web (Datacenters: all)\n' \
         '   db (Datacenters: a, b)\nNode Identities:\n   n1 (Datacenter: dc1)\n' % (MANAGEMENT, OTHER)
POLICY = {'ID': ID, 'Name': 'ro', 'Description': 'read', 'Rules': 'key_prefix "" { policy = "read" }', 'Hash': 'AQL/',
          'CreateIndex': 5, 'ModifyIndex': 7}
ROLE = {'ID': ID, 'Name': 'r', 'Description': 'd', 'Hash': 'AQL/', 'CreateIndex': 5, 'ModifyIndex': 7}


@fixture
def agent():
    with Canned() as canned:
        yield canned


def run(agent, *args, code=0, out='', err=''):
    done = subprocess.run([os.path.join(cluster.bin_dir(), 'curia'), 'acl', *args],
                          env={**os.environ, 'CONSUL_HTTP_ADDR': agent.address}, capture_output=True, timeout=60)
    got = (done.returncode, done.stdout.decode(), done.stderr.decode())
    assert got == (code, out, err), '\nwant %r\ngot  %r' % ((code, out, err), got)


def asked(agent, method, path, body=None):
    assert agent.asked[-1][:2] == (method, path), agent.asked
    if body is not None:
        assert json.loads(agent.asked[-1][2]) == body, agent.asked[-1]


# ---- bootstrap ----

@test
def cli_41_bootstrap_prints_a_token_and_the_second_time_why_not(agent):
    agent[BASE + 'bootstrap'] = dict(TOKEN, ID=SECRET, Policies=LINKS['Policies'])
    block = HEAD + 'Policies:\n   %s - global-management\n\n' % MANAGEMENT
    run(agent, 'bootstrap', out=block)
    asked(agent, 'PUT', BASE + 'bootstrap')
    agent[BASE + 'bootstrap'] = (403, 'Permission denied: ACL bootstrap no longer allowed (reset index: 5)')
    run(agent, 'bootstrap', code=1, err=(
        'Failed ACL bootstrapping: Unexpected response code: 403 (Permission denied: ACL bootstrap no longer allowed '
        '(reset index: 5))\n'))


# ---- policies ----

@test
def cli_42_policies_are_printed_as_blocks(agent):
    shown = 'ID:           %s\nName:         ro\nDescription:  read\nDatacenters:  %s\n%sRules:\n' \
            'key_prefix "" { policy = "read" }\n'
    agent[BASE + 'policy'] = POLICY
    run(agent, 'policy', 'create', '-name', 'ro', '-description', 'read', '-rules', POLICY['Rules'],
        out=shown % (ID, '', ''))
    asked(agent, 'PUT', BASE + 'policy',
          {'Name': 'ro', 'Description': 'read', 'Rules': POLICY['Rules'], 'Datacenters': []})
    agent[BASE + 'policy/' + ID] = dict(POLICY, Datacenters=['dc1', 'dc2'])
    run(agent, 'policy', 'read', '-id', ID, '-meta', out=shown % (
        ID, 'dc1, dc2', 'Hash:         0102ff\nCreate Index: 5\nModify Index: 7\n'))
    agent[BASE + 'policies'] = [POLICY, dict(POLICY, Name='rw', Datacenters=['dc1'])]
    entry = '%s:\n   ID:           %s\n   Description:  read\n   Datacenters:  %s\n'
    run(agent, 'policy', 'list', out=entry % ('ro', ID, '') + entry % ('rw', ID, 'dc1') + '\n')
    run(agent, 'policy', 'delete', '-name', 'ro', out='Policy "%s" deleted successfully\n' % ID)
    asked(agent, 'DELETE', BASE + 'policy/' + ID)
    agent[BASE + 'policies'] = []
    run(agent, 'policy', 'list')


@test
def cli_42_an_update_merges_what_is_given(agent):
    agent[BASE + 'policy/' + ID] = POLICY
    agent[BASE + 'policies'] = [POLICY]
    shown = 'ID:           %s\nName:         ro\nDescription:  read\nDatacenters:  \nRules:\n%s\n' % (ID, POLICY['Rules'])
    run(agent, 'policy', 'update', '-id', ID, '-name', 'new', '-valid-datacenter', 'dc1', out=shown)
    asked(agent, 'PUT', BASE + 'policy/' + ID, dict(POLICY, Name='new', Datacenters=['dc1']))
    run(agent, 'policy', 'update', '-name', 'ro', '-description', '', out=shown)
    asked(agent, 'PUT', BASE + 'policy/' + ID, dict(POLICY, Description=''))
    run(agent, 'policy', 'update', '-id', ID, '-no-merge', '-name', 'x', out=shown)
    asked(agent, 'PUT', BASE + 'policy/' + ID,
          {'ID': ID, 'Name': 'x', 'Description': '', 'Rules': '', 'Datacenters': []})


@test
def rules_are_read_from_files_and_unknown_resources_are_told(agent):  # Q18
    agent[BASE + 'policy'] = POLICY
    with tempfile.NamedTemporaryFile('w', suffix='.hcl') as f:
        f.write('bogus "x" { policy = "read" }\nagent_prefix "" { policy = "read" }\nacl = "read"\n')
        f.flush()
        done = subprocess.run([os.path.join(cluster.bin_dir(), 'curia'), 'acl', 'policy', 'create', '-name', 'n', '-rules',
                               '@' + f.name], env={**os.environ, 'CONSUL_HTTP_ADDR': agent.address},
                              capture_output=True, timeout=60)
    assert done.returncode == 0, done
    assert done.stderr == b'Warning: the rules name a resource that there is not: "bogus"\n', done
    assert json.loads(agent.asked[-1][2])['Rules'].startswith('bogus "x"'), agent.asked
    run(agent, 'policy', 'create', '-name', 'n', '-rules', '@/nope', code=1,
        err='Error loading rules: Failed to read file: open /nope: no such file or directory\n')


@test
def what_is_missing_or_fails_is_said(agent):
    both = 'Must specify either the -id or -name parameters\n'
    for verb in ('read', 'update', 'delete'):
        run(agent, 'policy', verb, code=1, err=both)
    run(agent, 'role', 'read', code=1, err=both)
    run(agent, 'role', 'delete', code=1, err='Must specify the -id or -name parameters\n')
    run(agent, 'role', 'update', code=1, err='Cannot update a role without specifying the -id parameter\n')
    run(agent, 'token', 'read', code=1, err='Must specify the -id parameter\n')
    run(agent, 'token', 'delete', code=1, err='Must specify the -id parameter\n')
    run(agent, 'token', 'update', code=1, err='Cannot update a token without specifying the -id parameter\n')
    run(agent, 'policy', 'create', code=1, err="Missing require '-name' flag\n\nTry: curia acl policy create -h\n")
    run(agent, 'token', 'create', code=1, err=(
        'Cannot create a token without specifying -policy-name, -policy-id, -role-name, -role-id, -service-identity, or '
        '-node-identity at least once\n'))
    run(agent, 'role', 'create', '-name', 'x', code=1, err=(
        'Cannot create a role without specifying -policy-name, -policy-id, -service-identity, or -node-identity at least '
        'once\n'))
    agent[BASE + 'token'] = (500, 'No such ACL policy with name "nope"')
    run(agent, 'token', 'create', '-policy-name', 'nope', code=1, err=(
        'Failed to create new token: Unexpected response code: 500 (No such ACL policy with name "nope")\n'))
    run(agent, 'token', 'create', '-service-identity', 'a:b:c', code=1,
        err='Malformed -service-identity argument: "a:b:c"\n')
    run(agent, 'token', 'create', '-node-identity', 'a', code=1, err='Malformed -node-identity argument: "a"\n')


# ---- ids ----

@test
def cli_43_an_id_may_be_a_beginning_that_only_one_has(agent):
    agent[BASE + 'tokens'] = [dict(TOKEN, AccessorID=OTHER), TOKEN]
    agent[BASE + 'policies'] = [dict(POLICY, ID=OTHER), POLICY]
    agent[BASE + 'roles'] = []
    agent[BASE + 'token/' + ID] = TOKEN
    run(agent, 'token', 'read', '-id', '3f707', out=HEAD + '\n')
    run(agent, 'token', 'read', '-id', '3f70', code=1,
        err='Error determining token ID: Partial token ID is not unique\n')
    run(agent, 'policy', 'read', '-id', 'x', code=1,
        err='Error determining policy ID: No such policy ID with prefix: x\n')
    run(agent, 'policy', 'delete', '-name', 'x', code=1,
        err='Error determining policy ID: No such policy with name x\n')
    run(agent, 'role', 'delete', '-id', 'x', code=1, err='Error determining role ID: No such role ID with prefix: x\n')
    run(agent, 'role', 'read', '-id', ID, code=1, err='Role not found with ID "%s"\n' % ID)
    run(agent, 'role', 'read', '-name', 'r', code=1, err='Role not found with name "r"\n')
    agent[BASE + 'token/00000000-0000-0000-0000-000000000002'] = TOKEN
    run(agent, 'token', 'read', '-id', 'anonymous', out=HEAD + '\n')
    agent[BASE + 'policy/' + MANAGEMENT] = (403, 'Permission denied')
    run(agent, 'policy', 'read', '-id', 'global-management', code=1, err=(
        'Error reading policy "%s": Unexpected response code: 403 (Permission denied)\n' % MANAGEMENT))


# ---- tokens ----

@test
def token_create_sends_what_flags_say(agent):
    agent[BASE + 'token'] = dict(TOKEN, **LINKS, ExpirationTime='2026-11-20T10:56:24.787Z')
    agent[BASE + 'policies'] = [POLICY]
    run(agent, 'token', 'create', '-policy-id', '3f7', '-policy-name', 'p', '-role-name', 'r1', '-service-identity', 'web',
        '-service-identity', 'db:a,b', '-node-identity', 'n1:dc1', '-description', 'both', '-expires-ttl', '1h', '-local',
        '-accessor', ID, '-secret', SECRET,
        out=HEAD + 'Expiration Time:  2026-11-20 10:56:24.787 +0000 UTC\n' + LINKED + '\n')
    asked(agent, 'PUT', BASE + 'token', {
        'Description': 'both', 'Local': True, 'AccessorID': ID, 'SecretID': SECRET, 'ExpirationTTL': '1h',
        'Policies': [{'Name': 'p'}, {'ID': ID}], 'Roles': [{'Name': 'r1'}],
        'ServiceIdentities': LINKS['ServiceIdentities'], 'NodeIdentities': LINKS['NodeIdentities']})
    agent[BASE + 'token/%s/clone' % ID] = TOKEN
    run(agent, 'token', 'clone', '-id', ID, '-description', 'copy', out=HEAD + '\n')
    asked(agent, 'PUT', BASE + 'token/%s/clone' % ID, {'Description': 'copy'})
    agent[BASE + 'token/' + ID] = (200, 'true')
    run(agent, 'token', 'delete', '-id', ID, out='Token "%s" deleted successfully\n' % ID)


@test
def cli_44_an_update_drops_links_with_a_warning_and_keeps_what_is_merged(agent):
    full = dict(TOKEN, **LINKS)
    agent[BASE + 'token/' + ID] = full
    agent['PUT ' + BASE + 'token/' + ID] = TOKEN
    lost = [('web', 'ServiceIdentities', 'service-identities'), ('db', 'ServiceIdentities', 'service-identities'),
            ('n1', 'NodeIdentities', 'node-identities'), ('global-management', 'Policies', 'policies'),
            ('r1', 'Roles', 'roles')]
    run(agent, 'token', 'update', '-id', ID, '-description', 't2', out=HEAD + '\n', err=''.join(
        'Warning: "%s" was removed from %s (-merge-%s keeps them)\n' % row for row in lost))
    asked(agent, 'PUT', BASE + 'token/' + ID, dict(TOKEN, Description='t2'))
    agent['PUT ' + BASE + 'token/' + ID] = full
    run(agent, 'token', 'update', '-id', ID, '-merge-policies', '-merge-roles', '-merge-service-identities',
        '-merge-node-identities', '-policy-name', 'global-management', '-policy-name', 'p', '-service-identity', 'db',
        '-node-identity', 'n1:dc2', out=HEAD + LINKED + '\n')
    asked(agent, 'PUT', BASE + 'token/' + ID, dict(
        full, Policies=LINKS['Policies'] + [{'Name': 'p'}],
        ServiceIdentities=[{'ServiceName': 'web'}, {'ServiceName': 'db'}],
        NodeIdentities=LINKS['NodeIdentities'] + [{'NodeName': 'n1', 'Datacenter': 'dc2'}]))
    run(agent, 'token', 'update', '-id', ID, '-upgrade-legacy', code=1,
        err="Can't use -upgrade-legacy on a non-legacy token\n")


@test
def cli_45_self_and_meta(agent):
    agent[BASE + 'token/self'] = dict(TOKEN, **LINKS)
    run(agent, 'token', 'read', '-self', '-meta', out=HEAD + META + LINKED + '\n')


@test
def cli_47_a_list_has_node_identities_under_their_own_heading(agent):  # Q4
    stub = {k: v for k, v in dict(TOKEN, **LINKS).items() if k != 'SecretID'}
    agent[BASE + 'tokens'] = [stub, stub]
    entry = HEAD.replace('SecretID:         %s\n' % SECRET, '') + 'Legacy:           false\n'
    run(agent, 'token', 'list', out='\n'.join([entry + LINKED] * 2) + '\n')
    run(agent, 'token', 'list', '-meta', out='\n'.join([entry + META + LINKED] * 2) + '\n')


# ---- roles ----

@test
def roles_are_made_read_changed_and_deleted(agent):
    shown = 'ID:           %s\nName:         r\nDescription:  d\n' % ID
    agent[BASE + 'role'] = agent_role = dict(ROLE, Policies=[{'ID': OTHER, 'Name': 'p'}])
    agent[BASE + 'role/' + ID] = agent_role
    agent[BASE + 'role/name/r'] = ROLE
    agent[BASE + 'roles'] = [agent_role]
    linked = 'Policies:\n   %s - p\n' % OTHER
    run(agent, 'role', 'create', '-name', 'r', '-description', 'd', '-policy-name', 'p', out=shown + linked + '\n')
    asked(agent, 'PUT', BASE + 'role', {'Name': 'r', 'Description': 'd', 'Policies': [{'Name': 'p'}]})
    run(agent, 'role', 'read', '-name', 'r', '-meta',
        out=shown + 'Hash:         0102ff\nCreate Index: 5\nModify Index: 7\n\n')
    run(agent, 'role', 'list', out='r:\n   ID:           %s\n   Description:  d\n   Policies:\n      %s - p\n\n' % (ID, OTHER))
    run(agent, 'role', 'update', '-id', '3f', '-policy-name', 'q', '-service-identity', 'web', out=shown + linked + '\n')
    asked(agent, 'PUT', BASE + 'role/' + ID, dict(
        ROLE, Policies=[{'ID': OTHER, 'Name': 'p'}, {'Name': 'q'}], ServiceIdentities=[{'ServiceName': 'web'}]))
    run(agent, 'role', 'update', '-id', ID, '-no-merge', '-name', 'n', '-node-identity', 'n1:dc1', out=shown + linked + '\n')
    asked(agent, 'PUT', BASE + 'role/' + ID, {'ID': ID, 'Name': 'n', 'Description': '',
                                              'NodeIdentities': [{'NodeName': 'n1', 'Datacenter': 'dc1'}]})
    run(agent, 'role', 'delete', '-name', 'r', out='Role "%s" deleted successfully\n' % ID)


# ---- formats ----

@test
def cli_46_json_is_the_object_and_other_formats_are_unknown(agent):
    agent[BASE + 'policy/' + ID], agent[BASE + 'policies'] = POLICY, [POLICY]
    agent[BASE + 'role/' + ID], agent[BASE + 'roles'] = ROLE, [ROLE]
    agent[BASE + 'token/' + ID], agent[BASE + 'tokens'] = dict(TOKEN, **LINKS), [TOKEN]
    for noun, one in (('policy', POLICY), ('role', ROLE), ('token', dict(TOKEN, **LINKS))):
        run(agent, noun, 'read', '-id', ID, '-format=json', out=json.dumps(one, indent=4) + '\n')
        many = [TOKEN if noun == 'token' else one]
        run(agent, noun, 'list', '-format', 'json', out=json.dumps(many, indent=4) + '\n')
        for verb in (['list'], ['read', '-id', ID]):
            run(agent, noun, *verb, '-format=xml', code=1, err='Unknown format: xml\n')


# ---- the agent's own ----

@test
def cli_48_set_agent_token_has_four_types(agent):
    for word, path in (('default', 'default'), ('agent', 'agent'), ('master', 'agent_master'),
                       ('replication', 'replication')):
        agent['/v1/agent/token/' + path] = (200, '')
        run(agent, 'set-agent-token', word, 'T', out='ACL token "%s" set successfully\n' % word)
        asked(agent, 'PUT', '/v1/agent/token/' + path, {'Token': 'T'})
    run(agent, 'set-agent-token', 'zz', 'T', code=1, err='Unknown token type\n')
    run(agent, 'set-agent-token', code=1, err='Error! Missing TYPE and TOKEN arguments\n')
    run(agent, 'set-agent-token', 'default', code=1, err='Error! Missing TOKEN argument\n')
    run(agent, 'set-agent-token', 'a', 'b', 'c', code=1, err='Error! Too many arguments: expected 2 got 3\n')
    agent['/v1/agent/token/default'] = (403, 'Permission denied')
    run(agent, 'set-agent-token', 'default', '', code=1,
        err='Failed to set ACL token "default": Unexpected response code: 403 (Permission denied)\n')
