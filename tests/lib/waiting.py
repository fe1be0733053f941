"""A blocking read under way."""
import threading
import time

from http1 import Http


class Wait(threading.Thread):
    """On a connection of its own."""

    def __init__(self, node, path, settle=0.3):
        super().__init__(daemon=True)
        self.node, self.path, self.answer = Http(node.ip), path, None
        self.start()
        time.sleep(settle)  # so that it hangs at the server when the write comes

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
