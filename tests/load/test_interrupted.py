"""Runs that do not end as planned: Ctrl-C, and a worker that is killed."""

import signal
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest

from benchmarks.testbed.server import Server

CHUNKS, USERS = 30, 6
#: Streams of 1.5 s, of 5 s, and of 100 s, which are under way however late it is that something is done to them.
SHORT, MIDDLING, LONG = (
    ("--stream-path", f"/sse?chunks={chunks - 1}&interval_ms=50", "--stream-end", "event:done")
    for chunks in (CHUNKS, 100, 2000)
)
#: Runs at a time: they mostly wait.
AT_ONCE = 4
#: What Locust says where a worker was too busy to tell its master within 3 s that it lives; and how often at most a
#: play in which none is killed is played because of that.
LOST, TRIES = "failed to send heartbeat", 3


class UnderWay:
    """A run on a source of its own, about to be started."""

    def __init__(self, source, start, until, directory, distributed):
        self.until = until
        self._source, self._start, self._directory = source, start, directory
        self._distributed = distributed

    def begin(self, *options, users=USERS, rate=100, run_time="300s"):
        load = ("--headless", "-H", self._source.url, "-u", users, "-r", rate, *(("-t", run_time) if run_time else ()))
        self.running = self._start(*load, *options, *self._distributed, result_dir=self._directory)

    def stream(self, *options, **load):
        """Begin, and wait until all users stream."""
        self.begin(*options, **load)
        self.until(self.running.spawned, "all users are there")
        self.until(lambda: self.connections() == USERS, "all of them stream")
        self.children = self.running.children()

    def connections(self):
        return self.running.connected(self._source.url)

    def says(self, text):
        self.until(lambda: text in self.running.output, f"it says {text!r}")

    def end(self):
        """The run once it has ended, the source's log of it, and the processes that it had."""
        return SimpleNamespace(run=self.running.wait(), log=self._source.log(), children=getattr(self, "children", []))


def interrupted(it):
    it.stream(*SHORT)
    it.running.interrupt()
    return it.end()


def interrupted_and_impatient(it):
    it.stream(*LONG, "--stop-timeout", 0)
    it.running.interrupt()
    return it.end()


def interrupted_twice(it):
    it.stream(*LONG, "--stop-timeout", 600)
    it.running.interrupt()
    it.says("Ctrl-C cuts them short")
    it.running.interrupt()
    return it.end()


def interrupted_after_its_end(it):
    it.begin(*MIDDLING, "--stop-timeout", 60, run_time="3s")
    it.says("--run-time limit reached")
    it.running.interrupt()
    return it.end()


def interrupted_while_users_are_starting(it):
    it.begin(*SHORT, users=40, rate=2)
    it.until(it.connections, "the first users stream")
    it.running.interrupt()
    return it.end()


def interrupted_without_a_planned_end(it):
    it.stream(*SHORT, run_time=None)
    it.running.interrupt()
    return it.end()


def bereft_of_a_worker(it):
    it.stream("--print-stats", "--stream-path", "/sse?chunks=9&interval_ms=50")
    it.says("SSE ")  # streams were reported
    it.children[0].send_signal(signal.SIGKILL)
    it.says(LOST)
    it.running.child.ask_to_end()
    return it.end()


def bereft_of_all_workers(it):
    it.stream("--print-stats", "--stream-path", "/sse?chunks=9&interval_ms=50", run_time="600s")
    it.says("SSE ")
    for child in it.children:
        child.send_signal(signal.SIGKILL)
    return it.end()


BEREFT = (bereft_of_a_worker, bereft_of_all_workers)
#: By how many processes stream.
PLAYS = {
    1: (interrupted, interrupted_and_impatient, interrupted_twice, interrupted_after_its_end,
        interrupted_without_a_planned_end),
    2: (interrupted, interrupted_and_impatient, interrupted_twice, interrupted_after_its_end,
        interrupted_while_users_are_starting, *BEREFT),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(start, until, two_processes, tmp_path_factory):
    """How each play ended; what one raises is raised where it is asked for."""

    def perform(play, workers):
        for _ in range(TRIES):
            with Server() as source:
                distributed = two_processes() if workers > 1 else ()
                it = play(UnderWay(source, start, until, tmp_path_factory.mktemp("run"), distributed))
            if LOST not in it.run.output or play in BEREFT:
                break
        return it

    with ThreadPoolExecutor(AT_ONCE) as pool:
        plays = [(play, workers) for workers, those in PLAYS.items() for play in those]
        futures = {each: pool.submit(perform, *each) for each in plays}
    return lambda *play: futures[play].result()


def gone(processes):
    return not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_lets_streams_end_and_writes_what_there_is(ended, until, workers):
    it = ended(interrupted, workers)
    assert it.run.status == 0, it.run.output
    assert it.run.result["run"]["interrupted"]
    assert it.run.outcomes == {"completed": len(it.log.streams)}
    assert it.run.chunks == CHUNKS * it.run.outcomes["completed"]
    assert len(it.children) == (workers if workers > 1 else 0)
    until(lambda: gone(it.children), "no process is left")
    assert "Traceback" not in it.run.output


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_censors_streams_that_outlive_the_stop_timeout(ended, workers):
    it = ended(interrupted_and_impatient, workers)
    assert it.run.outcomes == {"censored": USERS} == {"censored": len(it.log.streams)}, it.run.output
    assert it.run.result["run"]["interrupted"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_ctrl_c_cuts_short_the_streams_that_the_first_one_waits_for(ended, workers):
    it = ended(interrupted_twice, workers)
    assert it.run.outcomes == {"censored": USERS} == {"censored": len(it.log.streams)}, it.run.output
    assert it.run.status == (0 if it.run.chunks else 3), it.run.output  # what measured nothing cannot be trusted
    assert "Traceback" not in it.run.output


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_after_the_end_of_the_run_waits_for_the_streams_too(ended, workers):
    it = ended(interrupted_after_its_end, workers)
    assert it.run.outcomes == {"completed": len(it.log.streams)}, it.run.output
    assert it.run.status == 0, it.run.output


def test_ctrl_c_while_users_are_starting_starts_no_more_of_them_on_the_workers(ended):
    it = ended(interrupted_while_users_are_starting, 2)
    assert it.run.outcomes == {"completed": len(it.log.streams)}, it.run.output
    assert 0 < it.log.connections < 40


def test_a_run_without_a_planned_end_is_not_interrupted_by_ctrl_c(ended):
    it = ended(interrupted_without_a_planned_end, 1)
    assert it.run.status == 0, it.run.output
    assert not it.run.result["run"]["interrupted"]


def test_a_worker_that_is_killed_in_mid_run_is_in_the_verdict(ended, until):
    it = ended(bereft_of_a_worker, 2)
    assert it.run.result["verdict"]["trust"] != "trusted", it.run.output
    assert any("worker" in reason for reason in it.run.result["verdict"]["reasons"])
    assert 0 < it.run.outcomes["completed"] < len(it.log.streams)
    until(lambda: gone(it.children), "no process is left")
    assert "Traceback" not in it.run.output


def test_a_run_that_loses_all_its_workers_ends_and_cannot_be_judged(ended):
    it = ended(bereft_of_all_workers, 2)
    assert (it.run.status, it.run.result["verdict"]["trust"]) == (3, "invalid"), it.run.output
    assert any("no other worker was left" in reason for reason in it.run.result["verdict"]["reasons"])
