"""Rules that a compiler does not check. Prints each breach as FILE:LINE: RULE."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
BANNED = re.compile(r'\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|rand|srand)\s*\(')
# What a pure core may include of the system, beside its own headers, common/base and messages.
CORE_SYSTEM = {'arpa/inet.h', 'assert.h', 'ctype.h', 'errno.h', 'inttypes.h', 'limits.h', 'math.h', 'stdalign.h',
               'stdarg.h', 'stdbool.h', 'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h',
               'strings.h', 'sys/types.h', 'zlib.h', 'msgpack/pack.h', 'jansson.h'}
CORE_COMMON = ('common/base/', 'common/json/', 'common/hcl/', 'common/service/', 'common/filter/', 'common/tls/spiffe.h',
               'common/acl/')  # pure themselves
CORE_FUNCTIONS = re.compile(r'\b(time|clock_gettime|gettimeofday|getrandom|open|fopen|socket|send|recv|'
                            r'pthread_create|cu_log\w*|cu_mono_now\w*|cu_random_bytes)\s*\(')
PATHS = re.compile(r'/(?:home|Users|work|root)/\w')
LIMIT_LINES = 700

breaches = []


def breach(path, line, rule):
    breaches.append('%s:%d: %s' % (os.path.relpath(path, ROOT), line, rule))


def sources(*patterns):
    found = []
    for pattern in patterns:
        found += glob.glob(os.path.join(ROOT, pattern), recursive=True)
    return sorted(f for f in found if os.path.isfile(f))


def code(path):
    """Lines without comments and strings, so that words in them do not count."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m.group().count('\n'), text, flags=re.S)
    text = re.sub(r'//[^\n]*', '', text)
    return text.splitlines()


def service_of(relative):
    parts = relative.split('/')
    return parts[1] if parts[0] == 'services' and len(parts) > 2 else None


def allowed(relative, kind, header):
    """Who may include whom (style.md 3.1): services -> common -> proto; a core has no edge."""
    mine, part = service_of(relative), relative.split('/')[2:3] == ['core']
    if kind == '<':
        return not part or header in CORE_SYSTEM or header.startswith('protobuf-c/')
    if header.startswith('tests/'):
        return relative.startswith('tests/')
    if relative.startswith('tests/'):
        return True
    if relative.startswith('common/') and header.startswith('services/'):
        return False
    if mine and header.startswith('services/'):
        if service_of(header) != mine:
            return False
        return not part or header.split('/')[2] == 'core'
    if part and header.startswith('common/'):
        return header.startswith(CORE_COMMON)
    if relative.startswith('common/base/') and header.startswith('common/'):
        return header.startswith('common/base/')
    return True


def check_layers():
    for path in sources('common/**/*.[ch]', 'services/**/*.[ch]', 'tests/**/*.[ch]'):
        relative = os.path.relpath(path, ROOT)
        lines = code(path)
        if len(lines) > LIMIT_LINES:
            breach(path, len(lines), 'over %d lines' % LIMIT_LINES)
        core = relative.startswith('services/') and '/core/' in relative
        for n, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if found and not allowed(relative, *found.groups()):
                breach(path, n, 'must not include ' + found.group(2))
            plain = re.sub(r'"(\\.|[^"\\])*"', '""', line)
            if not relative.startswith('tests/') and BANNED.search(plain):
                breach(path, n, 'unsafe function: ' + BANNED.search(plain).group(1))
            if core and CORE_FUNCTIONS.search(plain):
                breach(path, n, 'no I/O, clock or randomness in a core: ' + CORE_FUNCTIONS.search(plain).group(1))
            if re.search(r'#\s*include\s*[<"]nng/', line) and not relative.startswith('common/bus/'):
                breach(path, n, 'only common/bus knows nng')


def check_text():
    names = subprocess.run(['git', '-C', ROOT, 'ls-files'], capture_output=True, text=True, check=True)
    for name in names.stdout.split():
        path = os.path.join(ROOT, name)
        if name == 'LICENSE' or name.startswith(('tests/fuzz/seeds/', 'tests/golden/')) or not os.path.isfile(path):
            continue
        with open(path, encoding='utf-8', errors='replace') as f:
            for n, line in enumerate(f, 1):
                if PATHS.search(line) and not name.endswith('lint.py'):
                    breach(path, n, 'a path of somebody\'s machine')
                if re.search(r'\b(TODO|FIXME|XXX)\b', line) and not name.endswith('lint.py'):
                    breach(path, n, 'unfinished')
                if line.rstrip('\n') != line.rstrip('\n').rstrip() and not name.endswith('.md'):
                    breach(path, n, 'blank at the end of the line')


def build_dir():
    for d in ('build/asan', 'build'):
        if os.path.exists(os.path.join(ROOT, d, 'proto', 'protos.stamp.h')):
            return os.path.join(ROOT, d)
    return None


def check_lone_headers():
    """Each header compiles alone, so that the order of includes never matters."""
    build = build_dir()
    if not build:
        print('lone headers: skipped, nothing is built yet')
        return
    flags = subprocess.run(['pkg-config', '--cflags', 'libprotobuf-c', 'jansson', 'libevent', 'check'],
                           capture_output=True, text=True, check=False).stdout.split()
    base = ['cc', '-std=c17', '-D_GNU_SOURCE', '-DCU_VERSION="0"', '-fsyntax-only', '-Wall', '-Wextra',
            '-Wno-unused-parameter', '-x', 'c', '-I' + ROOT, '-I' + build, '-I' + os.path.join(build, 'proto'), *flags]
    with tempfile.TemporaryDirectory() as temp:
        def compile_one(path):
            relative = os.path.relpath(path, ROOT)
            unit = os.path.join(temp, relative.replace('/', '_') + '.c')
            with open(unit, 'w') as f:
                f.write('#include "%s"\n#include "%s"\n' % (relative, relative))
            done = subprocess.run(base + [unit], capture_output=True, text=True)
            return path, done.stderr
        with ThreadPoolExecutor(2) as pool:
            for path, errors in pool.map(compile_one, sources('common/**/*.h', 'services/**/*.h', 'tests/**/*.h')):
                if errors:
                    breach(path, 1, 'does not compile alone: ' + (re.search(r'error: .*', errors) or [errors])[0])


FORMAT_VERSION = 14  # others put some lines otherwise


def check_format():
    if not shutil.which('clang-format'):
        breach(os.path.join(ROOT, '.clang-format'), 1, 'clang-format is not installed')
        return
    version = subprocess.run(['clang-format', '--version'], capture_output=True, text=True).stdout
    if not re.search(r'version %d\.' % FORMAT_VERSION, version):
        print('format is checked with clang-format %d (Debian 12), not with %s' % (FORMAT_VERSION, version.strip()))
        return
    files = sources('common/**/*.[ch]', 'services/**/*.[ch]', 'tests/**/*.[ch]')

    def format_one(path):
        return path, subprocess.run(['clang-format', '--dry-run', '-Werror', path], capture_output=True, text=True)
    with ThreadPoolExecutor(2) as pool:
        for path, done in pool.map(format_one, files):
            if done.returncode:
                first = re.search(r':(\d+):\d+: error', done.stderr)
                breach(path, int(first.group(1)) if first else 1, 'not as clang-format puts it')


def main():
    checks, failed = (check_layers, check_text, check_lone_headers, check_format), 0
    for check in checks:
        before = len(breaches)
        check()
        failed += len(breaches) > before
    print('\n'.join(breaches))
    print('%d passed, %d failed' % (len(checks) - failed, failed))
    sys.exit(1 if failed else 0)


main()
