"""serf and gossipd in one pool, with packets lost on the way, in network namespaces made here."""
import os
import shutil
import subprocess
import sys
import tempfile

from cluster import bin_dir, environment
from runner import test

BUILD = 'release'  # fifteen processes on few cores: what is timed must not wait for a sanitizer
SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib', 'lossy_pool.py')


@test(seconds=240)
def issue_ten_serf_and_five_gossipd_stay_calm_for_a_minute_under_5_percent_loss():
    folder = tempfile.mkdtemp(prefix='curia-lossy-')
    unshare = ['unshare', '-n'] if os.geteuid() == 0 else ['unshare', '-r', '-n']
    try:
        done = subprocess.run([*unshare, sys.executable, SCRIPT, os.path.join(bin_dir(), 'gossipd'), folder,
                               '10', '5', '5', '60'], capture_output=True, text=True, timeout=220, env=environment())
        print(done.stdout, done.stderr)
        assert done.returncode == 0, 'somebody was taken for failed'
    finally:
        shutil.rmtree(folder, ignore_errors=True)
