"""A blocking read under way."""
import re
import threading
import time

from cluster import PATIENCE, wait_for
from http1 import Http


def suspended(node):
    """How many requests hang at this node's agentd without an answer."""
    return int(node.daemon('agentd').status()['items']['http.suspended'])


def wait_until_hanging(node, before, more=1, seconds=10):
    wait_for(lambda: suspended(node) >= before + more, seconds, 'a read that hangs')


class Wait(threading.Thread):
    """On a connection of its own; it hangs at its agentd, or is answered, when this returns.

    With `done` it goes on past every answer of which that does not hold, as clients must: a wake without a change of
    what was asked for is allowed.
    """

    def __init__(self, node, path, timeout=30, done=lambda answer: True):
        super().__init__(daemon=True)
        self.node, self.path, self.done, self.answer = Http(node.ip, timeout=timeout), path, done, None
        before = suspended(node)
        self.start()
        wait_for(lambda: not self.is_alive() or suspended(node) > before, 10, 'a read that hangs: ' + path)

    def run(self):
        answer = self.node.get(self.path)
        while not self.done(answer):
            answer = self.node.get(re.sub(r'\bindex=\d+', 'index=%d' % answer.index, self.path))
        self.answer = answer
        self.at = time.monotonic()
        self.node.close()

    @property
    def hangs(self):
        return self.answer is None

    def result(self, seconds=10):
        self.join(seconds * PATIENCE)
        assert self.answer is not None, 'still blocked: ' + self.path
        return self.answer
