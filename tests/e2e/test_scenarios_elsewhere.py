"""Every scenario of loadtests/, against the sample app and against a server that is not ours: aiohttp's."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.testbed.server import ROOT, Server
from streamgauge.runner.finished_run import run_locust

APP = Path(__file__).parent / "servers" / "aiohttp_app.py"
#: The protocol and the outcome of each name.
EXPECTED = {
    "/stream/sse": ("sse", "completed"),
    "/stream/ndjson": ("ndjson", "completed"),
    "/stream/file/{name}": ("raw", "completed"),
    "/stream/ws": ("websocket", "completed"),
    "/stream/multipart": ("multipart", "completed"),
    "/stream/sse (slow reader)": ("sse", "completed"),
    "/stream/sse (hang-up)": ("sse", "aborted"),
    "chat": ("openai", "completed"),
}
EQUAL = "sse=1,ndjson=1,download=1,websocket=1,multipart=1,slow_reader=1,hang_up=1,chat=1"
QUICK = ("--hang-up-after", "2..5", "--slow-reader-rate", "1MB/s", "--slow-reader-window", "8KiB")


@pytest.fixture(scope="module")
def socket_path(tmp_path_factory):
    return tmp_path_factory.mktemp("s") / "app.sock"


@pytest.fixture(scope="module")
def elsewhere(socket_path):
    with Server(sys.executable, str(APP), str(socket_path)) as server:
        yield server


@pytest.fixture
def sample_app():
    command = [sys.executable, "-m", "target_app", "--port", "0", "--metrics-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield next(json.loads(line)["url"] for line in process.stdout if '"listening"' in line)
        process.terminate()


def mixed(directory, *options, users=8, weights=EQUAL, run_time="1s"):
    load = ("--headless", "-u", users, "-r", 100, "-t", run_time, "--stop-timeout", 60, "--metrics-port", "off")
    chosen = ("--mixed-weights", weights, *QUICK, *options)
    done = run_locust("loadtests/mixed.py", *load, *chosen, result_dir=directory / "results", cwd=ROOT)
    assert done.result is not None, done.output
    return done


def outcomes(done):
    return {each["name"]: (each["protocol"], *each["outcomes"]) for each in done.result["streams"]}


def test_every_scenario_runs_on_a_server_that_is_not_ours(elsewhere, tmp_path):
    done = mixed(tmp_path, "-H", elsewhere.url)
    assert outcomes(done) == EXPECTED, done.output
    assert not [reason for reason in done.result["verdict"]["reasons"] if "slow reader" in reason]
    with urllib.request.urlopen(f"{elsewhere.url}/left", timeout=60) as reply:
        assert "/stream/sse" in json.load(reply)
    slowed = {each["name"]: each["slowed"] > 0 for each in done.result["streams"]}
    assert [name for name, slow in slowed.items() if slow] == ["/stream/sse (slow reader)"]


def test_every_scenario_runs_on_the_sample_app(sample_app, tmp_path):
    done = mixed(tmp_path, "-H", sample_app)
    assert outcomes(done) == EXPECTED, done.output


def test_a_kind_has_its_own_path_and_those_without_a_weight_have_no_user_even_through_a_unix_socket(
    elsewhere, socket_path, tmp_path
):
    there = ("-H", "http://shop.test", "--unix-socket", socket_path)
    paths = ("--mixed-path", "ndjson=/stream/ndjson?own", "--mixed-path", "chat=/nowhere")
    done = mixed(tmp_path, *there, *paths, users=4, weights="ndjson=1,hang_up=2,chat=1")
    assert outcomes(done) == {
        "/stream/ndjson": ("ndjson", "completed"),
        "/stream/sse (hang-up)": ("sse", "aborted"),
        "chat": ("openai", "http_error"),
    }, done.output
    assert done.result["generator"]["timestamps"] == "read"
    assert done.result["run"]["host"] == "http://shop.test"
    assert any("no usable kernel timestamp" in reason for reason in done.result["verdict"]["reasons"])
