"""Processes that ``fork_server.py`` forks: Locust without the time that its imports take."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from subprocess import PIPE

from benchmarks.testbed.server import ROOT
from streamgauge.runner.finished_run import FinishedRun
from streamgauge.runner.load_plan import environment_without_locust, locust_command
from streamgauge.runner.runs import results_in

SERVER = Path(__file__).with_name("fork_server.py")


class ForkServer:
    """A context with a running fork server; any thread may ask it."""

    def __enter__(self):
        command = [sys.executable, "-P", SERVER]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment_without_locust(), stdin=PIPE, stdout=PIPE, text=True
        )
        self._lock = threading.Lock()
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def ask(self, **question):
        with self._lock:
            print(json.dumps(question), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        assert answer, "the fork server has ended: its traceback is above"
        return json.loads(answer)

    def run_locust(self, locustfile, *options, result_dir=None, timeout_s=180, variables=None, cwd=ROOT):
        """Do what ``streamgauge.runner.finished_run.run_locust`` does."""
        where = ("--stream-result-dir", result_dir) if result_dir else ()
        with tempfile.TemporaryDirectory() as place:
            locust = Forked(self, (locustfile, *options, *where), Path(place) / "log", variables, cwd)
            try:
                status = locust.wait(timeout_s)
            finally:
                locust.end()
            return FinishedRun(status, locust.output, results_in(result_dir) if result_dir else [])


class Forked:
    """A forked Locust with the methods of :class:`streamgauge.runner.process.Child` that tests use."""

    def __init__(self, server, arguments, log, variables, cwd=ROOT):
        self.command = locust_command(*arguments)
        self.log = log
        self._server = server
        self._status = None
        log.touch()
        environment = environment_without_locust({name: str(value) for name, value in (variables or {}).items()})
        asked = {"arguments": self.command[self.command.index("locust") + 1 :], "log": str(log), "cwd": str(cwd)}
        self.pid = server.ask(start={**asked, "environment": environment})["pid"]

    @property
    def running(self):
        """Whether it has not ended. It is not reaped, so that no other process can get its group's id."""
        if self._status is not None:
            return False
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] not in "ZX"

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    def ask_to_end(self):
        if self.running:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, limit_s):
        """Its exit status once it has ended by itself. Raises subprocess.TimeoutExpired."""
        deadline_s = time.monotonic() + limit_s
        while self.running:
            if time.monotonic() > deadline_s:
                raise subprocess.TimeoutExpired(self.command, limit_s)
            time.sleep(0.02)
        if self._status is None:
            self._status = self._server.ask(reap=self.pid)["status"]
        return self._status

    def end(self):
        """Kill what is left of its group."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait(60)
