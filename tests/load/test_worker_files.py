"""A file that an option names and a worker lacks: the master says which, and the worker streams nothing."""

import pytest

ELSEWHERE = """
import os
from loadtests.sse import SseListener
os.chdir("/")
"""


@pytest.mark.parametrize("lacking", [1, 2])
def test_a_file_that_a_worker_lacks_is_a_reason_of_the_verdict(start, recorder, free_port, tmp_path, lacking):
    port = free_port()
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text(ELSEWHERE)
    scenarios = [elsewhere] * lacking + ["loadtests/sse.py"] * (2 - lacking)
    for scenario in scenarios:
        start("--worker", "--master-port", port, locustfile=scenario)
    master = ("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", 2)
    stream = ("--stream-body", "@README.md", "--stream-path", "/events")
    run = start.headless(recorder.url, *master, *stream, users=2, run_time="4s", result_dir=tmp_path / "results").wait()
    reasons = [each for each in run.result["verdict"]["reasons"] if "--stream-body: cannot read 'README.md'" in each]
    assert len(reasons) == lacking
    assert all(run.output.count(reason) >= 1 for reason in reasons)
    assert run.result["verdict"]["trust"] == ("invalid" if lacking == 2 else "degraded")
    assert bool(recorder.requests) is (lacking == 1)
