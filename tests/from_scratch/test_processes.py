"""No process that tests start outlives them."""

from __future__ import annotations

import subprocess
import sys

from tests.support import processes
from tests.support.project import ROOT

TESTS = """
import time
from tests.support import processes
for _ in range(2):
    started = processes.start(["sh", "-c", "sleep 1000 & sleep 1000 & wait"])
    print(started.pid, flush=True)
    processes.wait_for(lambda: len(processes.list_session(started.pid)) == 3)
print("", flush=True)
time.sleep(1000)
"""


def test_processes_of_killed_tests_end() -> None:
    tests = subprocess.Popen([sys.executable, "-c", TESTS], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert tests.stdout
    sessions = [int(tests.stdout.readline()) for _ in range(2)]
    tests.stdout.readline()
    assert all(len(processes.list_session(session)) == 3 for session in sessions)
    tests.kill()
    processes.wait_for(lambda: not any(map(processes.list_session, sessions)), seconds=20)
    tests.communicate()


def test_killed_processes_end_with_their_children() -> None:
    started = processes.start(["sh", "-c", "sleep 1000 & sleep 1000 & wait"])
    processes.wait_for(lambda: len(processes.list_session(started.pid)) == 3)
    processes.kill(started.pid)
    started.wait(20)
    processes.wait_for(lambda: not processes.list_session(started.pid), seconds=20)
