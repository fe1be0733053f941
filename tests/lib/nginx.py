"""The real nginx on an address of its own, answering every request with one text from memory."""
import os
import shutil
import subprocess
import tempfile
import urllib.request

from cluster import wait_for

PORT = 8080
CONF = '''worker_processes 1;
daemon off;
pid %(dir)s/pid;
error_log %(dir)s/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p; fastcgi_temp_path %(dir)s/f;
    uwsgi_temp_path %(dir)s/u; scgi_temp_path %(dir)s/s;
    server { listen %(ip)s:8080; location / { default_type application/json; return 200 "%(text)s"; } }
}
'''


def command(dir, ip, text):
    """Writes the configuration into `dir`, which nginx's worker must be able to enter; how to start it."""
    path = os.path.join(dir, 'conf')
    with open(path, 'w') as f:
        f.write(CONF % {'dir': dir, 'ip': ip, 'text': text})
    os.chmod(dir, 0o755)
    return [shutil.which('nginx') or '/usr/sbin/nginx', '-c', path, '-p', dir]


class Nginx:
    def __init__(self, ip, text='ok'):
        self.dir = tempfile.mkdtemp(prefix='curia-e2e-nginx-')
        self.url, self.args, self.process = 'http://%s:%d' % (ip, PORT), command(self.dir, ip, text), None

    def start(self):
        with open(os.path.join(self.dir, 'log'), 'w') as log:
            self.process = subprocess.Popen(self.args, stdout=log, stderr=subprocess.STDOUT)
        wait_for(lambda: urllib.request.urlopen(self.url).status == 200, 10, 'nginx')

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
