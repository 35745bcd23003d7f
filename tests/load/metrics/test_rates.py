"""Rates of client metrics in a real Prometheus, over all that interrupts a count: no spike, nothing negative.

What the source logged of its sends is the truth. A scrape sees a chunk some seconds after its arrival: a slice of a
second has to end, and a worker has to report. Each of these waits may be as much longer as a process stood still.
"""

import json
import os
import re
import signal
import threading
import time
import urllib.parse
import urllib.request
from bisect import bisect_right
from datetime import datetime
from itertools import pairwise

import pytest

from benchmarks.testbed.server import Server

pytestmark = pytest.mark.timeout(600)

USERS = 4
#: Streams of half a second, and 50 chunks a second and user.
STREAM_PATH, END = "/sse?chunks=24&interval_ms=20", "event:done"
LOCUSTFILE = "tests/load/locustfiles/watched.py"
STOOD = re.compile(r"Stood still for (\S+) s")
#: What a scrape may lag behind a send, by how often processes wait on the way, and what they do there: the end of a
#: slice, a worker's report, its receipt, and the work itself.
LAG_S, WAITS = 1 + 3 + 1.5, 4
#: The value of a scrape is of up to so long after its time: a slower one fails.
SCRAPE_S = 1
#: The window of a rate, and how many scrapes it holds when none failed.
WINDOW_S, FULL = 6, 5
#: ``rate`` extends what it saw towards both ends of the window, by 1.1 times the mean interval of its samples at most.
EXTENDED = 1 + 2 * 1.1 / (FULL - 1)
TRUST = {"trusted": 2, "degraded": 1, "invalid": 0}


class Watched:
    """A Locust on a source of its own, with its metrics scraped."""

    def __init__(self, source, start, prometheus, free_port, directory, *options, workers):
        self.workers_wanted = workers
        self._source = source
        self._prometheus = prometheus
        self._web = free_port()
        self.url = source.__enter__().url
        port, master = free_port(), free_port()
        prometheus.scrape(port)
        self._labels = f'{{instance="127.0.0.1:{port}"}}'
        role = (
            "--master",
            "--expect-workers",
            workers,
            "--master-bind-host",
            "127.0.0.1",
            "--master-bind-port",
            master,
        )
        here = (
            "--metrics-port",
            port,
            "--metrics-host",
            "127.0.0.1",
            "--web-host",
            "127.0.0.1",
            "--web-port",
            self._web,
        )
        stream = ("-H", self.url, "-u", USERS, "--stream-path", STREAM_PATH, "--stream-end", END)
        self.running = start(
            *(role if workers else ()),
            *(*here, "--metrics-linger", 60, *stream, *options),
            locustfile=LOCUSTFILE,
            result_dir=directory,
        )
        theirs = [option for option in options if option == "--reset-stats"]  # Locust wants it on every process
        worker = ("--worker", "--master-port", master, *theirs)
        self.workers = [start(*worker, locustfile=LOCUSTFILE) for _ in range(workers)]

    def web(self, path, form=None):
        """What the web UI answers to a GET, or to a POST of a form."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self._web}{path}", data, timeout=30) as reply:
            return json.load(reply)

    def ready(self):
        """Whether the web UI answers, and all workers are there."""
        try:
            return len(self.web("/stats/requests").get("workers", [])) == self.workers_wanted
        except OSError:
            return False

    def values(self, expression):
        return [value for _, value in self._prometheus.query(expression.format(self._labels))]

    def samples(self, metric):
        """All samples of the only series that a metric has."""
        ((_, samples),) = self._prometheus.samples(f"stream_client_{metric}{self._labels}[30m]")
        return samples

    def rates(self, metric):
        """The rate at every second of the samples, by time, where no scrape of its window failed."""
        samples = self.samples(metric)
        span = {"start": samples[0][0] + 1, "end": samples[-1][0], "step": 1}
        window = f"(stream_client_{metric}{self._labels}[{WINDOW_S}s])"
        expression = f"rate{window} and count_over_time{window} >= {FULL}"
        found = self._prometheus.ask("query_range", query=expression, **span)["result"]
        return [(t, float(rate)) for each in found for t, rate in each["values"]]

    @property
    def lag_s(self):
        """What a scrape may lag behind: the processes themselves say for how long they stood still."""
        said = [float(stood) for each in (self.running, *self.workers) for stood in STOOD.findall(each.output)]
        noted = [result["generator"]["longest_pause_s"] for result in self.running.results]
        return LAG_S + WAITS * max(said + noted)

    def counted(self):
        """Chunks of all results so far."""
        return sum(streams["chunks"] for result in self.running.results for streams in result["streams"])

    def end(self):
        """Let Locust end, and keep what the source sent and when, in Unix time."""
        self.running.child.ask_to_end()
        self.running.wait()
        shift_s = time.time() - time.monotonic()
        self.sends_s = sorted(ns / 1e9 + shift_s for stream in self._source.log().streams for ns in stream)
        return self


def seen(it, until, chunks):
    """Wait until Prometheus has seen so many chunks more."""
    before = (it.values("stream_client_chunks_total{}") or [0])[0]
    until(lambda: it.values("stream_client_chunks_total{}") > [before + chunks], "Prometheus sees chunks")


def reset_while_starting(begin, until):
    """``--reset-stats``: the reset comes when all users are there."""
    it = begin("--headless", "-r", 1, "--reset-stats")
    until(it.running.spawned, "all users are there")
    seen(it, until, 1000)
    return it.end()


def two_runs_in_the_web_ui(begin, until):
    """A run that is stopped, and another one in the same process."""
    it = begin()
    until(it.ready, "Locust is ready")
    for number in (1, 2):
        assert it.web("/swarm", {"user_count": USERS, "spawn_rate": 100, "host": it.url})["success"]
        seen(it, until, 500)
        it.web("/stop", {})
        until(lambda number=number: len(it.running.results) == number, "the result is written")
        until(lambda: it.values("stream_client_chunks_total{}") == [it.counted()], "the last value was scraped")
    return it.end()


def a_worker_is_killed(begin, until):
    """``kill -9`` in mid-run."""
    it = begin("--headless", "-r", 100)
    until(lambda: it.values("stream_client_workers{}") == [2], "Prometheus sees two workers")
    seen(it, until, 300)
    os.kill(it.workers[0].child.pid, signal.SIGKILL)
    until(lambda: it.values("stream_client_workers{}") == [1], "Prometheus sees that one is gone")
    seen(it, until, 500)
    return it.end()


CASES = {
    "reset, one process": (reset_while_starting, 0),
    "reset, two workers": (reset_while_starting, 2),
    "two runs, one process": (two_runs_in_the_web_ui, 0),
    "two runs, two workers": (two_runs_in_the_web_ui, 2),
    "a worker is killed": (a_worker_is_killed, 2),
}


@pytest.fixture(scope="module")
def cases(start, prometheus, free_port, until, tmp_path_factory):
    """All cases at once: they mostly wait. What one raises is raised where it is asked for."""
    found, opened = {}, []

    def play(name, script, workers):
        def begin(*options):
            source = Server()
            opened.append(source)
            directory = tmp_path_factory.mktemp("results")
            return Watched(source, start, prometheus, free_port, directory, *options, workers=workers)

        try:
            found[name] = script(begin, until)
        except BaseException as error:  # pytest.fail's own is no Exception
            found[name] = error

    threads = [threading.Thread(target=play, args=(name, *case)) for name, case in CASES.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield found
    for source in opened:
        source.end()


@pytest.fixture
def case_of(cases):
    def find(name):
        if isinstance(found := cases[name], BaseException):
            raise found
        return found

    return find


@pytest.fixture(params=CASES)
def case(request, case_of):
    return case_of(request.param)


def sent(case, from_s, to_s):
    """How many chunks the source sent in between."""
    return bisect_right(case.sends_s, to_s) - bisect_right(case.sends_s, from_s)


def test_the_counter_never_falls_and_never_grows_by_more_than_was_sent(case):
    samples, lag_s = case.samples("chunks_total"), case.lag_s
    assert len(samples) >= FULL
    for (before_s, before), (now_s, now) in pairwise(samples):
        assert 0 <= now - before <= sent(case, before_s - lag_s, now_s + SCRAPE_S)


def test_the_rate_is_never_negative_and_has_no_spike(case):
    rates, lag_s = case.rates("chunks_total"), case.lag_s
    assert rates
    for now_s, rate in rates:
        most = EXTENDED * sent(case, now_s - WINDOW_S - lag_s, now_s + SCRAPE_S)
        assert 0 <= rate * WINDOW_S <= most


def test_the_last_scrape_has_all_that_the_results_have(case):
    """And what a reset takes out of a result: a counter counts what was, from first to last."""
    counted = case.counted()
    (last,) = case.values("last_over_time(stream_client_chunks_total{}[30m])")
    if "--reset-stats" in case.running.child.command:
        assert counted < last == len(case.sends_s)
    else:
        assert counted == last <= len(case.sends_s)


@pytest.mark.parametrize("name", ["two runs, one process", "two runs, two workers"])
def test_each_run_is_what_the_counter_grew_by(case_of, name):
    case = case_of(name)
    at_s = [datetime.fromisoformat(result["run"]["started_at"]).timestamp() for result in case.running.results]
    chunks = [sum(streams["chunks"] for streams in result["streams"]) for result in case.running.results]
    until_second = [value for t, value in case.samples("chunks_total") if t < at_s[1]]
    assert until_second[-1] == chunks[0]
    assert case.samples("chunks_total")[-1][1] == sum(chunks) == len(case.sends_s)
    assert len(case.values("count by (run_id) (last_over_time(stream_client_run_info{}[30m]))")) == 2


def test_a_worker_that_is_killed_leaves_its_counts_and_takes_its_active_streams_along(case_of):
    case = case_of("a worker is killed")
    workers = [value for _, value in case.samples("workers")]
    assert max(workers) == 2
    assert 1 in workers[workers.index(2) :]
    assert max(value for _, value in case.samples("active")) <= USERS
    assert case.samples("active")[-1][1] == 0
    assert len(case.values("last_over_time(stream_client_generator_lag_seconds_count{}[30m])")) == 2
    verdict = case.running.results[-1]["verdict"]
    assert verdict["trust"] != "trusted"
    assert case.values("last_over_time(stream_client_trust{}[30m])") == [TRUST[verdict["trust"]]]
