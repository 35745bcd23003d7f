"""What a headless run shows while it lasts: live on a terminal, lines elsewhere, and Locust's table where it is due."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.runner.load_plan import environment_without_locust, locust_command

#: The table that Locust prints every two seconds, and once at the end.
LOCUSTS_TABLE = re.compile(r"^Type +Name +# reqs", re.MULTILINE)
#: What only a live display does: move the cursor up, and clear a line.
MOVES = "\x1b[1A"


def load(url, *options, run_time="5s"):
    path = ("--stream-path", "/sse?chunks=30&interval_ms=20")
    more = ("--headless", "-H", url, "-u", 4, "-r", 100, "-t", run_time, "--metrics-port", 0)
    return locust_command("loadtests/sse.py", *more, *path, *options)


def on_a_terminal(command, **variables):
    """Run a command on a terminal of 80 columns; return what it wrote."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    environment = {**environment_without_locust(), "TERM": "xterm-256color", **variables}
    environment.pop("CI", None) if "CI" not in variables else None
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, cwd=ROOT, env=environment, close_fds=True)
    os.close(its)
    written = b""
    while True:
        try:
            written += os.read(ours, 65_536)
        except OSError:  # the terminal has no other end any more
            break
    os.close(ours)
    assert process.wait() in (0, 3), written
    return written.decode()


def test_on_a_terminal_the_run_is_shown_live_and_the_log_stays_above_it(source):
    written = on_a_terminal(load(source.url))
    live, _, end = written.partition("Shutting down (exit code")
    assert MOVES in live
    assert MOVES not in end
    assert re.search(r"of 5 s", live)
    assert "so far" in live
    for heading in ("users", "streams active", "finished", "failed", "chunks/s", "interval p99"):
        assert heading in live
    assert re.search(r"\r\x1b\[2K\[\d{4}-|\n\[\d{4}-", live)  # a log line begins in a line of its own
    assert "All users spawned" in live.replace("\r\n", " ")
    assert len(LOCUSTS_TABLE.findall(written)) <= 1
    assert "/sse" in end


def test_in_ci_a_terminal_gets_lines(source):
    written = on_a_terminal(load(source.url, run_time="12s"), CI="true")
    assert MOVES not in written
    assert len(re.findall(r"of 12 s, running, \w+ so far: users 4", written)) >= 1


def test_in_a_pipe_there_are_lines_on_standard_error_alone(source):
    fails = "time_to_first_chunk.p99 < 1µs"
    command = load(source.url, "--slo", "duration.p99 < 60s", "--slo", fails, run_time="12s")
    done = subprocess.run(command, cwd=ROOT, env=environment_without_locust(), capture_output=True, text=True)
    assert "\x1b" not in done.stderr + done.stdout
    lines = re.findall(
        r"^\d+ of 12 s, running, \w+ so far: users 4, streams active (?:\d+|–), .*$", done.stderr, re.MULTILINE
    )
    assert len(lines) >= 1
    assert f"1 of 2 SLO rules fails so far; ✗ {fails}: " in done.stderr
    assert "so far" not in done.stdout
    assert not re.search(r" $", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "tables", "lines"),
    [(("--print-stats",), range(2, 20), False), (("--only-summary",), range(1, 2), False), ((), range(1, 2), True)],
    ids=["asked for", "the summary alone", "by default"],
)
def test_locusts_own_table_comes_where_it_is_asked_for(source, options, tables, lines):
    command = load(source.url, *options, run_time="12s" if lines else "5s")  # a line comes after ten seconds
    done = subprocess.run(command, cwd=ROOT, env=environment_without_locust(), capture_output=True, text=True)
    assert len(LOCUSTS_TABLE.findall(done.stderr + done.stdout)) in tables
    assert ("so far: users" in done.stderr) is lines


def test_users_that_do_not_stream_keep_locusts_table(source, tmp_path):
    mixed = tmp_path / "mixed.py"
    mixed.write_text(
        "from locust import HttpUser, constant, task\n"
        "from loadtests.sse import *\n"
        "class Plain(HttpUser):\n"
        "    wait_time = constant(1)\n"
        "    @task\n"
        "    def get(self):\n"
        "        self.client.get('/sse?chunks=1&interval_ms=1')\n"
    )
    command = [str(mixed) if word == "loadtests/sse.py" else word for word in load(source.url)]
    environment = {**environment_without_locust(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert len(LOCUSTS_TABLE.findall(done.stderr + done.stdout)) >= 2
    assert "so far: users" not in done.stderr
