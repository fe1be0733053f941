"""An HTTP server with fixed answers, for what a client prints: canned[path] = answer; it remembers what it was asked."""
import http.server
import json
import threading


class Canned:
    def __init__(self, tls=None):
        """`tls`: a context of a server of TLS."""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def serve(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                path = self.path.split('?')[0]
                outer.asked.append((self.command, self.path, body))
                outer.headers = self.headers
                outer.certificate = self.connection.getpeercert() if tls else None
                status, answer = outer.answers.get(self.command + ' ' + path) or outer.answers.get(path, (404, b''))
                self.send_response(status)
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_PUT = do_POST = do_DELETE = serve

            def log_message(self, *args):
                pass

        self.answers, self.asked = {}, []
        self.headers = self.certificate = None  # of the last request
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.address = '127.0.0.1:%d' % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()

    def __setitem__(self, path, answer):
        """`path`: of every method, or of one, "PUT /v1/x". `answer`: what is printed as JSON with 200, or (status, text)."""
        if isinstance(answer, tuple):
            self.answers[path] = (answer[0], answer[1].encode())
        else:
            self.answers[path] = (200, json.dumps(answer).encode())
