"""``streamgauge demo`` as a user runs it: real app, real Locust, real signals, small numbers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

_DEADLINE_S = 90
_CODE = "import sys; sys.argv[0] = 'streamgauge'; from streamgauge.cli import main; main()"
_TOTALS = ("streams finished", "chunks", "bytes")


def _wait(for_what: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline_s:
        if found := for_what():
            return found
        time.sleep(0.05)
    raise AssertionError("the deadline has passed")


def _free_ports(count: int) -> list[str]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [str(each.getsockname()[1]) for each in listeners]


class Demo:
    """A demo under way, below a directory of its own."""

    def __init__(self, directory: Path, *options: str, own_ports: bool = True) -> None:
        self.results = directory / "results"
        ports = _free_ports(3)
        if own_ports:
            options = (*options, "--app-port", ports[0], "--metrics-port", ports[1])
        if "--web" in options:
            options = (*options, "--web-port", ports[2])
        self.output, self.errors = directory / "stdout", directory / "stderr"
        with self.output.open("w") as output, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _CODE, "demo", "--result-dir", str(self.results), *options],
                stdout=output,
                stderr=errors,
                env={**os.environ, "COLUMNS": "120"},
                cwd=directory,
            )

    def wait(self) -> int:
        return self.process.wait(_DEADLINE_S)

    def said(self, words: str) -> bool:
        return words in self.errors.read_text() or self.process.poll() is not None

    @property
    def run(self) -> Path:
        (found,) = self.results.glob("*Z-*")
        return found

    def wait_for_streams(self) -> None:
        def begun() -> list[Path]:
            assert self.process.poll() is None, self.errors.read_text()
            return [each for each in self.results.glob("*/timeline.ndjson") if each.stat().st_size]

        _wait(begun)

    def read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run / name).read_text())
        return found

    def totals(self) -> dict[str, tuple[int, int]]:
        lines = [line for line in self.read("server.json")["agreement"] if not line["name"]]
        return {line["subject"]: (line["client"], line["server"]) for line in lines}

    def family(self) -> list[psutil.Process]:
        """All that it started, while it lives."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(*options: str, own_ports: bool = True) -> Demo:
        started.append(Demo(tmp_path, *options, own_ports=own_ports))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            for child in each.family():
                child.kill()
            each.process.kill()
            each.process.wait()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A demo that has ended, begun while its usual ports were busy."""
    with ExitStack() as stack:
        for port in (8000, 9101):
            with suppress(OSError):  # then another process has it, which is as good
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        demo = Demo(tmp_path_factory.mktemp("demo"), "--users", "12", "--run-time", "6s", own_ports=False)
        demo.wait()
    return demo


def test_a_run_passes(done):
    assert done.process.returncode == 0, done.output.read_text() + done.errors.read_text()
    assert done.read("result.json")["verdict"]["exit_code"] == 0


def test_the_clients_totals_are_the_servers(done):
    totals = done.totals()
    assert set(totals) == set(_TOTALS)
    for client, server in totals.values():
        assert client == server > 0


def test_a_run_leaves_its_files(done):
    files = {each.name for each in done.run.iterdir()}
    assert files == {"result.json", "report.html", "server.json", "timeline.ndjson", "app.log", "locust.log"}
    assert [each.name for each in done.results.iterdir()] == [done.run.name]


def test_the_report_shows_the_servers_view(done):
    assert "The server's own view" in (done.run / "report.html").read_text()


def test_standard_output_holds_the_table_and_the_paths_alone(done):
    output = done.output.read_text()
    assert "/stream/sse" in output
    assert f"results/{done.run.name}/report.html" in output
    assert "Starting" not in output
    assert "\x1b" not in output


def test_progress_is_told_in_lines_where_there_is_no_terminal(done):
    errors = done.errors.read_text()
    assert "of 6 s, running: users 12, streams active" in errors
    assert "\x1b" not in errors


def test_busy_usual_ports_are_replaced_and_named(done):
    errors = done.errors.read_text()
    assert "port 8000 (app) is busy" in errors
    assert "port 9101 (app's metrics) is busy" in errors
    assert "127.0.0.1:8000" not in errors


def test_a_busy_port_that_was_asked_for_is_an_error(demo):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        busy = demo("--app-port", port, own_ports=False)
        assert busy.wait() == 2
    assert f"--app-port {port}: the port is busy" in busy.errors.read_text()


def test_totals_agree_over_two_processes(demo):
    over_two = demo("--users", "8", "--run-time", "4s", "--processes", "2")
    assert over_two.wait() == 0, over_two.errors.read_text()
    assert over_two.read("result.json")["run"]["workers"] == 2
    for client, server in over_two.totals().values():
        assert client == server > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_reported_and_marked(demo, number):
    interrupted = demo("--users", "6", "--run-time", "60s")
    interrupted.wait_for_streams()
    family = interrupted.family()
    interrupted.process.send_signal(number)
    assert interrupted.wait() == 130
    assert interrupted.read("result.json")["run"]["interrupted"] is True
    assert "interrupted" in interrupted.output.read_text()
    assert (interrupted.run / "report.html").exists()
    assert "KeyboardInterrupt" not in (interrupted.run / "locust.log").read_text()
    for client, server in interrupted.totals().values():
        assert client == server
    assert len(family) == 2
    assert not [each for each in family if each.is_running()]


def test_a_second_interrupt_kills_everything_at_once(demo):
    killed = demo("--users", "6", "--run-time", "60s", "--processes", "2")
    killed.wait_for_streams()
    family = killed.family()
    killed.process.send_signal(signal.SIGINT)
    _wait(lambda: killed.said("Ending"))
    killed.process.send_signal(signal.SIGINT)
    assert killed.wait() == 130
    assert "Killed" in killed.errors.read_text()
    assert len(family) == 4
    _wait(lambda: not [each for each in family if each.is_running()])


def test_an_interrupt_before_any_stream_leaves_nothing(demo):
    early = demo("--users", "6")
    _wait(lambda: early.said("Starting the sample app"))
    early.process.send_signal(signal.SIGINT)
    assert early.wait() == 130
    assert list(early.results.iterdir()) == []
    assert "nothing to report" in early.errors.read_text()


def test_the_children_of_a_demo_that_is_killed_end_too(demo):
    killed = demo("--users", "4", "--run-time", "60s", "--processes", "2")
    killed.wait_for_streams()
    family = killed.family()
    killed.process.kill()
    killed.wait()
    _wait(lambda: not [each for each in family if each.is_running()])


def test_why_locust_ended_is_shown(demo, tmp_path):
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such river')\n")
    broken = demo("--locustfile", "broken.py", "--quiet")
    assert broken.wait() == 1
    errors = broken.errors.read_text()
    assert "no such river" in errors
    (log,) = broken.results.glob("demo-*-locust.log")
    assert str(log) in errors


def test_streams_that_fail_are_exit_status_1(demo, tmp_path):
    (tmp_path / "lost.py").write_text(
        "from locust import constant, task\n"
        "from streamgauge.load import StreamUser\n"
        "class Lost(StreamUser):\n"
        "    wait_time = constant(0.2)\n"
        "    @task\n"
        "    def lose(self):\n"
        "        self.play('/no/such/stream', protocol='sse')\n"
    )
    lost = demo("--locustfile", "lost.py", "--users", "1", "--run-time", "2s", "--quiet")
    assert lost.wait() == 1
    assert "http_error" in lost.output.read_text()
    assert lost.errors.read_text() == ""


def test_a_total_that_another_client_spoils_is_exit_status_3(demo):
    spoiled = demo("--users", "2", "--run-time", "4s")
    spoiled.wait_for_streams()
    app = spoiled.errors.read_text().partition("The sample app: ")[2].partition(",")[0]
    with urllib.request.urlopen(f"{app}/stream/sse?chunks=2&interval_ms=1", timeout=10) as stream:
        stream.read()
    assert spoiled.wait() == 3
    errors = spoiled.errors.read_text()
    assert "Not to be trusted" in errors
    assert "the server has 1 more" in errors


def test_an_app_that_dies_ends_the_run(demo):
    headless = demo("--users", "4", "--run-time", "60s")
    headless.wait_for_streams()
    (app,) = [each for each in headless.family() if "target_app" in each.cmdline()]
    app.kill()
    assert headless.wait() == 1
    assert "The app ended in mid-run" in headless.errors.read_text()
    assert (headless.run / "report.html").exists()


def test_the_web_interface_stays_open_until_ctrl_c(demo):
    web = demo("--users", "4", "--run-time", "2s", "--web")
    _wait(lambda: web.said("stays open at "))
    address = web.errors.read_text().partition("stays open at ")[2].partition(";")[0]
    with urllib.request.urlopen(address, timeout=10) as page:
        assert b"Locust" in page.read()
    assert "/stream/sse" in web.output.read_text()
    web.process.send_signal(signal.SIGINT)
    assert web.wait() == 0
    for client, server in web.totals().values():
        assert client == server > 0
