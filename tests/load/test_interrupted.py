"""Runs that do not end as planned: Ctrl-C, and a worker that is killed."""

import signal

import psutil
import pytest

CHUNKS = 30
#: Streams of 1.5 s.
STREAM = ("--stream-path", f"/sse?chunks={CHUNKS - 1}&interval_ms=50", "--stream-end", "event:done")
USERS = 6


@pytest.fixture
def under_way(start, source, until, tmp_path):
    """Starts a run and returns it when all its users stream."""

    def begin(*options, users=USERS, run_time="30s"):
        running = start.headless(source.url, *STREAM, *options, users=users, run_time=run_time, result_dir=tmp_path)
        until(lambda: "All users spawned" in running.output, "all users are there")
        return running

    return begin


def connected(processes, source):
    port = int(source.url.rpartition(":")[2])
    return [to for each in processes for to in each.net_connections("tcp") if to.raddr and to.raddr.port == port]


def gone(processes):
    return not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_lets_streams_end_and_writes_what_there_is(under_way, two_processes, source, until, workers):
    running = under_way(*(two_processes() if workers > 1 else ()))
    children = running.children()
    assert len(children) == (workers if workers > 1 else 0)
    running.interrupt()
    run = running.wait()
    assert run.status == 0, run.output
    assert run.result["run"]["interrupted"]
    assert run.outcomes == {"completed": len(source.log().streams)}
    assert run.chunks == CHUNKS * run.outcomes["completed"]
    until(lambda: gone(children), "no process is left")
    assert "Traceback" not in run.output


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_censors_streams_that_outlive_the_stop_timeout(under_way, two_processes, source, workers):
    running = under_way("--stop-timeout", 0, *(two_processes() if workers > 1 else ()))
    running.interrupt()
    run = running.wait()
    assert run.outcomes["censored"] == USERS, run.output
    assert run.outcomes.total() == len(source.log().streams)
    assert run.result["run"]["interrupted"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_ctrl_c_cuts_short_the_streams_that_the_first_one_waits_for(
    under_way, two_processes, source, until, workers
):
    running = under_way(*(two_processes() if workers > 1 else ()))
    running.interrupt()
    until(lambda: "Ctrl-C cuts them short" in running.output, "it says what it waits for")
    running.interrupt()
    run = running.wait()
    assert run.outcomes == {"censored": USERS} == {"censored": len(source.log().streams)}, run.output
    assert run.status == (0 if run.chunks else 3), run.output  # a run that measured nothing cannot be trusted
    assert "Traceback" not in run.output


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_after_the_end_of_the_run_waits_for_the_streams_too(under_way, two_processes, source, until, workers):
    running = under_way(*(two_processes() if workers > 1 else ()), run_time="1s")
    until(lambda: "--run-time limit reached" in running.output, "the run time is over")
    running.interrupt()
    run = running.wait()
    assert run.outcomes == {"completed": USERS} == {"completed": len(source.log().streams)}, run.output
    assert run.status == 0, run.output


def test_ctrl_c_while_users_are_starting_starts_no_more_of_them_on_the_workers(
    start, two_processes, source, until, tmp_path
):
    options = ("--headless", "-H", source.url, "-u", 40, "-r", 8, "-t", "30s", *STREAM, *two_processes())
    running = start(*options, result_dir=tmp_path)
    until(lambda: connected(running.children(), source), "the first users stream")
    running.interrupt()
    run = running.wait()
    assert run.outcomes == {"completed": len(source.log().streams)}, run.output
    assert 0 < run.outcomes["completed"] < 40


def test_a_run_without_a_planned_end_is_not_interrupted_by_ctrl_c(under_way):
    running = under_way(run_time=None)
    running.interrupt()
    run = running.wait()
    assert run.status == 0, run.output
    assert not run.result["run"]["interrupted"]


def test_a_worker_that_is_killed_in_mid_run_is_in_the_verdict(under_way, two_processes, source, until):
    short = ("--stream-path", "/sse?chunks=9&interval_ms=50")
    running = under_way(*short, *two_processes(), run_time="5s")
    victim, survivor = running.children()
    until(lambda: "SSE " in running.output, "streams were reported")
    victim.send_signal(signal.SIGKILL)
    run = running.wait()
    assert run.result["verdict"]["trust"] != "trusted", run.output
    assert any("worker" in reason for reason in run.result["verdict"]["reasons"])
    assert 0 < run.outcomes["completed"] < len(source.log().streams)
    until(lambda: gone([survivor]), "no process is left")
    assert "Traceback" not in run.output
