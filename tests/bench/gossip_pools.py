"""gossipd beside Debian's serf agent: idle, and twenty of each finding each other and missing one.

A pool is of one kind; 'converged' is from the start of the nineteen that join until each has told of twenty;
'noticed' from a kill -9 until the first, and the last, of the others has told of it. What they tell is read
in their logs every 20 ms."""
import re
import statistics
import time

from gossip import Pool

SIZE, KILLS = 20, 3
IDLE_S, SETTLE_S, WAIT_S = 30, 10, 90
JOINED = re.compile(r'EventMemberJoin: (\S+)|member\.state: name="([^"]+)".* change=alive')
FAILED = re.compile(r'EventMemberFailed: (\S+)|member\.state: name="([^"]+)".* change=failed')


class Ear:
    """What a member has told since it was last asked."""

    def __init__(self, member, pattern):
        self.member, self.pattern, self.names = member, pattern, set()
        self.file = open(member.log_path, errors='replace')
        self.rest = ''

    def hears(self):
        lines = (self.rest + self.file.read()).split('\n')
        self.rest = lines.pop()
        for line in lines:
            found = self.pattern.search(line)
            if found:
                self.names.add(found[1] or found[2])
        return self.names


def when_all(members, pattern, told):
    """Seconds from now until each member's names are as `told` wants them, by member."""
    start, waiting, when = time.monotonic(), [Ear(m, pattern) for m in members], {}
    while waiting:
        for ear in list(waiting):
            if told(ear.hears()):
                when[ear.member.name] = time.monotonic() - start
                ear.file.close()
                waiting.remove(ear)
        assert time.monotonic() < start + WAIT_S, 'still silent: %s' % [e.member.name for e in waiting]
        time.sleep(0.02)
    return when


def rss_kib(member):
    with open('/proc/%d/status' % member.process.pid) as f:
        return int(re.search(r'VmRSS:\s+(\d+)', f.read())[1])


def idle(kind, row, cpu_s):
    with Pool() as p:
        members = [start(p, kind, k, True) for k in range(3)]
        p.wait_all(30)
        time.sleep(SETTLE_S)
        pids = [m.process.pid for m in members]
        before = cpu_s(pids)
        time.sleep(IDLE_S)
        row(kind + ' idle', cpu_ms_a_s=1000 * (cpu_s(pids) - before) / IDLE_S / len(pids),
            rss_mib=statistics.mean(rss_kib(m) for m in members) / 1024)


def start(pool, kind, k, now):
    name, first = '%s%d' % (kind[0], k), kind[0] + '0'
    make = pool.gossipd if kind == 'gossipd' else pool.serf
    return make(name, join=first if k else None, start=now)


def twenty(kind, row):
    with Pool() as p:
        members = [start(p, kind, k, k == 0) for k in range(SIZE)]
        for member in members[1:]:
            member.spawn()
        converged = when_all(members, JOINED, lambda names: len(names) == SIZE)
        time.sleep(SETTLE_S)
        first, last = [], []
        for gone in members[-KILLS:]:
            gone.kill()
            members.remove(gone)
            when = when_all(members, FAILED, lambda names: gone.name in names)
            first.append(min(when.values()))
            last.append(max(when.values()))
        row('20 ' + kind, converged_s=max(converged.values()), first_notice_s=statistics.median(first),
            all_notice_s=statistics.median(last))


def bench(row, cpu_s):
    for kind in ('serf', 'gossipd'):
        idle(kind, row, cpu_s)
    for kind in ('serf', 'gossipd'):
        twenty(kind, row)
