"""Demos that something ends before their time: an interrupt, a kill, the death of the app."""

import signal
from functools import partial

import pytest

pytestmark = pytest.mark.timeout(900)

#: Longer than any of them is let run.
ENDLESS = ("--run-time", "30m")


def _play_interrupted(number, playing, directory):
    with playing(directory, "--users", "6", *ENDLESS) as demo:
        demo.wait_for_streams()
        demo.interrupt(number)
    return demo


def _play_interrupted_twice(playing, directory):
    with playing(directory, "--users", "6", *ENDLESS, "--processes", "2") as demo:
        demo.wait_for_streams()
        demo.interrupt()
        demo.wait_for("Ending")
        demo.interrupt()
    return demo


def _play_interrupted_early(playing, directory):
    """A locustfile that is never read to its end starts no stream, however late the interrupt comes."""
    (directory / "slow.py").write_text("import time\ntime.sleep(600)\n")
    with playing(directory, "--users", "6", "--locustfile", "slow.py") as demo:
        demo.wait_for("Starting the sample app")
        demo.interrupt()
    return demo


def _play_killed(playing, directory):
    with playing(directory, "--users", "4", *ENDLESS, "--processes", "2") as demo:
        demo.wait_for_streams()
        demo.process.kill()
    return demo


def _play_without_an_app(playing, directory):
    with playing(directory, "--users", "4", *ENDLESS) as demo:
        demo.wait_for_streams()
        (app,) = [each for each in demo.then if "target_app" in each.cmdline()]
        app.kill()
    return demo


PLAYS = {
    "SIGINT": partial(_play_interrupted, signal.SIGINT),
    "SIGTERM": partial(_play_interrupted, signal.SIGTERM),
    "interrupted twice": _play_interrupted_twice,
    "interrupted early": _play_interrupted_early,
    "killed": _play_killed,
    "without an app": _play_without_an_app,
}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_is_reported_and_marked(played, name):
    interrupted = played(name)
    assert interrupted.wait() == 130
    assert interrupted.read("result.json")["run"]["interrupted"] is True
    assert "interrupted" in interrupted.output.read_text()
    assert (interrupted.run / "report.html").exists()
    assert "KeyboardInterrupt" not in (interrupted.run / "locust.log").read_text()
    for client, server in interrupted.totals().values():
        assert client == server
    assert len(interrupted.then) == 2
    assert not interrupted.survivors()


def test_a_second_interrupt_kills_everything_at_once(played):
    killed = played("interrupted twice")
    assert killed.wait() == 130
    assert "Killed" in killed.errors.read_text()
    assert len(killed.then) == 4
    killed.wait_for_survivors()


def test_an_interrupt_before_any_stream_leaves_nothing(played):
    early = played("interrupted early")
    assert early.wait() == 130
    assert list(early.results.iterdir()) == []
    assert "nothing to report" in early.errors.read_text()


def test_the_children_of_a_demo_that_is_killed_end_too(played):
    killed = played("killed")
    assert len(killed.then) == 4
    killed.wait_for_survivors()


def test_an_app_that_dies_ends_the_run(played):
    headless = played("without an app")
    assert headless.wait() == 1
    assert "The app ended during the run" in headless.errors.read_text()
    assert (headless.run / "report.html").exists()
