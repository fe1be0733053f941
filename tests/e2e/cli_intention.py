"""`intention` against fixed answers: cli.md 4.10; checklist items are in the names."""
import json
import os
import subprocess
import tempfile

import cluster
from canned import Canned
from runner import fixture, test

BASE = '/v1/connect/intentions'
ID = '1e530f5a-a72d-2c2b-5ebe-a24d42531bb1'


@fixture
def agent():
    with Canned() as canned:
        yield canned


def run(agent, *args, code=0, out='', err=''):
    done = subprocess.run([os.path.join(cluster.bin_dir(), 'curia'), 'intention', *args],
                          env={**os.environ, 'CONSUL_HTTP_ADDR': agent.address, 'TZ': 'UTC'}, capture_output=True,
                          timeout=60)
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (code, out, err), done


def pair(source='web', destination='api', **more):
    return dict({'SourceNS': 'default', 'SourceName': source, 'DestinationNS': 'default', 'DestinationName': destination,
                 'SourceType': 'consul', 'Precedence': 9, 'CreateIndex': 5, 'ModifyIndex': 5}, **more)


@test
def cli_54_check_says_it_by_its_exit_code(agent):
    agent[BASE + '/check'] = {'Allowed': True}
    run(agent, 'check', 'web', 'api', out='Allowed\n')
    assert agent.asked[-1][1] == BASE + '/check?source=web&destination=api', agent.asked
    agent[BASE + '/check'] = {'Allowed': False}
    run(agent, 'check', 'web', 'api', code=1, out='Denied\n')
    run(agent, 'check', 'web', code=2, err='Error: command requires exactly two arguments: src and dst\n')
    agent.answers.pop(BASE + '/check')
    run(agent, 'check', 'web', 'api', code=2,
        err='Error checking the connection: Unexpected response code: 404 ()\n')
    done = subprocess.run([os.path.join(cluster.bin_dir(), 'curia'), 'intention', 'check', '-nope', 'a', 'b'],
                          capture_output=True, timeout=60)
    assert done.returncode == 2 and b'-nope' in done.stderr, done


@test
def cli_55_list_is_a_table(agent):
    agent[BASE] = [pair(ID=ID, Action='deny'), pair('*', 'api', Action='allow', Precedence=8)]
    run(agent, 'list', out=(
        'ID                                    Source  Action  Destination  Precedence\n'
        '1e530f5a-a72d-2c2b-5ebe-a24d42531bb1  web     deny    api          9\n'
        '                                      *       allow   api          8\n'))
    agent[BASE] = []
    run(agent, 'list', code=2, err='There are no intentions.\n')


@test
def cli_56_create_posts_what_the_words_say(agent):
    agent[BASE] = {'ID': ID}
    run(agent, 'create', 'web', 'api', out='Created: web => api (allow)\n')
    method, path, body = agent.asked[-1]
    assert (method, path) == ('POST', BASE), agent.asked
    assert json.loads(body) == {'SourceName': 'web', 'DestinationName': 'api', 'SourceType': 'consul',
                                'Action': 'allow'}, body
    run(agent, 'create', '-deny', '-meta', 'a=b=c', '-meta', 'k=v', 'default/web', '*',
        out='Created: web => * (deny)\n')
    body = json.loads(agent.asked[-1][2])
    assert body['Meta'] == {'a': 'b=c', 'k': 'v'} and body['SourceNS'] == 'default', body
    run(agent, 'create', '-allow', '-deny', 'a', 'b', code=1, err='Only one of -allow or -deny may be specified.\n')
    run(agent, 'create', 'a', code=1, err='Error: Must specify two arguments: source and destination\n')
    run(agent, 'create', 'a/b/c', 'd', code=1,
        err="Error: Invalid intention source: target can contain at most one '/'\n")
    agent.answers.pop(BASE)
    run(agent, 'create', '-deny', 'web', 'api', code=1, err=(
        'Error creating intention "web => api (deny)": Unexpected response code: 404 ()\n'))


@test
def cli_56_create_replaces_by_id_or_by_names(agent):
    agent[BASE + '/exact'] = pair(ID=ID, Action='allow')
    agent[BASE + '/' + ID] = {'ID': ID}
    run(agent, 'create', '-replace', '-deny', 'web', 'api', out='Replaced: web => api (deny)\n')
    method, path, body = agent.asked[-1]
    assert (method, path) == ('PUT', BASE + '/' + ID) and json.loads(body)['Action'] == 'deny', agent.asked[-1]
    agent[BASE + '/exact'] = pair(Action='allow')
    run(agent, 'create', '-replace', '-deny', 'web', 'api', out='Replaced: web => api (deny)\n')
    assert agent.asked[-1][:2] == ('PUT', BASE + '/exact?source=web&destination=api'), agent.asked[-1]
    agent.answers.pop(BASE + '/exact')
    agent[BASE] = {'ID': ID}
    run(agent, 'create', '-replace', 'web', 'api', out='Created: web => api (allow)\n')
    assert agent.asked[-1][:2] == ('POST', BASE), agent.asked[-1]


@test
def create_reads_files(agent):
    agent[BASE] = {'ID': ID}
    with tempfile.TemporaryDirectory() as folder:
        def file(name, body):
            with open(os.path.join(folder, name), 'w') as f:
                json.dump(body, f)
            return f.name
        good = file('good', {'SourceName': 'a', 'DestinationName': 'b', 'Action': 'deny'})
        run(agent, 'create', '-file', good, good, out='Created: a => b (deny)\n' * 2)
        bad = file('bad', {'SourceName': 'a', 'DestinationName': 'b', 'Permissions': [{'Action': 'allow'}]})
        run(agent, 'create', '-file', bad, code=1, err=(
            'Error: cannot create L7 intention from file "%s" using this CLI; use \'consul config write\' instead\n'
            % bad))


@test
def cli_57_get_prints_what_there_is(agent):
    agent[BASE + '/exact'] = pair(ID=ID, Action='deny', Description='why', Meta={'k': 'v', 'a': 'b'},
                                  CreatedAt='2026-11-20T09:52:04.123Z')
    run(agent, 'get', 'web', 'api', out=(
        'Source:       web\nDestination:  api\nAction:       deny\nID:           ' + ID + '\nDescription:  why\n'
        'Meta[a]:      b\nMeta[k]:      v\nCreated At:   Friday, 20-Nov-26 09:52:04 UTC\n'))
    agent[BASE + '/' + ID] = pair('web', 'db', Permissions=[{'Action': 'allow', 'HTTP': {'PathPrefix': '/v1'}}])
    run(agent, 'get', ID, out=(
        'Source:       web\nDestination:  db\nCreated At:   Monday, 01-Jan-01 00:00:00 UTC\nPermissions:\n'
        '[\n  {\n    "Action": "allow",\n    "HTTP": {\n      "PathPrefix": "/v1"\n    }\n  }\n]\n'))
    agent.answers.clear()
    run(agent, 'get', 'a', 'b', code=1, err='Intention not found with source "a" and destination "b"\n')
    run(agent, 'get', 'x', code=1, err='Intention not found with ID "x"\n')
    run(agent, 'get', code=1, err='command requires exactly 1 or 2 arguments\n')


@test
def cli_57_match_prints_a_line_each(agent):
    permission = {'Action': 'allow', 'HTTP': {'PathPrefix': '/'}}
    agent[BASE + '/match'] = {'api': [pair(Action='deny'), pair('x', Permissions=[permission]),
                                      pair('*', Permissions=[permission] * 2)]}
    run(agent, 'match', 'api', out='web => api (deny)\nx => api (1 permission)\n* => api (2 permissions)\n')
    assert agent.asked[-1][1] == BASE + '/match?by=destination&name=api', agent.asked
    agent[BASE + '/match'] = {'api': None}
    run(agent, 'match', '-source', 'api')
    assert agent.asked[-1][1] == BASE + '/match?by=source&name=api', agent.asked
    run(agent, 'match', code=1, err='Error: command requires exactly one argument: src or dst\n')
    run(agent, 'match', '-source', '-destination', 'api', code=1,
        err='Error: only one of -source or -destination may be specified\n')


@test
def delete_is_by_names_or_by_id(agent):
    agent[BASE + '/exact'] = agent[BASE + '/' + ID] = True
    run(agent, 'delete', 'web', 'api', out='Intention deleted.\n')
    assert agent.asked[-1][:2] == ('DELETE', BASE + '/exact?source=web&destination=api'), agent.asked
    run(agent, 'delete', ID, out='Intention deleted.\n')
    assert agent.asked[-1][:2] == ('DELETE', BASE + '/' + ID), agent.asked
    run(agent, 'delete', code=1, err='command requires exactly 1 or 2 arguments\n')
    run(agent, 'delete', 'nope', code=1,
        err='Error deleting the intention: Unexpected response code: 404 ()\n')
