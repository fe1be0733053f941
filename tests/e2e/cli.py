"""cli.md 4.14, 4.26 and checklist 1 to 9, 30 to 40, 86, 92: the commands on one server."""
import json
import os

from cluster import Cluster
from runner import fixture, test


@fixture
def one():
    with Cluster(1) as c:
        yield c[1]


def run(node, args, code=0, out=None, err=None, stdin=b''):
    done = node.curia(*args, stdin=stdin)
    assert done.returncode == code, done
    if out is not None:
        assert done.stdout.decode() == out, done
    if err is not None:
        assert err in done.stderr.decode(), done
    return done


@test
def cli_1_no_or_an_unknown_command_is_127_with_usage_on_stderr(one):
    for args in ([], ['nosuch']):
        done = run(one, args, 127, out='')
        assert b'<command> [<args>]' in done.stderr and b'Available commands are:' in done.stderr


@test
def cli_3_a_parent_without_subcommand_is_1(one):
    for args in (['kv'], ['kv', 'nosuch'], ['operator', 'raft']):
        run(one, args, 1, out='', err='Subcommands:')


@test
def cli_2_help_is_on_stdout_with_0(one):
    for args in (['kv', 'get', '-h'], ['kv', 'put', '--help'], ['version', '-help']):
        assert b'Usage:' in run(one, args, 0).stdout


@test
def cli_6_7_bad_flag_values(one):
    run(one, ['kv', 'put', '-flags=-1', 'x'], 1, err='invalid value "-1" for flag -flags: parse error')
    run(one, ['kv', 'get', '-keys=maybe', 'x'], 1, err='invalid boolean value "maybe" for -keys: parse error')
    run(one, ['kv', 'get', '-nope', 'x'], 1, err='flag provided but not defined: -nope')


@test
def cli_9_a_flag_after_a_positional_is_a_positional(one):
    run(one, ['kv', 'get', 'a', '-recurse'], 1, err='Too many arguments (expected 1, got 2)')


@test
def cli_30_put_then_get_gives_the_bytes_and_a_newline(one):
    run(one, ['kv', 'put', 'c/a', 'hello'], 0, 'Success! Data written to: c/a\n')
    run(one, ['kv', 'get', 'c/a'], 0, 'hello\n')
    run(one, ['kv', 'get', '/c/a'], 0, 'hello\n')
    run(one, ['kv', 'get', '-base64', 'c/a'], 0, 'aGVsbG8=\n')
    run(one, ['kv', 'put', '-base64', 'c/b64', 'aGVsbG8='], 0)
    run(one, ['kv', 'get', 'c/b64'], 0, 'hello\n')


@test
def cli_31_put_reads_files_stdin_and_literals(one):
    path = os.path.join(one.dir, 'value')
    with open(path, 'wb') as f:
        f.write(b'\x00\x01from file')
    run(one, ['kv', 'put', 'c/file', '@' + path])
    assert one.get('/v1/kv/c/file?raw').body == b'\x00\x01from file'
    run(one, ['kv', 'put', 'c/stdin', '-'], stdin=b'from stdin')
    run(one, ['kv', 'get', 'c/stdin'], 0, 'from stdin\n')
    run(one, ['kv', 'put', 'c/lit', '-x'])
    run(one, ['kv', 'get', 'c/lit'], 0, '-x\n')


@test
def cli_32_detailed_layout(one):
    run(one, ['kv', 'put', '-flags=42', 'a/d', 'xyz'])
    n = one.get('/v1/kv/a/d').index
    run(one, ['kv', 'get', '-detailed', 'a/d'], 0,
        'CreateIndex      %d\nFlags            42\nKey              a/d\nLockIndex        0\n'
        'ModifyIndex      %d\nSession          -\nValue            xyz\n' % (n, n))


@test
def cli_33_an_absent_key_is_1(one):
    run(one, ['kv', 'get', 'absent'], 1, '', 'Error! No key exists at: absent')
    run(one, ['kv', 'get'], 1, '', 'Error! Missing KEY argument')


@test
def cli_34_35_recurse_and_keys(one):
    for key in ('r/a', 'r/b/c', 'r/b/d'):
        run(one, ['kv', 'put', key, 'v-' + key])
    run(one, ['kv', 'get', '-recurse', 'r/'], 0, 'r/a:v-r/a\nr/b/c:v-r/b/c\nr/b/d:v-r/b/d\n')
    run(one, ['kv', 'get', '-keys', 'r/'], 0, 'r/a\nr/b/\n')
    run(one, ['kv', 'get', '-keys', '-separator=', 'r/'], 0, 'r/a\nr/b/c\nr/b/d\n')
    run(one, ['kv', 'get', '-recurse', 'none/'], 0, '')
    run(one, ['kv', 'get', '-keys', 'none/'], 0, '')


@test
def cli_36_export_and_import_round_trip_bytes_and_flags(one):
    one.put('/v1/kv/ex/bin?flags=9', bytes(range(256)))
    one.put('/v1/kv/ex/text', b'1')
    one.put('/v1/kv/ex/empty', b'')
    exported = run(one, ['kv', 'export', 'ex/']).stdout
    assert exported.startswith(b'[\n\t{\n\t\t"key": "ex/bin",\n\t\t"flags": 9,\n\t\t"value": "AAEC'), exported
    before = {e['Key']: (e['Value'], e['Flags']) for e in one.get('/v1/kv/ex/?recurse').json()}
    run(one, ['kv', 'delete', '-recurse', 'ex/'], 0, 'Success! Deleted keys with prefix: ex/\n')
    run(one, ['kv', 'import', '-'], 0, 'Imported: ex/bin\nImported: ex/empty\nImported: ex/text\n',
        stdin=exported)
    after = {e['Key']: (e['Value'], e['Flags']) for e in one.get('/v1/kv/ex/?recurse').json()}
    assert before == after
    run(one, ['kv', 'export', 'none/'], 0, '[]\n')
    run(one, ['kv', 'import', '{'], 1, err='Cannot unmarshal data: ')


@test
def cli_37_bad_base64_writes_nothing(one):
    run(one, ['kv', 'put', '-base64', 'c/bad', '!!!!'], 1)
    assert one.get('/v1/kv/c/bad').status == 404


@test
def cli_38_delete_recurse_wants_an_argument(one):
    one.put('/v1/kv/keep', b'1')
    run(one, ['kv', 'delete', '-recurse'], 1)
    assert one.get('/v1/kv/keep').status == 200


@test
def cli_40_delete_of_an_absent_key_succeeds(one):
    run(one, ['kv', 'delete', 'absent'], 0, 'Success! Deleted key: absent\n')


@test
def cli_4_14_cas(one):
    run(one, ['kv', 'put', '-cas', 'c/cas', '1'], 0)
    run(one, ['kv', 'put', '-cas', 'c/cas', '2'], 1,
        err='Error! Did not write to c/cas: CAS performed with index=0 and key already exists.')
    run(one, ['kv', 'put', '-cas', '-modify-index=1', 'c/cas', '2'], 1,
        err='Error! Did not write to c/cas: CAS failed')
    n = str(one.get('/v1/kv/c/cas').index)
    run(one, ['kv', 'put', '-cas', '-modify-index=' + n, 'c/cas', '3'], 0)
    run(one, ['kv', 'delete', '-cas', '-modify-index=1', 'c/cas'], 1,
        err='Error! Did not delete key c/cas: CAS failed')
    run(one, ['kv', 'delete', '-cas', 'c/cas'], 1,
        err='Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.')
    run(one, ['kv', 'delete', '-modify-index=1', 'c/cas'], 1, err='Cannot specify -modify-index without -cas!')
    run(one, ['kv', 'delete', '-cas', '-recurse', 'c/cas'], 1, err='Cannot specify both -cas and -recurse!')
    run(one, ['kv', 'put', '-acquire', 'c/cas', 'x'], 1,
        err='Error! Missing -session (required with -acquire and -release)')


@test
def cli_2_3_a_refused_connection_is_named(one):
    done = one.curia('kv', 'get', '-http-addr=127.0.0.1:1', 'x')
    assert done.returncode == 1 and done.stderr.decode().startswith(
        'Error querying Consul agent: Get "http://127.0.0.1:1/v1/kv/x'), done
    assert 'dial tcp 127.0.0.1:1: connect: connection refused' in done.stderr.decode(), done


@test
def cli_86_92_version_prints_both(one):
    lines = run(one, ['version']).stdout.decode().splitlines()
    assert lines[0].startswith('Curia v') and 'Consul v1.9.8' in lines, lines
    body = json.loads(run(one, ['version', '-format=json']).stdout)
    assert body['Version'] == '1.9.8' and body['Curia'], body
    run(one, ['version', '-format=x'], 1, err='Unknown format: x')
    assert run(one, ['-v']).stdout == run(one, ['--version']).stdout


@test
def cli_90_call_of_a_follow_ends_after_n_lines(one):
    for i in range(3):
        one.put('/v1/kv/f/%d' % i, b'1')
    done = one.curia('call', '-addr', 'ipc://%s/catalogd.sock' % one.run_dir, '-n', '1', 'catalogd',
                     'Feed.Follow', '{}')
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1, done
    json.loads(done.stdout)
