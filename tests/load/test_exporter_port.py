"""The port of the client metrics: who opens it, what cannot be had, and the wait for the last scrape."""

import contextlib
import re
import socket
import time
import urllib.error
import urllib.request

import pytest

STREAM = ("--stream-path", "/sse?chunks=9&interval_ms=20", "--stream-end", "event:done", "--metrics-host", "127.0.0.1")
LISTENING = re.compile(r"Client metrics at http://127\.0\.0\.1:(\d+)/metrics")
WAITING = "Waiting for a scrape of the last values"


def page(port, accept="*/*"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.headers["Content-Type"], reply.read().decode()


def value(text, metric):
    """The value of the only series of a metric; None where there is none."""
    found = re.findall(rf"^stream_client_{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return float(found[0]) if found else None


@pytest.fixture
def taken():
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


@pytest.fixture
def begin(start, source, until):
    """Starts a short headless run, and returns it with the free port that its metrics took, once they show chunks."""

    def run(*options, run_time="2s"):
        running = start.headless(
            source.url,
            *STREAM,
            "--metrics-port",
            0,
            *options,
            users=2,
            run_time=run_time,
            locustfile="loadtests/sse.py",
        )
        port = int(until(lambda: LISTENING.search(running.output), "the metrics' port is open")[1])
        return running, port

    return run


def test_free_port_is_named_and_gives_both_formats(begin, until):
    running, port = begin("--metrics-linger", 0)
    until(lambda: value(page(port)[1], "chunks_total"), "chunks are shown")
    assert page(port)[0].startswith("text/plain; version=0.0.4")
    kind, text = page(port, "application/openmetrics-text;version=1.0.0")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert running.wait().status == 0


def test_other_paths_are_not_found(begin):
    running, port = begin()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
    running.kill()


@pytest.mark.parametrize("distributed", [False, True], ids=["one process", "two workers"])
def test_a_port_that_was_asked_for_and_is_taken_is_an_error(start, source, taken, two_processes, distributed):
    options = (*STREAM, "--metrics-port", taken, *(two_processes() if distributed else ()))
    run = start.headless(source.url, *options, users=1, run_time="1s").wait()
    assert run.status == 2, run.output
    assert f"--metrics-port: cannot listen on 127.0.0.1:{taken}: Address already in use" in run.output
    assert "Traceback" not in run.output
    assert source.log().streams == []


def test_a_default_port_that_is_taken_costs_the_metrics_and_a_warning(start, source):
    try:
        blocker = socket.create_server(("127.0.0.1", 9102))
    except OSError:  # somebody else has it, which does as well
        blocker = contextlib.nullcontext()
    with blocker:
        run = start.headless(source.url, *STREAM, users=1, run_time="1s").wait()
    assert run.status == 0, run.output
    assert "No client metrics: --metrics-port: cannot listen on 127.0.0.1:9102" in run.output


@pytest.mark.parametrize(
    ("option", "wrong"),
    [("--metrics-port", "65536"), ("--metrics-linger", "soon")],
)
def test_a_value_that_is_wrong_is_named(start, source, option, wrong):
    run = start.headless(source.url, f"{option}={wrong}", users=1, run_time="1s").wait()
    assert run.status == 2, run.output
    assert option in run.output
    assert repr(wrong) in run.output
    assert "Traceback" not in run.output


def test_an_address_that_is_not_of_this_machine_is_an_error(start, source):
    options = ("--metrics-port", 0, "--metrics-host", "192.0.2.1")
    run = start.headless(source.url, *options, users=1, run_time="1s").wait()
    assert run.status == 2, run.output
    assert "cannot listen on 192.0.2.1:0" in run.output


def test_off_opens_no_port(start, source):
    run = start.headless(source.url, *STREAM, "--metrics-port", "off", users=1, run_time="1s").wait()
    assert run.status == 0, run.output
    assert "metrics" not in run.output.lower()


def test_workers_open_none(start, free_port, until, source):
    """Theirs are the master's: a port in the environment of all of them is only its."""
    port, master = free_port(), free_port()
    here = (*STREAM, "--metrics-port", port)
    worker = start("--worker", "--master-port", master, *here)
    bind = ("--master", "--expect-workers", 1, "--master-bind-host", "127.0.0.1", "--master-bind-port", master)
    running = start.headless(source.url, *bind, *here, users=1, run_time="1s")
    assert running.wait().status == 0, running.output
    assert worker.wait().status == 0, worker.output
    assert "Client metrics at" not in worker.output
    assert "Client metrics at" in running.output


def test_before_a_run_there_are_only_users_and_workers(start, until, free_port):
    web = ("--web-host", "127.0.0.1", "--web-port", free_port())
    running = start(*web, *STREAM, "--metrics-port", 0)
    port = int(until(lambda: LISTENING.search(running.output), "the metrics' port is open")[1])
    until(lambda: value(page(port)[1], "workers") == 1, "the process is counted")
    assert re.findall(r"^# TYPE (\w+)", page(port)[1], re.MULTILINE) == [
        "stream_client_users",
        "stream_client_workers",
        "process_start_time_seconds",
    ]
    running.kill()


def test_a_scraped_run_waits_for_its_last_scrape_and_no_longer(begin, until):
    running, port = begin()
    until(lambda: value(page(port)[1], "chunks_total"), "chunks are shown")
    until(lambda: WAITING in running.output, "it waits")
    text = page(port)[1]
    run = running.wait(10)
    assert run.status == 0, run.output
    assert value(text, "trust") is not None
    assert value(text, "active") == 0
    assert "Nobody scraped" not in run.output


def test_a_run_is_not_judged_by_its_first_seconds(begin, until):
    """In which the generator starts up: judged by them alone, many a good run would be called degraded."""
    running, port = begin("--metrics-linger", 0, run_time="60s")
    until(lambda: value(page(port)[1], "chunks_total"), "chunks are shown")
    started_s = value(page(port)[1], "run_start_timestamp_seconds")
    until(lambda: value(page(port)[1], "trust") is not None, "it is judged, under way", 40)
    assert time.time() - started_s > 14
    assert value(page(port)[1], "users") == 2
    running.kill()


def test_a_run_that_nobody_scrapes_does_not_wait(begin):
    running, _ = begin()
    assert WAITING not in running.wait().output


def test_a_wait_that_was_asked_for_needs_no_scrape_before_and_ends_in_time(begin):
    running, _ = begin("--metrics-linger", "1s")
    run = running.wait()
    assert run.status == 0, run.output
    assert "Nobody scraped the last values in 1 s" in run.output


def test_ctrl_c_ends_the_wait(begin, until):
    running, _ = begin("--metrics-linger", 600)
    until(lambda: WAITING in running.output, "it waits")
    running.interrupt()
    run = running.wait(10)
    assert run.status == 0, run.output
    assert "Traceback" not in run.output


def test_a_client_that_never_reads_its_answer_does_not_keep_others_from_theirs(begin, until):
    running, port = begin(run_time="4s")
    until(lambda: value(page(port)[1], "chunks_total"), "chunks are shown")
    with socket.create_connection(("127.0.0.1", port)) as idle, socket.create_connection(("127.0.0.1", port)) as stuck:
        idle.sendall(b"GET /metrics HTT")
        stuck.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert value(page(port)[1], "chunks_total") > 0
    running.kill()
