"""Counts for tests/run: prints what failed and adds one line `passed failed` to the tally file."""
import json
import re
import sys

COUNTS = re.compile(r'^(?:.*: )?(\d+) passed, (\d+) failed$', re.M)


def counted(name, code, text):
    """What a program said of itself; one test where it said nothing."""
    found = COUNTS.findall(text)
    passed, failed = map(int, found[-1]) if found else (int(code == 0), int(code != 0))
    if code and not failed:
        failed = 1  # it crashed after its last line, a leak for example
    print('%s %s: %d passed, %d failed' % ('ok  ' if not failed else 'FAIL', name, passed, failed))
    return passed, failed


def add(path, passed, failed):
    with open(path, 'a') as f:
        f.write('%d %d\n' % (passed, failed))
    return failed


def one(name, code, out, tally):
    with open(out, errors='replace') as f:
        text = f.read()
    passed, failed = counted(name, int(code), text)
    lines = text.strip().splitlines()
    print('\n'.join(lines if failed else lines[-3:]))
    return add(tally, passed, failed)


def meson(log, tally):
    passed = failed = 0
    try:
        with open(log) as f:
            tests = [json.loads(line) for line in f]
    except FileNotFoundError:
        tests = []
    for t in tests:
        text = t.get('stdout', '') + t.get('stderr', '')
        p, n = counted(t['name'], 0 if t['result'] == 'OK' else 1, text)
        passed, failed = passed + p, failed + n
        if n:
            print('%s: %s\n%s' % (t['name'], t['result'], text))
    if not tests:
        print('no tests in ' + log)
        failed = 1
    return add(tally, passed, failed)


def total(tally):
    with open(tally) as f:
        rows = [tuple(map(int, line.split())) for line in f]
    failed = sum(r[1] for r in rows)
    print('%d passed, %d failed' % (sum(r[0] for r in rows), failed))
    return failed


if __name__ == '__main__':
    action = {'--meson': meson, '--total': total}.get(sys.argv[1])
    sys.exit(1 if (action(*sys.argv[2:]) if action else one(*sys.argv[1:])) else 0)
