"""What a quick run says at its end."""

from dataclasses import replace

import pytest

from streamgauge.quick_run.next_step import Asked, next_step
from streamgauge.quick_run.repeated_command import repeated, shown
from streamgauge.verdict.trust import verdict
from tests.stats.runs import run

ASKED = Asked(
    "http://a:1",
    users=10,
    run_time_s=10,
    processes=1,
    cores=4,
    rules=False,
    rate="",
    shape=False,
    recorded=False,
    saved=False,
    body=False,
)


def result(outcomes, reason="", *, chunks=100, protocol="sse", trust="trusted", exit_code=0, p99=0.0123, why=()):
    started = sum(outcomes.values())
    return {
        "run": {"duration_s": 10.0},
        "verdict": {"trust": trust, "exit_code": exit_code, "reasons": list(why)},
        "streams": [
            {
                "name": "x", "protocol": protocol, "started": started, "outcomes": outcomes, "chunks": chunks,
                "time_to_first_chunk": {"p99": p99},
                "bytes": 1, "stalls": 0, "reasons": {reason: started} if reason else {},
            }
        ],
    }  # fmt: skip


def said(outcomes, reason="", asked=ASKED, **more):
    return next_step(result(outcomes, reason, **more), asked)


@pytest.mark.parametrize(
    ("outcome", "reason", "words"),
    [
        ("connect_error", "Connection refused", "Nothing answers at http://a:1. Check that the service runs"),
        ("connect_error", "cannot resolve 'a': Name or service not known", "The host name in http://a:1 is not known"),
        ("connect_error", "TLS: certificate verify failed", "The server's certificate is not trusted"),
        ("connect_error", "TLS: wrong version number", "TLS failed at http://a:1. Check the scheme"),
        ("http_error", "status 401 Unauthorized", "status 401. The server asks for credentials"),
        ("http_error", "status 404 Not Found, body: x", "status 404. The server has nothing at this path"),
        ("http_error", "status 405 Method Not Allowed", "status 405. The server does not accept this method"),
        ("http_error", "status 418 I'm a teapot", "not with the format that was asked for"),
        ("http_error", "status 426 Upgrade Required", "status 426. This address is a WebSocket"),
        ("http_error", "status 429 Too Many Requests", "status 429: it is overloaded, or limits this client"),
        ("http_error", "status 500 Internal", "fails on every request, with status 500"),
        ("http_error", "content type application/json", "not with the format that was asked for"),
        ("stalled", "no chunk within 10 s", "sent nothing for too long"),
        ("truncated", "closed", "Every stream failed (truncated). Try one user"),
    ],
)
def test_streams_that_all_failed_are_explained(outcome, reason, words):
    assert words in said({outcome: 7}, f"{outcome}: {reason}").words


def test_a_body_that_is_no_stream_is_named():
    step = said({"completed": 5}, protocol="raw", chunks=5)
    assert step.words.startswith("This is no stream: each response came in one piece")
    assert "does it need a body (-d)" in step.words
    asked = replace(ASKED, body=True)
    assert '"stream": true' in next_step(result({"completed": 5}, protocol="raw", chunks=5), asked).words
    assert "It works" in said({"completed": 5}, protocol="raw", chunks=50).words


def test_streams_without_a_chunk_are_said_to_be_empty():
    for protocol in ("raw", "sse"):
        assert said({"completed": 5}, protocol=protocol, chunks=0).words.startswith("Every response was empty")


def test_a_service_that_is_reached_another_way_is_not_looked_for_at_its_url():
    asked = replace(ASKED, reached_by=("--unix-socket",))
    words = said({"connect_error": 7}, "connect_error: No such file or directory", asked).words
    assert "by way of --unix-socket. Check that the service runs, and what --unix-socket says" in words


def test_less_load_is_what_helps_where_streams_start_at_a_rate():
    some, asked = {"completed": 8, "http_error": 2}, replace(ASKED, rate="200/s", users=None)
    assert "Try less load" in said(some, asked=asked).words
    assert "Try fewer users" in said(some).words


def test_rules_of_a_file_are_rules_too():
    found = result({"completed": 100})
    found["verdict"]["slo"] = [{"rule": "failed == 0"}]
    assert "--rate" in next_step(found, replace(ASKED, users=100)).options


def test_a_silent_service_gets_more_time_than_it_had():
    step = said({"censored": 4}, chunks=0, asked=replace(ASKED, run_time_s=2))
    assert step.options == {"--run-time": "60s"}


def test_streams_without_an_end_are_told_how_to_end():
    assert said({"censored": 10}, chunks=1000).options == {"--end": "chunks:50"}
    recorded = replace(ASKED, recorded=True)
    assert said({"censored": 10}, chunks=1000, asked=recorded).options == {"--save": "session.py"}
    assert said({"censored": 10}, chunks=0, asked=replace(ASKED, run_time_s=30)).options == {"--run-time": "90s"}


def test_each_success_leads_a_step_further():
    steps, asked = [], ASKED
    for field, value in (("users", 100), ("rules", True), ("rate", "15/s"), ("saved", True), ("saved", True)):
        steps.append(next_step(result({"completed": 100}), asked).options)
        asked = replace(asked, **{field: value})
    assert steps == [
        {"--users": "100", "--run-time": "30s"},
        {"--slo": "time_to_first_chunk.p99 < 20ms"},
        {"--rate": "15/s"},
        {"--save": "load.py"},
        {},
    ]


def test_trouble_comes_before_success():
    assert said({"completed": 10}, trust="degraded").options == {"--run-time": "30s"}
    starved = result({"completed": 10}, trust="invalid", exit_code=3, why=["waited for a CPU"])
    assert next_step(starved, ASKED).options == {"--processes": "2"}
    assert next_step(starved, replace(ASKED, processes=4)).options == {"--users": "2"}
    assert said({"completed": 10}, exit_code=1).options == {"--users": "2"}
    assert said({"completed": 10}, exit_code=1, asked=replace(ASKED, rate="poisson:200/s")).options == {
        "--rate": "poisson:50/s"
    }
    assert said({"completed": 10}, exit_code=1, asked=replace(ASKED, shape=True)).options == {}
    assert said({"completed": 9, "truncated": 1}, "truncated: x").words.startswith("1 of 10 streams failed.")
    assert "429" in said({"completed": 9, "http_error": 1}, "http_error: status 429 Too Many").words


@pytest.mark.parametrize("fields", [{"late_starts": 400, "capped_starts": 400}, {"dropped_arrivals": 40}])
def test_arrivals_for_which_no_user_was_free_lead_to_a_lower_rate(fields):
    trust, why = verdict(run(scheduled_arrivals=1000, **fields))
    step = said({"completed": 10}, trust=trust, why=why, asked=replace(ASKED, rate="200/s", users=None))
    assert step.words.startswith("The service was slow at this rate")
    assert step.options == {"--rate": "50/s"}
    late = run(scheduled_arrivals=1000, late_starts=400)
    trust, why = verdict(late)
    step = said({"completed": 10}, trust=trust, why=why, asked=replace(ASKED, rate="200/s", users=None))
    assert step.words.startswith("The load generator lacked CPU")


def test_the_rate_of_streams_is_that_after_the_warm_up():
    found = result({"completed": 100})
    found["run"]["counted_s"] = 5.0
    assert next_step(found, replace(ASKED, users=100, rules=True)).options == {"--rate": "30/s"}


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    monkeypatch.setattr("sys.argv", ["streamgauge"])


@pytest.mark.parametrize(
    ("words", "options", "command"),
    [
        (["http://a?x=1&y", "-u", "3"], {"--users": "30"}, "streamgauge run 'http://a?x=1&y' -u 30"),
        (["-u3", "a", "--run-time=5s"], {"--users": "9", "--run-time": "9s"}, "streamgauge run a -u 9 -t 9s"),
        (["a", "--slo", "b < 1"], {"--slo": "c < 2"}, "streamgauge run a --slo 'b < 1' --slo 'c < 2'"),
        (["-k", "a"], {"--insecure": ""}, "streamgauge run a -k"),
        (["a", "--save", "x.py"], {"--users": "9"}, "streamgauge run a -u 9"),
        (["-t", "3s", "curl", "-u", "a:b", "x"], {"--run-time": "9s"}, "streamgauge run -t 9s curl -u a:b x"),
        (["a", "-d", "x" * 300], {"--users": "9"}, "the same command with -u 9"),
        (["curl", "x" * 300], {"--users": "9"}, "the same command with -u 9, before curl"),
    ],
)
def test_the_next_command_is_the_users_with_other_options(words, options, command):
    assert repeated(words, options, secret=False) == command


@pytest.mark.parametrize(
    ("typed", "on_path", "shown"),
    [
        (".venv/bin/streamgauge", None, ".venv/bin/streamgauge"),
        ("/opt/bin/streamgauge", "/usr/bin/streamgauge", "/opt/bin/streamgauge"),
        ("streamgauge", None, "streamgauge"),
        ("/opt/lib/streamgauge/__main__.py", None, "streamgauge"),
    ],
)
def test_the_next_command_starts_the_program_that_was_started(monkeypatch, typed, on_path, shown):
    monkeypatch.setattr("sys.argv", [typed, "run"])
    monkeypatch.setattr("shutil.which", lambda _: on_path)
    assert repeated(["a"], {"--users": "9"}, secret=False) == f"{shown} run a -u 9"


def test_a_program_on_the_path_needs_no_path(monkeypatch, tmp_path):
    (own := tmp_path / "streamgauge").touch()
    monkeypatch.setattr("sys.argv", [str(own)])
    monkeypatch.setattr("shutil.which", lambda _: str(own))
    assert repeated(["a"], {}, secret=False) == "streamgauge run a"


def test_what_opens_doors_is_not_repeated():
    words = ["http://u:pw@a", "-u", "3"]
    assert repeated(words, {"--users": "9"}, secret=True) == "the same command with -u 9"
    assert shown(words, secret=True) == "streamgauge run …"
    assert shown(["http://a", "-H", "Cookie: x"], secret=True) == "streamgauge run http://a …"
    assert shown(["http://a", "-H", "A: x"], secret=False) == "streamgauge run http://a -H 'A: x'"
    assert shown(["-u", "3", "http://a?token=x"], secret=True) == "streamgauge run -u 3 …"
