"""A gossip pool in network namespaces of its own, with packets lost on the way.

    unshare -n [-r] python3 lossy_pool.py GOSSIPD DIR SERFS GOSSIPDS LOSS_PERCENT SECONDS

Run inside a new network namespace, which becomes the switch: a bridge, and for each member a namespace and a
cable. When all know all, each member's namespace drops LOSS_PERCENT of what arrives (nftables; the kernel's
netem is not everywhere) for SECONDS. Prints what each member said of others meanwhile; exits 0 when none
was taken for failed. All namespaces go with their processes.
"""
import json
import os
import re
import subprocess
import sys
import time

JOIN_S = 60
FAILED = re.compile(r'EventMemberFailed: (\S+)|change=failed')
SUSPECTED = re.compile(r'Suspect \S+ has failed|gossip\.suspect|gossip\.refuted|Refuting a suspect')


def run(*args, pid=None):
    inside = ['nsenter', '-t', str(pid), '-n'] if pid else []
    subprocess.run(inside + list(args), check=True, stdout=subprocess.DEVNULL)


class Member:
    def __init__(self, k, name, command, folder):
        self.k, self.name, self.ip = k, name, '10.77.0.%d' % k
        self.log_path = os.path.join(folder, name + '.log')
        # The program begins once its cable is there.
        script = 'until ip -br addr show dev eth0 2>/dev/null | grep -q 10.77; do sleep 0.05; done; exec "$@"'
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(['unshare', '-n', 'sh', '-c', script, 'sh', *command(self.ip)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.connect()

    def connect(self):
        pid, near = self.process.pid, 'port%d' % self.k
        end = time.monotonic() + 10
        while os.readlink('/proc/%d/ns/net' % pid) == os.readlink('/proc/self/ns/net'):
            assert time.monotonic() < end, 'no namespace for ' + self.name
            time.sleep(0.01)
        run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', str(pid))
        run('ip', 'link', 'set', near, 'master', 'switch', 'up')
        run('ip', 'link', 'set', 'lo', 'up', pid=pid)
        run('ip', 'link', 'set', 'eth0', 'up', pid=pid)
        run('ip', 'addr', 'add', self.ip + '/24', 'dev', 'eth0', pid=pid)

    def lose(self, percent):
        for rule in ('add table inet lossy', 'add chain inet lossy in { type filter hook input priority 0; }',
                     'add rule inet lossy in iifname "eth0" numgen random mod 100 < %d counter drop' % percent):
            run('nft', rule, pid=self.process.pid)

    def dropped(self):
        done = subprocess.run(['nsenter', '-t', str(self.process.pid), '-n', 'nft', 'list', 'table', 'inet', 'lossy'],
                              capture_output=True, text=True, check=True)
        return int(re.search(r'packets (\d+)', done.stdout)[1])

    def log(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def knows(self, names):
        log = self.log()
        return all(re.search(r'EventMemberJoin: %s |name="%s" .*change=alive' % (n, n), log) for n in names)


def serf(name, seed):
    def command(ip):
        join = ['-retry-join', seed, '-retry-interval', '1s'] if seed else []
        return ['serf', 'agent', '-node', name, '-bind', ip + ':8301', '-rpc-addr', '127.0.0.1:7373',
                '-log-level', 'debug', *join]
    return command


def gossipd(program, name, folder, seed):
    def command(ip):
        own = os.path.join(folder, name)
        os.makedirs(own)
        config = {'node_name': name, 'data_dir': own, 'bind_addr': ip, 'advertise_addr': ip,
                  'retry_join': [seed] if seed else [], 'retry_interval': '1s'}
        with open(own + '.json', 'w') as f:
            json.dump(config, f)
        return [program, '-config-file', own + '.json', '-run-dir', own + '/run']
    return command


def start(program, folder, serfs, gossipds):
    """The first of each kind is whom the others join, in turn: gossip crosses from kind to kind."""
    members, seeds = [], {}
    for i in range(max(serfs, gossipds)):
        for kind, count in (('g', gossipds), ('s', serfs)):
            if i >= count:
                continue
            name, seed = '%s%d' % (kind, i + 1), seeds.get('sg'[(i + (kind == 's')) % 2]) or seeds.get('g')
            make = serf(name, seed) if kind == 's' else gossipd(program, name, folder, seed)
            members.append(Member(len(members) + 1, name, make, folder))
            seeds.setdefault(kind, members[-1].ip + ':8301')
    return members


def wait_all(members):
    names, end = [m.name for m in members], time.monotonic() + JOIN_S
    for member in members:
        while not member.knows([n for n in names if n != member.name]):
            assert member.process.poll() is None, member.name + ' ended'
            assert time.monotonic() < end, '%s does not know all' % member.name
            time.sleep(0.2)


def watch(members, loss, seconds):
    before = {m.name: len(m.log()) for m in members}
    for member in members:
        member.lose(loss)
    time.sleep(seconds)  # the time is what is asked for
    lost, suspected, failed = 0, 0, []
    for member in members:
        said = member.log()[before[member.name]:]
        assert member.process.poll() is None, member.name + ' ended'
        lost += member.dropped()
        suspected += len(SUSPECTED.findall(said))
        failed += ['%s: %s' % (member.name, line) for line in said.splitlines() if FAILED.search(line)]
    print('%d members, %d s: %d packets lost, %d times a suspicion was said, %d failures'
          % (len(members), seconds, lost, suspected, len(failed)))
    print('\n'.join(failed))
    assert lost > 10 * len(members), 'next to nothing was lost'
    return not failed


def main():
    program, folder = sys.argv[1], sys.argv[2]
    serfs, gossipds, loss, seconds = map(int, sys.argv[3:7])
    run('ip', 'link', 'add', 'switch', 'type', 'bridge')
    run('ip', 'link', 'set', 'switch', 'up')
    members = start(program, folder, serfs, gossipds)
    try:
        wait_all(members)
        calm = watch(members, loss, seconds)
    finally:
        for member in members:
            member.process.kill()
        for member in members:
            member.process.wait()
    sys.exit(0 if calm else 1)


main()
