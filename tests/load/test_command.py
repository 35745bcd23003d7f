"""The command that a result gives to repeat its run."""

import json
import shlex
import subprocess
import sys

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.runner.load_plan import environment_without_locust, locust_command

PATH = "/sse?chunks=5&interval_ms=10"


@pytest.fixture
def command_of(start, source, tmp_path):
    """Runs Locust with some options; the command that its result gives."""

    def run(*options, **more):
        started = start.headless(source.url, *options, users=3, run_time="2s", result_dir=tmp_path / "first", **more)
        return started.wait().results[-1]["run"]["command"]

    return run


def test_the_command_repeats_the_run(command_of, tmp_path):
    options = ("--stream-path", PATH, "--stream-header", "X-One: 1, 2", "--stream-header", "X-Two: 'b'")
    command = command_of(*options, "--idle-timeout", "7s", "--stream-end", "event:done")
    words = shlex.split(command)
    assert words[:3] == ["locust", "-f", "loadtests/sse.py"]
    again = [
        *locust_command("loadtests/sse.py"),
        *words[3:],
        "--result-dir",
        str(tmp_path / "again"),
        "--metrics-port",
        "0",
    ]
    subprocess.run(again, cwd=ROOT, env=environment_without_locust(), check=False, timeout=120, capture_output=True)
    (file,) = (tmp_path / "again").glob("*/result.json")
    result = json.loads(file.read_text())
    assert result["run"]["command"] == command
    assert set(result["streams"][0]["outcomes"]) == {"completed"}
    assert result["run"]["users"] == 3


def test_what_opens_doors_is_not_in_the_command(command_of):
    headers = ("Authorization: Bearer s3cret", "Cookie: a=s3cret", "X-Api-Key: s3cret", "X-Plain: shown")
    options = [word for header in headers for word in ("--stream-header", header)]
    body = {"max_tokens": 9, "user": {"api_key": "s3cret", "name": "shown"}, "tools": [{"token": "s3cret"}]}
    command = command_of("--stream-path", PATH, *options, "--stream-body", json.dumps(body))
    assert "s3cret" not in command
    assert """'{"max_tokens": 9, "user": {"api_key": "…", "name": "shown"}, "tools": [{"token": "…"}]}'""" in command
    assert "'Authorization: …'" in command
    assert "'X-Plain: shown'" in command


def test_defaults_are_not_in_the_command(command_of):
    words = shlex.split(command_of("--stream-path", PATH))
    assert [word for word in words if word.startswith("-")] == [
        "-f",
        "--headless",
        "-u",
        "-r",
        "-t",
        "-H",
        "--stream-path",
    ]


def test_options_of_the_environment_are_in_the_command(command_of):
    command = command_of("--stream-path", PATH, variables={"LOCUST_STREAM_IDLE_TIMEOUT": "9s"})
    assert "--stream-idle-timeout 9s" in command


SCRIPT = """
import argparse
from streamgauge.load.run import command_line
made, get_parser = [], command_line.get_parser
command_line.get_parser = lambda: made.append(get_parser()) or made[-1]
parsed = argparse.Namespace(spawn_rate=2, stop_timeout=7.0)
for _ in range(3):
    print(command_line.command_line(parsed, users=3, host="", locustfile="x.py"), len(made))
"""


def test_downloads_of_a_run_under_way_make_locusts_parser_once():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["locust -f x.py --headless -u 3 -r 2 --stop-timeout 7.0 1"] * 3
