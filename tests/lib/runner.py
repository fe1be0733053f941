"""Runs the tests of the modules given: `runner.py [-k WORD] MODULE...`.

A test is a function marked @test; its name is a claim. A parameter named like a function marked
@fixture gets what that yields: made at first use, kept until the module ends. Each test has a
deadline. A module may say BUILD = 'release'; CURIA_BIN beats both. A warning in a log fails the test unless
the module has a part of it in EXPECT. The last line is `N passed, M failed`.
"""
import argparse
import contextlib
import importlib.util
import inspect
import os
import re
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cluster as cluster_module  # noqa: E402

DEADLINE_S = 240


def test(function=None, *, seconds=DEADLINE_S):
    def mark(f):
        f.curia_test, f.seconds = True, seconds
        return f
    return mark(function) if function else mark


def fixture(function):
    function.curia_fixture = True
    return function


class Deadline(cluster_module.Ended):
    """Also what a wait must not take for "not yet"."""


def on_alarm(number, frame):
    raise Deadline('the test passed its deadline')


class Module:
    def __init__(self, path):
        spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        build = getattr(self.module, 'BUILD', 'asan')  # what is timed or kills a lot says release
        cluster_module.default_build = {'asan': 'build/asan', 'release': 'build'}[build]
        words = getattr(self.module, 'EXPECT', ())
        cluster_module.expected = re.compile('|'.join(('config.warning', *words)))
        self.name, self.made, self.broken = spec.name, {}, set()
        self.stack = contextlib.ExitStack()

    def tests(self):
        return [f for f in vars(self.module).values() if getattr(f, 'curia_test', False)]

    def value(self, name):
        if name in self.broken:
            raise AssertionError('the fixture %s failed before' % name)
        if name not in self.made:
            self.broken.add(name)
            make = getattr(self.module, name)
            assert getattr(make, 'curia_fixture', False), name + ' is no fixture'
            args = [self.value(p) for p in inspect.signature(make).parameters]
            self.made[name] = self.stack.enter_context(contextlib.contextmanager(make)(*args))
            self.broken.discard(name)
        return self.made[name]

    def run(self, f):
        signal.signal(signal.SIGALRM, on_alarm)
        signal.alarm(f.seconds)
        try:
            f(*[self.value(p) for p in inspect.signature(f).parameters])
            bad = [line for c in cluster_module.live for line in c.complaints()]
            assert not bad, '\n'.join(bad)
        finally:
            signal.alarm(0)


def attempt(label, action):
    start = time.monotonic()
    try:
        action()
    except Exception:
        print('FAIL %s (%.1f s)' % (label, time.monotonic() - start))
        for c in cluster_module.live:
            print(c.all_logs())
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
        return False
    print('ok   %s (%.1f s)' % (label, time.monotonic() - start), flush=True)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('-k', default='', help='only tests whose name has this word')
    parser.add_argument('-x', action='store_true', help='stop at the first failure')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('modules', nargs='+')
    args = parser.parse_args()
    passed, failed = 0, []
    for path in args.modules:
        module = Module(path)
        chosen = [f for f in module.tests() if args.k in f.__name__]
        for f in chosen:
            label = '%s.%s' % (module.name, f.__name__)
            if args.list:
                print(label)
            elif attempt(label, lambda: module.run(f)):
                passed += 1
            else:
                failed.append(label)
                if args.x:
                    break
        if module.made and not attempt(module.name + '.ends_cleanly', module.stack.close):
            failed.append(module.name + '.ends_cleanly')
    for label in failed:
        print('failed: ' + label)
    print('%d passed, %d failed' % (passed, len(failed)))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    sys.modules['runner'] = sys.modules['__main__']
    main()
