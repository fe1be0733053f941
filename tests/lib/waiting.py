"""A blocking read under way."""
import threading
import time

from cluster import wait_for
from http1 import Http


def suspended(node):
    """How many requests hang at this node's agentd without an answer."""
    return int(node.daemon('agentd').status()['items']['http.suspended'])


def wait_until_hanging(node, before, more=1, seconds=10):
    wait_for(lambda: suspended(node) >= before + more, seconds, 'a read that hangs')


class Wait(threading.Thread):
    """On a connection of its own; it hangs at its agentd, or is answered, when this returns."""

    def __init__(self, node, path, timeout=30):
        super().__init__(daemon=True)
        self.node, self.path, self.answer = Http(node.ip, timeout=timeout), path, None
        before = suspended(node)
        self.start()
        wait_for(lambda: not self.is_alive() or suspended(node) > before, 10, 'a read that hangs: ' + path)

    def run(self):
        self.answer = self.node.get(self.path)
        self.at = time.monotonic()
        self.node.close()

    @property
    def hangs(self):
        return self.answer is None

    def result(self, seconds=10):
        self.join(seconds)
        assert self.answer is not None, 'still blocked: ' + self.path
        return self.answer
