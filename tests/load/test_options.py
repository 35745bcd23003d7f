"""Options that are wrong end ``locust`` with exit status 2 and one sentence, and nothing is started.

What each option takes and refuses is in ``options/test_values.py`` and ``options/test_refused.py``.
"""

import pytest

HOST = ("-H", "http://127.0.0.1:9")
IDLE = "argument --stream-idle-timeout/--idle-timeout: expected a duration such as 30s, from 0 (no limit) to 1e+09 s"
BARE = "--host: expected a host without a query (?) or a fragment (#)"
SOCKETS = "--host: 'http+unix://%2Frun%2Fapp.sock' is a Unix socket already; give a host such as http://localhost for"
REFUSED = {
    "an option": (
        (*HOST, "--stream-idle-timeout=-1"),
        {},
        f"{IDLE}, got '-1'",
    ),
    "a variable": (
        HOST,
        {"LOCUST_STREAM_IDLE_TIMEOUT": "never"},
        f"{IDLE}, got 'never'",
    ),
    "options together": (
        (*HOST, "--stream-client-key", "README.md"),
        {},
        "--stream-client-cert, --stream-client-key: a client key ('README.md') needs a client certificate",
    ),
    "a host": (("-H", "example.org"), {}, "--host: expected a URL such as http://127.0.0.1:8000, got 'example.org'"),
    "a host with a query": (
        ("-H", "http://127.0.0.1:9/base?api-version=1"),
        {},
        f"{BARE}, got 'http://127.0.0.1:9/base?api-version=1': add it to the path",
    ),
    "a host with a fragment, as a variable": (
        (),
        {"LOCUST_HOST": "http://127.0.0.1:9/#/app"},
        f"{BARE}, got 'http://127.0.0.1:9/#/app': add it to the path",
    ),
    "a server name without an address": (
        ("--stream-server-name", "shop.test"),
        {},
        "--stream-server-name: expected --host with the address of 'shop.test', got none",
    ),
    "a socket for a host that is one": (
        ("-H", "http+unix://%2Frun%2Fapp.sock", "--unix-socket", "/run/app.sock"),
        {},
        f"{SOCKETS} --stream-unix-socket, --stream-connect-to or --stream-resolve",
    ),
    "no host": (
        ("-u", 3, "-r", 3),
        {},
        "--host: '/stream/sse' is a path, and no host is set: give --host, or a whole URL",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_run_is_refused(run_locust, what):
    options, variables, words = REFUSED[what]
    run = run_locust("loadtests/sse.py", "--headless", "-t", "600s", *options, variables=variables)
    assert run.status == 2, run.output
    assert run.output.count(f"error: {words}\n") == 1
    assert "Traceback" not in run.output
