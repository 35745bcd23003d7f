"""The reactor on gevent's hub: data that may wait is gathered while it comes fast, all other data is read at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.client.reactor import LONGEST_WAIT_S, WAITS_S

SCRIPTS = Path(__file__).parent / "locustfiles"


def said_by(script, *arguments):
    printed = subprocess.run(
        [sys.executable, SCRIPTS / script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(printed.stdout)


@pytest.fixture(scope="module")
def seen():
    return said_by("hub.py")


def test_the_loop_polls_seldom_while_data_that_may_wait_comes_fast(seen):
    waiting = seen["waiting"]
    assert waiting["gathering"] > waiting["passes"] / 2
    # One that finds what was gathered, one that finds nothing, and one that is woken: three in each interval at most.
    assert waiting["passes"] <= 3 * (waiting["took_s"] / LONGEST_WAIT_S + 1)


def test_data_waits_for_as_long_as_all_but_a_few_streams_allow(seen):
    assert seen["waiting"]["for_s"] == [LONGEST_WAIT_S]
    assert seen["not_few"]["for_s"] == seen["not_few_again"]["for_s"] == [0.005]


@pytest.mark.parametrize("when", ["few", "one_at_once", "one_ended"])
def test_a_few_that_allow_less_keep_no_others_from_waiting_longer(seen, when):
    assert seen[when]["for_s"] == [LONGEST_WAIT_S]


def test_a_stream_that_is_read_at_once_does_not_wait(seen):
    assert seen["read_at_once"]["gathering"] == 0


def test_a_stream_that_was_read_at_once_waits_again_after_a_time(seen):
    assert seen["read_at_once_long_ago"]["gathering"] > seen["read_at_once_long_ago"]["passes"] / 2


def test_a_young_stream_does_not_wait(seen):
    assert seen["young"]["gathering"] == 0


def test_data_that_may_not_wait_is_never_gathered(seen):
    assert seen["urgent"]["gathering"] == 0


def test_urgent_data_does_not_wait_for_data_that_is_gathered(seen):
    assert seen["without_a_pass"]["urgent"] > 0
    assert seen["without_a_pass"]["waiting"] == 0


def test_urgent_data_is_polled_for_in_a_part_of_its_own(seen):
    found = seen["without_a_pass"]
    assert found["urgent_in_a_part"] == found["urgent"]
    assert found["waiting_in_a_part"] == 0


def test_many_greenlets_in_a_row_do_not_keep_the_loop_from_polling(seen):
    assert seen["polls_among_many"] > 20


@pytest.mark.parametrize("period_s", [3 * WAITS_S[0], 3 * WAITS_S[1], 3 * WAITS_S[-1], 1.5 * WAITS_S[-1]])
def test_a_server_that_waits_for_acknowledgements_is_not_held_back(period_s):
    seen = said_by("held_back.py", str(period_s))
    assert (seen["outcome"], seen["lost"]) == ("completed", 0)
    assert seen["gathering"] > 0
    # Held back, each chunk would come when the one before was read, or many at once.
    assert seen["server_s"] / 2 < seen["client_s"] < 2 * seen["server_s"]
