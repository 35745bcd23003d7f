"""Demos that run to their end."""

import http.client
import re
import socket
import time
import urllib.request
from contextlib import ExitStack, suppress

import pytest

pytestmark = pytest.mark.timeout(900)

TOTALS = ("streams finished", "chunks", "bytes")


def _play_with_busy_ports(playing, directory):
    """Begun while its usual ports were busy."""
    with ExitStack() as stack:
        for port in (8000, 9101):
            with suppress(OSError):  # then another process has it, which is as good
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        with playing(directory, "--users", "12", "--run-time", "6s", own_ports=False) as demo:
            demo.wait()
    return demo


def _play_two_processes(playing, directory):
    with playing(directory, "--users", "8", "--run-time", "4s", "--processes", "2") as demo:
        return demo


def _play_broken(playing, directory):
    (directory / "broken.py").write_text("raise RuntimeError('no such river')\n")
    with playing(directory, "--locustfile", "broken.py", "--quiet") as demo:
        return demo


def _play_failing(playing, directory):
    (directory / "lost.py").write_text(
        "from locust import constant, task\n"
        "from streamgauge.load import StreamUser\n"
        "class Lost(StreamUser):\n"
        "    wait_time = constant(0.2)\n"
        "    @task\n"
        "    def lose(self):\n"
        "        self.play('/no/such/stream', protocol='sse')\n"
    )
    with playing(directory, "--locustfile", "lost.py", "--users", "1", "--run-time", "2s", "--quiet") as demo:
        return demo


def _play_spoiled(playing, directory):
    """Another client asks the app for streams, again and again."""
    with playing(directory, "--users", "2", "--run-time", "3s") as demo:
        demo.wait_for("Starting Locust")
        app = demo.errors.read_text().partition("sample app ")[2].partition(",")[0]
        while demo.process.poll() is None:
            ends_with_the_demo = suppress(OSError, http.client.HTTPException)
            with ends_with_the_demo, urllib.request.urlopen(f"{app}/stream/sse?chunks=2&interval_ms=1") as stream:
                stream.read()
            time.sleep(0.1)
    return demo


def _play_web(playing, directory):
    with playing(directory, "--users", "4", "--run-time", "2s", "--web") as demo:
        demo.wait_for("stays open at ")
        address = demo.errors.read_text().partition("stays open at ")[2].partition(";")[0]
        with urllib.request.urlopen(address, timeout=60) as page:
            demo.page = page.read()
        demo.interrupt()
    return demo


THIEF = """
import subprocess, sys, time
from pathlib import Path
from loadtests.sse import SseListener

taken = Path("taken")
if not taken.exists():
    port = sys.argv[sys.argv.index("--web-port") + 1]
    hold = f'''
import os, socket, time
with socket.create_server(("127.0.0.1", {port})):
    open("taken", "w").close()
    while os.path.exists("taken"):
        time.sleep(0.1)
'''
    subprocess.Popen([sys.executable, "-c", hold], start_new_session=True)
    while not taken.exists():
        time.sleep(0.05)
"""


def _play_robbed(playing, directory):
    """Somebody takes the port of the web UI after it was chosen and before Locust listens."""
    (directory / "thief.py").write_text(THIEF)
    options = ("--users", "2", "--run-time", "1s", "--web", "--locustfile", "thief.py")
    try:
        with playing(directory, *options, own_ports=False) as demo:
            demo.wait_for("stays open at ")
            demo.interrupt()
        return demo
    finally:
        (directory / "taken").unlink(missing_ok=True)


PLAYS = {
    "robbed": _play_robbed,
    "busy ports": _play_with_busy_ports,
    "two processes": _play_two_processes,
    "broken": _play_broken,
    "failing": _play_failing,
    "spoiled": _play_spoiled,
    "web": _play_web,
}


@pytest.fixture
def done(played):
    """A demo that ran to its end, begun while its usual ports were busy."""
    return played("busy ports")


def test_a_run_passes(done):
    assert done.wait() == done.status_without_failures(), done.output.read_text() + done.errors.read_text()
    assert done.read("result.json")["verdict"]["exit_code"] == done.status_without_failures()


def test_the_clients_totals_are_the_servers(done):
    totals = done.totals()
    assert set(totals) == set(TOTALS)
    for client, server in totals.values():
        assert client == server > 0


def test_a_run_leaves_its_files(done):
    files = {each.name for each in done.run.iterdir()}
    assert files == {
        "result.json", "report.html", "server.json", "streams.csv", "timeline.csv", "timeline.ndjson", "app.log",
        "locust.log",
    }  # fmt: skip
    assert [each.name for each in done.results.iterdir()] == [done.run.name]


def test_the_report_shows_the_servers_view(done):
    assert "The server's own view" in (done.run / "report.html").read_text()


def test_standard_output_holds_the_table_and_the_paths_alone(done):
    output = done.output.read_text()
    assert "/stream/sse" in output
    assert f"results/{done.run.name}/report.html" in output
    assert "Starting" not in output
    assert "\x1b" not in output


def test_addresses_are_said_to_last_as_long_as_the_demo(done):
    errors = done.errors.read_text()
    assert re.search(
        r"^sample app http://127.0.0.1:\d+, its metrics http://\S+ \(until the demo ends\)$", errors, re.MULTILINE
    )
    assert errors.rstrip().rpartition("\n")[2].startswith("The sample app has ended.")


def test_progress_is_told_in_lines_where_there_is_no_terminal(done):
    errors = done.errors.read_text()
    assert re.search(r"of 6 s, (running|waiting for streams to end): users 12, streams active", errors)
    assert "\x1b" not in errors


def test_busy_usual_ports_are_replaced_and_named(done):
    errors = done.errors.read_text()
    assert "port 8000 (app) is busy" in errors
    assert "port 9101 (app's metrics) is busy" in errors
    assert "127.0.0.1:8000" not in errors


def test_a_busy_port_that_was_asked_for_is_an_error(playing, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        with playing(tmp_path, "--app-port", port, own_ports=False) as busy:
            assert busy.wait() == 2
    assert f"--app-port {port}: the port is busy" in busy.errors.read_text()


def test_totals_agree_over_two_processes(played):
    over_two = played("two processes")
    assert over_two.wait() == over_two.status_without_failures(), over_two.errors.read_text()
    assert over_two.read("result.json")["run"]["workers"] == 2
    for client, server in over_two.totals().values():
        assert client == server > 0


def test_why_locust_ended_is_shown(played):
    broken = played("broken")
    assert broken.wait() == 1
    errors = broken.errors.read_text()
    assert "no such river" in errors
    (log,) = broken.results.glob("demo-*-locust.log")
    assert str(log) in errors


def test_streams_that_fail_are_exit_status_1(played):
    lost = played("failing")
    assert lost.wait() == (lost.status_without_failures() or 1)
    assert "http_error" in lost.output.read_text()
    assert lost.errors.read_text() == ""


def test_a_total_that_another_client_spoils_is_exit_status_3(played):
    spoiled = played("spoiled")
    assert spoiled.wait() == 3
    errors = spoiled.errors.read_text()
    assert "Not to be trusted" in errors
    assert re.search(r"the server has \d+ more", errors)


def test_the_web_interface_stays_open_until_ctrl_c(played):
    web = played("web")
    assert b"Locust" in web.page
    assert "/stream/sse" in web.output.read_text()
    assert web.wait() == web.status_without_failures()
    for client, server in web.totals().values():
        assert client == server > 0


def test_a_port_that_is_taken_before_locust_listens_gives_way_to_another(played):
    robbed = played("robbed")
    assert robbed.wait() == robbed.status_without_failures()
    said = robbed.errors.read_text()
    assert "(Locust's web UI) is busy" in said
    assert said.count("stays open at ") == 1
    assert sum(robbed.read("result.json")["streams"][0]["outcomes"].values()) >= 1
