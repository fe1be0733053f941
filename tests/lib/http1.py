"""One HTTP request and its answer; and raw bytes where a client library would not send them."""
import http.client
import json
import socket
import time


class Answer:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def __getitem__(self, name):
        return self.headers.get(name)

    @property
    def text(self):
        return self.body.decode('utf-8', 'replace')

    @property
    def index(self):
        return int(self.headers['X-Consul-Index'])

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return '%d %s %r' % (self.status, dict(self.headers), self.body[:300])


class Http:
    """Keeps one connection; not for use by two threads at once."""

    def __init__(self, host, port=8500, timeout=30):
        self.host, self.port, self.timeout, self.conn = host, port, timeout, None

    def request(self, method, path, body=None, headers=None, timeout=None):
        """Raises OSError or http.client.HTTPException when there is no answer; never repeats."""
        start = time.monotonic()
        if self.conn is None:
            self.conn = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        try:
            self.conn.timeout = timeout or self.timeout
            if self.conn.sock:
                self.conn.sock.settimeout(timeout or self.timeout)
            chunked = body is not None and not isinstance(body, (bytes, str))
            self.conn.request(method, path, body, headers or {}, encode_chunked=chunked)
            reply = self.conn.getresponse()
            data = reply.read()
        except BaseException:
            self.close()
            raise
        if reply.will_close:
            self.close()
        return Answer(reply.status, reply.headers, data, time.monotonic() - start)

    def close(self):
        if self.conn:
            self.conn.close()
        self.conn = None

    def get(self, path, **kw):
        return self.request('GET', path, **kw)

    def put(self, path, body=b'', **kw):
        return self.request('PUT', path, body, **kw)

    def post(self, path, body=b'', **kw):
        return self.request('POST', path, body, **kw)

    def delete(self, path, **kw):
        return self.request('DELETE', path, **kw)


def raw(host, port, data, timeout=5):
    """Sends bytes, returns all that came until the peer closed or was silent for `timeout`."""
    with socket.create_connection((host, port), timeout=timeout) as sock:
        try:
            sock.sendall(data)
        except OSError:
            pass  # an early close with an answer is what some callers look for
        got = b''
        try:
            while True:
                part = sock.recv(65536)
                if not part:
                    break
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
        return got
