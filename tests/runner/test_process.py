"""Children: what they write, how they start, and what is said of one that fails."""

import subprocess
import sys

import pytest

from streamgauge.runner import process
from streamgauge.runner.interrupt import Interrupt, Interrupted
from streamgauge.runner.process import ChildError, Children

SLEEPS = "print('port 7', flush=True); import time; time.sleep(600)"


@pytest.fixture
def start(tmp_path):
    """Starts Python on a line of code."""
    with Children() as children:
        yield lambda code: children.start("It", [sys.executable, "-c", code], tmp_path / "it.log")


def port(child):
    return lambda: 7 if child.output == "port 7\n" else None


def test_a_child_is_ready_when_something_is_found(start):
    child = start(SLEEPS)
    assert child.until_ready(port(child), Interrupt()) == 7
    assert child.running


def test_a_child_that_ends_at_its_start_is_an_error_with_its_last_output(start):
    child = start("print('no such river'); raise SystemExit(5)")
    with pytest.raises(ChildError, match=r"^It ended while it started, with status 5$") as error:
        child.until_ready(lambda: None, Interrupt())
    assert error.value.last_output == "no such river"


def test_a_child_that_is_not_ready_in_time_is_an_error(start, monkeypatch):
    monkeypatch.setattr(process, "_START_S", 0.1)
    with pytest.raises(ChildError, match=r"^It began nothing within 0\.1 s$"):
        start(SLEEPS).until_ready(lambda: None, Interrupt(), "began nothing")


def test_the_users_wish_to_end_kills_a_child_that_starts(start):
    child, interrupt = start(SLEEPS), Interrupt()
    interrupt.requested = True
    with pytest.raises(Interrupted):
        child.until_ready(port(child), interrupt)
    assert not child.running


def test_a_child_that_does_not_end_by_itself_is_left_running(start):
    child = start(SLEEPS)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.1)
    assert child.running


def test_the_last_output_is_what_comes_before_the_epilogue(start):
    child = start("print('first', 'last', 'Type Name', 'table', sep='\\n')")
    child.epilogue = "\nType"
    assert child.wait(60) == 0
    assert child.tail(1) == "last"


def test_an_error_without_a_child_has_no_last_output():
    assert ChildError("why").last_output == ""
