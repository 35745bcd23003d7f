"""What ``streamgauge report --format text`` prints into a terminal of some width, and into a pipe."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from streamgauge.report.result import SCHEMA
from streamgauge.report.summary import summary
from streamgauge.stats.histogram import Histogram

NAME = "/v1/organisations/{organisation}/projects/{project}/conversations/stream"
CALL = [sys.executable, "-c", "from streamgauge.cli import main; main()", "report", "--format", "text"]
CHUNKS = "8,973,214"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A result whose table is wide: a long name, marked percentiles, large numbers."""
    histogram = Histogram()
    histogram.record_ns(8_973_000_000, 1_000)  # enough for each percentile that is shown
    found = summary(histogram, {"p50": (8.0, 9.0), "p99": (8.0, 9.5)})
    metrics = dict.fromkeys(("time_to_first_chunk", "chunk_interval", "duration"), found)
    streams = {"name": NAME, "protocol": "sse", "started": 123_456, "outcomes": {"completed": 123_456}}
    streams |= {"chunks": int(CHUNKS.replace(",", "")), "bytes": 10**9, "heartbeats": 0, "stalls": 17}
    streams |= {"coalesced_share": 0.25, "reasons": {}, "chunk_delay": None, **metrics}
    run = {"id": "20260301T101500Z-0a1b", "started_at": "2026-03-01T10:15:00+00:00", "duration_s": 1000.0}
    run |= {"host": "http://127.0.0.1:1", "locustfile": "x.py", "users": 1, "spawn_rate": 1.0, "workers": 1}
    generator = {"timestamps": "kernel", "lag": summary(histogram), "cpu_max": 0.1, "late_starts": 0}
    result = {
        "schema": SCHEMA,
        "run": {**run, "load_model": "closed", "interrupted": False, "versions": {}},
        "verdict": {"trust": "trusted", "reasons": [], "slo": [], "exit_code": 0},
        "streams": [streams],
        "generator": {**generator, "dropped_arrivals": 0, "clock_steps": 0},
        "timeline": [],
    }
    directory = tmp_path_factory.mktemp("result")
    (directory / "result.json").write_text(json.dumps(result))
    return directory


def _in_terminal(columns, home):
    """What a terminal of so many columns is sent, without its colours."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"} | {"TERM": "xterm-256color"}
    with subprocess.Popen([*CALL, home], stdin=slave, stdout=slave, stderr=slave, env=environment):
        os.close(slave)
        sent = b""
        while chunk := _read(master):
            sent += chunk
    os.close(master)
    return re.sub(r"\x1b\[[\d;]*m", "", sent.decode()).replace("\r\n", "\n")


def _read(master):
    try:
        return os.read(master, 65536)
    except OSError:  # the other side is closed
        return b""


def _in_pipe(home, **environment):
    kept = {key: value for key, value in os.environ.items() if key != "COLUMNS"} | environment
    return subprocess.run([*CALL, home], capture_output=True, text=True, check=True, env=kept, timeout=120).stdout


def test_a_pipe_has_the_whole_table(home):
    text = _in_pipe(home)
    row, _ = [line for line in text.splitlines() if line.startswith("/v1/")]  # the other is of whole streams
    values = ["123,456", "0", *["≈8.97 s"] * 4, "8,973", CHUNKS, "1.00 GB", "17", "25.0 %"]
    assert re.split(r" {2,}", row) == [NAME, *values]
    assert "left out" not in text


def test_a_pipe_whose_reader_says_how_wide_it_is_has_no_wider_line(home):
    text = _in_pipe(home, COLUMNS="90")
    assert max(map(len, text.splitlines()[:5])) <= 90


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_terminal_has_whole_numbers_and_says_what_it_leaves_out(home, columns):
    text = _in_terminal(columns, home)
    table = text.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= columns
    row = table[-1]
    assert re.match(r"/v1/organisat\S*…\S*/stream +123,456 +0 +≈8\.97 s", row)
    left_out = re.search(r"left out at this width: ([^;]+);", text)
    shown = {"chunks per s": "8,973", "chunks": CHUNKS, "body": "1.00 GB", "stalls": "17", "coalesced": "25.0 %"}
    hidden = " ".join(left_out[1].split()).split(", ") if left_out else []
    for heading, value in shown.items():
        assert bool(re.search(rf"(?<!\S){re.escape(value)}(?!\S)", row)) == (heading not in hidden), (heading, row)
