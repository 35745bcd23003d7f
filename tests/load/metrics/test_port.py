"""The port of the client metrics: who opens it, what cannot be had, and the wait for the last scrape."""

import re
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.testbed.server import Server

STREAM = ("--stream-path", "/sse?chunks=9&interval_ms=20", "--stream-end", "event:done")
LISTENING = re.compile(r"Client metrics at http://127\.0\.0\.1:(\d+)/metrics")
WAITING = "for a scrape of the final values"
#: Runs at a time: they mostly wait.
AT_ONCE = 4


def page(port, accept="*/*"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.headers["Content-Type"], reply.read().decode()


def value(text, metric):
    """The value of the only series of a metric; None where there is none."""
    found = re.findall(rf"^stream_client_{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return float(found[0]) if found else None


class Scraped:
    """A run on a source of its own, about to be started, and the port of its metrics."""

    def __init__(self, source, start, until, two_processes, free_port):
        self.until, self.two_processes, self.free_port = until, two_processes, free_port
        self.source, self.start = source, start

    def run(self, *options, run_time="300s", users=2):
        """Start a headless run."""
        self.running = self.start.headless(self.source.url, *options, users=users, run_time=run_time)
        return self.running

    def begin(self, *options, **load):
        """Start one whose metrics take a free port, and wait until that is open."""
        self.run(*STREAM, "--metrics-port", 0, *options, **load)
        self.port = int(self.until(lambda: LISTENING.search(self.running.output), "the metrics' port is open")[1])

    def value(self, metric):
        return value(page(self.port)[1], metric)

    def show(self, *options):
        """Begin a run that goes on until it is stopped, and wait until its metrics show chunks."""
        self.begin(*options)
        self.until(lambda: self.value("chunks_total"), "chunks are shown")

    def waits(self):
        self.until(lambda: WAITING in self.running.output, "it waits")


def in_both_formats(it):
    it.show("--metrics-linger", 0)
    pages = page(it.port), page(it.port, "application/openmetrics-text;version=1.0.0")
    return pages, it.running.stop()


def at_another_path(it):
    it.begin()
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.urlopen(f"http://127.0.0.1:{it.port}/", timeout=60)
    it.running.stop()
    with found.value as answer:
        return answer.code


def where_the_port_is_taken(it, workers=()):
    with socket.create_server(("127.0.0.1", 0)) as blocker:
        port = blocker.getsockname()[1]
        return port, it.run(*STREAM, "--metrics-port", port, *workers).wait(), it.source.log()


def where_the_port_is_taken_from_a_master(it):
    return where_the_port_is_taken(it, it.two_processes())


def blocker():
    """The default port; None while somebody else has it."""
    try:
        return socket.create_server(("127.0.0.1", 9102))
    except OSError:
        return None


def where_the_default_port_is_taken(it):
    with it.until(blocker, "the default port is to be had"):
        return it.run(*STREAM, run_time="2s").wait()


def with_a_wrong_port(it):
    return it.run("--metrics-port=65536").wait()


def with_a_wrong_wait(it):
    return it.run("--metrics-linger=soon").wait()


def at_an_address_of_another_machine(it):
    return it.run("--metrics-port", 0, "--metrics-host", "192.0.2.1").wait()


def without_metrics(it):
    return it.run(*STREAM, "--metrics-port", "off", run_time="2s").wait()


def with_a_worker_beside(it):
    port, master = it.free_port(), it.free_port()
    here = (*STREAM, "--metrics-port", port)
    worker = it.start("--worker", "--master-port", master, *here)
    bind = ("--master", "--expect-workers", 1, "--master-bind-host", "127.0.0.1", "--master-bind-port", master)
    return it.run(*bind, *here, users=1, run_time="3s").wait(), worker.wait()


def before_any_run(it):
    web = ("--web-host", "127.0.0.1", "--web-port", it.free_port())
    running = it.start(*web, *STREAM, "--metrics-port", 0)
    port = int(it.until(lambda: LISTENING.search(running.output), "the metrics' port is open")[1])
    it.until(lambda: value(page(port)[1], "workers") == 1, "the process is counted")
    text = page(port)[1]
    running.kill()
    return text


def scraped(it):
    it.show()
    it.running.child.ask_to_end()
    it.waits()
    return page(it.port)[1], it.running.wait()


def judged_under_way(it):
    """When it was judged, in seconds since its start, and its users."""
    it.show("--metrics-linger", 0)
    started_s = it.value("run_start_timestamp_seconds")
    it.until(lambda: it.value("trust") is not None, "it is judged, under way")
    found = time.time() - started_s, it.value("users")
    it.running.stop()
    return found


def scraped_by_nobody(it):
    it.begin(run_time="2s")
    return it.running.wait()


def told_to_wait(it):
    it.begin("--metrics-linger", "1s", run_time="2s")
    return it.running.wait()


def interrupted_while_it_waits(it):
    it.begin("--metrics-linger", 600, run_time="2s")
    it.waits()
    it.running.interrupt()
    return it.running.wait()


def beside_clients_that_do_not_read(it):
    it.show()
    here = ("127.0.0.1", it.port)
    with socket.create_connection(here) as idle, socket.create_connection(here) as stuck:
        idle.sendall(b"GET /metrics HTT")
        stuck.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        found = it.value("chunks_total")
    it.running.kill()
    return found


#: The one that takes longest is first.
PLAYS = (
    judged_under_way, in_both_formats, at_another_path, where_the_port_is_taken, where_the_port_is_taken_from_a_master,
    where_the_default_port_is_taken, with_a_wrong_port, with_a_wrong_wait, at_an_address_of_another_machine,
    without_metrics, with_a_worker_beside, before_any_run, scraped, scraped_by_nobody, told_to_wait,
    interrupted_while_it_waits, beside_clients_that_do_not_read,
)  # fmt: skip


@pytest.fixture(scope="module")
def played(start, until, two_processes, free_port):
    """What each play came to; what one raises is raised where it is asked for."""

    def perform(play):
        with Server() as source:
            return play(Scraped(source, start, until, two_processes, free_port))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {play: pool.submit(perform, play) for play in PLAYS}
    return lambda play: futures[play].result()


def test_free_port_is_named_and_gives_both_formats(played):
    (text, openmetrics), run = played(in_both_formats)
    assert text[0].startswith("text/plain; version=0.0.4")
    assert openmetrics[0].startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics[1].endswith("# EOF\n")
    assert run.status == 0, run.output


def test_other_paths_are_not_found(played):
    assert played(at_another_path) == 404


@pytest.mark.parametrize("play", [where_the_port_is_taken, where_the_port_is_taken_from_a_master])
def test_a_port_that_was_asked_for_and_is_taken_is_an_error(played, play):
    taken, run, log = played(play)
    assert run.status == 2, run.output
    assert f"--metrics-port: cannot listen on 127.0.0.1:{taken}: Address already in use" in run.output
    assert "Traceback" not in run.output
    assert log.streams == []


def test_a_default_port_that_is_taken_costs_the_metrics_and_a_warning(played):
    run = played(where_the_default_port_is_taken)
    assert run.status == 0, run.output
    assert "No client metrics: --metrics-port: cannot listen on 127.0.0.1:9102" in run.output


@pytest.mark.parametrize(
    ("play", "option", "wrong"),
    [(with_a_wrong_port, "--metrics-port", "65536"), (with_a_wrong_wait, "--metrics-linger", "soon")],
)
def test_a_value_that_is_wrong_is_named(played, play, option, wrong):
    run = played(play)
    assert run.status == 2, run.output
    assert option in run.output
    assert repr(wrong) in run.output
    assert "Traceback" not in run.output


def test_an_address_that_is_not_of_this_machine_is_an_error(played):
    run = played(at_an_address_of_another_machine)
    assert run.status == 2, run.output
    assert "cannot listen on 192.0.2.1:0" in run.output


def test_off_opens_no_port(played):
    run = played(without_metrics)
    assert run.status == 0, run.output
    assert "metrics" not in run.output.lower()


def test_workers_open_none(played):
    """Theirs are the master's: a port in the environment of all of them is only its."""
    run, worker = played(with_a_worker_beside)
    assert run.status == 0, run.output
    assert worker.status == 0, worker.output
    assert "Client metrics at" not in worker.output
    assert "Client metrics at" in run.output


def test_before_a_run_there_are_only_users_and_workers(played):
    found = re.findall(r"^# TYPE (stream_\w+)", played(before_any_run), re.MULTILINE)
    assert found == ["stream_client_users", "stream_client_workers", "stream_client_names_left_out"]


def test_a_scraped_run_waits_for_its_last_scrape_and_no_longer(played):
    text, run = played(scraped)
    assert run.status == 0, run.output
    assert (value(text, "trust") is None, value(text, "active")) == (False, 0)
    assert f"up to 15 s {WAITING};" in run.output
    assert "not scraped within" not in run.output


def test_a_run_is_not_judged_by_its_first_seconds(played):
    """In which the generator starts up: judged by them alone, many a good run would be called degraded."""
    judged_s, users = played(judged_under_way)
    assert judged_s > 14
    assert users == 2


def test_a_run_that_nobody_scrapes_or_that_is_to_wait_0_seconds_does_not_wait(played):
    ended = played(scraped_by_nobody), played(in_both_formats)[1]
    assert not any(WAITING in run.output for run in ended)


def test_a_wait_that_was_asked_for_needs_no_scrape_before_and_ends_in_time(played):
    run = played(told_to_wait)
    assert run.status == 0, run.output
    assert "The final values were not scraped within 1 s; raise --metrics-linger" in run.output


def test_ctrl_c_ends_the_wait(played):
    run = played(interrupted_while_it_waits)
    assert run.status == 0, run.output
    assert "Traceback" not in run.output


def test_a_client_that_never_reads_its_answer_does_not_keep_others_from_theirs(played):
    assert played(beside_clients_that_do_not_read) > 0
