"""Streams that fail, as Locust's tables and the result have them."""

import re

import pytest

from benchmarks.testbed.server import Server

CUT_AFTER = 3


@pytest.fixture(scope="module")
def cut(start, tmp_path_factory):
    """A run whose streams are all cut inside their bodies, and the source's log."""
    directory = tmp_path_factory.mktemp("cut")
    stream = ("--stream-path", f"/sse?chunks=10&interval_ms=20&cut={CUT_AFTER}", "--stream-end", "event:done")
    with Server() as source:
        run = start.headless(source.url, *stream, users=2, run_time="2s", result_dir=directory).wait()
        return run, source.log()


def test_a_stream_that_is_cut_inside_its_body_is_truncated(cut):
    run, log = cut
    assert run.outcomes == {"truncated": len(log.streams)}
    assert run.chunks == log.chunks == CUT_AFTER * len(log.streams)


def test_it_fails_the_run(cut):
    run, _ = cut
    assert run.status == 1
    assert run.result["verdict"]["exit_code"] == 1


def test_it_is_one_failed_request_in_locusts_table(cut):
    run, log = cut
    last = re.findall(r"^SSE +/sse +(\d+) +(\d+)\(100.00%\)", run.output, re.MULTILINE)[-1]
    assert last == (str(len(log.streams)),) * 2


def test_its_reason_is_in_locusts_report_of_errors_and_in_the_result(cut):
    run, log = cut
    ((reason, times),) = run.result["streams"][0]["reasons"].items()
    assert reason.startswith("truncated: ")
    assert times == len(log.streams)
    assert f"SSE /sse: StreamFailed({reason!r})" in run.output
