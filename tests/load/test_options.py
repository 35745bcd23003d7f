"""Options that are wrong end ``locust`` with exit status 2 and one sentence, and nothing is started.

What each option takes and refuses is in ``options/test_values.py`` and ``options/test_refused.py``.
"""

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.runner.finished_run import run_locust

HOST = ("-H", "http://127.0.0.1:9")
REFUSED = {
    "an option": (
        (*HOST, "--idle-timeout=-1"),
        {},
        "argument --idle-timeout: expected a duration such as 30s, from 0 (no limit) to 1e+09 s, got '-1'",
    ),
    "a variable": (
        HOST,
        {"LOCUST_IDLE_TIMEOUT": "never"},
        "argument --idle-timeout: expected a duration such as 30s, from 0 (no limit) to 1e+09 s, got 'never'",
    ),
    "options together": (
        (*HOST, "--client-key", "README.md"),
        {},
        "--client-cert, --client-key: a client key ('README.md') needs a client certificate",
    ),
    "a host": (("-H", "example.org"), {}, "--host: expected a URL such as http://127.0.0.1:8000, got 'example.org'"),
    "no host": (
        ("-u", 3, "-r", 3),
        {},
        "--host: '/stream/sse' is a path, and no host is set: give --host, or a whole URL",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_run_is_refused(what):
    options, variables, words = REFUSED[what]
    run = run_locust("loadtests/sse.py", "--headless", "-t", "600s", *options, variables=variables, cwd=ROOT)
    assert run.status == 2, run.output
    assert run.output.count(f"error: {words}\n") == 1
    assert "Traceback" not in run.output
