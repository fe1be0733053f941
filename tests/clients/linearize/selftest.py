"""The judge of linearizability must accept what is right and catch what is not."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
JUDGE = os.environ.get('LINEARIZE') or os.path.join(ROOT, 'build', 'linearize')


def put(value, call, end, ok=True):
    return {'client': 1, 'key': 'k', 'op': 'put', 'value': value, 'call': call, 'return': end, 'ok': ok}


def get(value, call, end):
    return {'client': 2, 'key': 'k', 'op': 'get', 'value': value, 'call': call, 'return': end, 'ok': True}


def cas(expect, value, call, end, ok=True, done=True):
    return dict(put(value, call, end, ok), op='cas', expect=expect, done=done, client=3)


CASES = (
    ('accepts_reads_in_order', True, [put('1', 0, 1), get('1', 2, 3), put('2', 4, 5), get('2', 6, 7)]),
    ('catches_a_stale_read', False, [put('1', 0, 1), put('2', 2, 3), get('1', 4, 5)]),
    ('catches_a_lost_write', False, [put('1', 0, 1), get('', 2, 3)]),
    ('accepts_an_unknown_write_seen_late', True,
     [put('1', 0, 1), put('2', 2, 3, ok=False), get('1', 4, 5), get('2', 6, 7)]),
    ('accepts_an_unknown_write_never_seen', True, [put('1', 0, 1), put('2', 2, 3, ok=False), get('1', 4, 5)]),
    ('catches_an_unknown_write_that_vanishes', False,
     [put('1', 0, 1), put('2', 2, 3, ok=False), get('2', 4, 5), get('1', 6, 7)]),
    ('accepts_either_order_of_overlapping_writes', True,
     [put('1', 0, 10), put('2', 0, 10), get('1', 11, 12), get('1', 13, 14)]),
    ('catches_two_winners_of_one_cas', False, [put('1', 0, 1), cas('1', '2', 2, 5), cas('1', '3', 2, 5)]),
)


def judge(events):
    with tempfile.TemporaryDirectory() as temp:
        path = os.path.join(temp, 'history.jsonl')
        with open(path, 'w') as f:
            f.writelines(json.dumps(e) + '\n' for e in events)
        return subprocess.run([JUDGE, path], capture_output=True, text=True).returncode == 0


failed = [name for name, good, events in CASES if judge(events) != good]
for name in failed:
    print('FAIL ' + name)
print('%d passed, %d failed' % (len(CASES) - len(failed), len(failed)))
sys.exit(1 if failed else 0)
