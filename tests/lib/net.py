"""Addresses of a test cluster: a free 127.A.B.0/24, held by a lock file until released."""
import fcntl
import os
import random

LOCK_DIR = '/tmp/curia-test-nets'


class Net:
    """`net.ip(k)` is the address of node k, 1 to 254."""

    def __init__(self):
        os.makedirs(LOCK_DIR, mode=0o777, exist_ok=True)
        for _ in range(2000):
            self.prefix = '127.%d.%d' % (random.randint(10, 250), random.randint(0, 250))
            self.path = os.path.join(LOCK_DIR, self.prefix)
            self.file = open(self.path, 'a')
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                self.file.close()
        raise RuntimeError('no free 127.A.B.0/24 found under ' + LOCK_DIR)

    def ip(self, k):
        return '%s.%d' % (self.prefix, k)

    def release(self):
        os.unlink(self.path)
        self.file.close()
