"""What a quick run says at its end."""

from dataclasses import replace

import pytest

from streamgauge.quick_run.next_step import Asked, Step, next_step
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


REFUSED = "The server refuses every request with status"
NO_FORMAT = (
    "The server answers, but not with the format that was asked for. Leave out --protocol to take the format from the "
    "response."
)
QUIET = (
    "The service accepted the requests and then sent nothing for too long. If its streams may be quiet for that long,"
)
ONE_USER, FEWER = {"--users": "1"}, {"--users": "2"}


@pytest.mark.parametrize(
    ("outcome", "reason", "words", "options"),
    [
        ("connect_error", "TLS: certificate expired",
         "The server's certificate is not trusted. For a test server, accept any certificate:", {"--insecure": ""}),
        ("connect_error", "TLS: self-signed",
         "The server's certificate is not trusted. For a test server, accept any certificate:", {"--insecure": ""}),
        ("http_error", "status 429", f"{REFUSED} 429: it is overloaded, or limits this client.", FEWER),
        ("http_error", "status 503", f"{REFUSED} 503: it is overloaded, or limits this client.", FEWER),
        ("http_error", "status 504", "The server fails on every request, with status 504. Its log says why.", {}),
        ("http_error", "status 300",
         "The server redirects in a circle, or too often (status 300). Use the URL that it leads to.", {}),
        ("http_error", "status 308",
         "The server redirects in a circle, or too often (status 308). Use the URL that it leads to.", {}),
        ("http_error", "status 402", NO_FORMAT, {}),
        ("http_error", "content type text/html", NO_FORMAT, {}),
        ("truncated", "closed", "Every stream failed (truncated). Try one user: is it the load, or each stream?",
         ONE_USER),
        ("stalled", "no chunk within 10 s",
         f"{QUIET} set a higher limit in the locustfile: --save FILE.py writes it.", ONE_USER),
    ],
)  # fmt: skip
def test_a_way_out_is_named_with_its_options(outcome, reason, words, options):
    assert said({outcome: 7}, f"{outcome}: {reason}") == Step(words, options)


def test_responses_without_a_whole_chunk_may_have_another_format():
    words = said({"incomplete": 7}, "incomplete: x", chunks=0).words
    assert words == (
        "Responses came, but no whole chunk: this may be no stream of this format. Leave out --protocol to take the "
        "format from the response, and --end to accept any clean end."
    )
    assert said({"incomplete": 7}, "incomplete: x", chunks=1).words.startswith("Every stream failed (incomplete). ")


def test_of_several_failures_the_most_frequent_is_explained():
    found = result({"truncated": 3, "http_error": 4, "censored": 5})
    found["streams"][0]["reasons"] = {"http_error: status 404": 1, "http_error: status 500": 3, "truncated: x": 3}
    assert next_step(found, ASKED).words.startswith("The server fails on every request, with status 500")


@pytest.mark.parametrize(
    ("load", "one", "fewer"),
    [
        ({"users": 100}, ONE_USER, {"--users": "25"}),
        ({"users": 19}, ONE_USER, {"--users": "4"}),
        ({"users": 2}, ONE_USER, ONE_USER),
        ({"users": 1}, {}, {}),
        ({"users": None}, {}, {}),
        ({"users": 50, "rate": "gamma:10/s,cv=2"}, {}, {"--rate": "gamma:2.5/s,cv=2"}),
        ({"users": None, "rate": "trace:FILE"}, {}, {}),
        ({"users": 50, "shape": True}, {}, {}),
    ],
)
def test_less_load_is_a_quarter_or_one_user(load, one, fewer):
    asked = replace(ASKED, **load)
    assert said({"truncated": 7}, "truncated: x", asked=asked).options == one
    assert said({"completed": 9, "truncated": 1}, "truncated: x", asked=asked).options == fewer


def test_some_refusals_say_who_limits():
    assert said({"completed": 1999, "http_error": 1000}, "http_error: status 429 Too Many") == Step(
        "The server refused 1,000 of 2,999 streams with status 429: it limits this client.", FEWER
    )
    other = said({"completed": 9, "http_error": 1}, "http_error: status 500, body: 429").words
    assert other == "1 of 10 streams failed. Try fewer users: do they still fail?"


def test_a_body_that_is_no_stream_is_named():
    step = said({"completed": 5}, protocol="raw", chunks=5)
    assert step.words.startswith("This is no stream: each response came in one piece")
    html = "in a format that is none of streams (such as plain JSON or HTML). "
    end = " If it should stream, something on the way may hold it back: compare with curl -N."
    address = "Is this the address of a stream, and does it need a body (-d) or a header (-H)?"
    assert step.words.endswith(html + address + end)
    asked = replace(ASKED, body=True)
    words = next_step(result({"completed": 5}, protocol="raw", chunks=5), asked).words
    assert words.endswith(html + 'Does its body ask for a stream, as "stream": true does?' + end)
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
    words = "No stream ended by itself. If the service's streams have no end, read each a number of chunks long:"
    for chunks, end in ((1000, 50), (1290, 60), (1310, 60), (1330, 70), (25_000, 1000), (20, 1), (3, 1)):
        assert said({"censored": 10}, chunks=chunks) == Step(words, {"--end": f"chunks:{end}"})
    recorded = replace(ASKED, recorded=True)
    words = 'No stream ended by itself. If they have no end, give each an end="chunks:N" in the locustfile:'
    assert said({"censored": 10}, chunks=1000, asked=recorded) == Step(words, {"--save": "session.py"})
    assert said({"censored": 10}, chunks=1000, asked=replace(recorded, saved=True)) == Step(words)
    words = "No chunk came before the run ended. Give the service more time:"
    assert said({"censored": 10}, chunks=0, asked=replace(ASKED, run_time_s=30)) == Step(words, {"--run-time": "90s"})
    assert said({"censored": 10}, chunks=0, asked=replace(ASKED, run_time_s=None)) == Step(words)


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
    words = "The figures are not exact, for the reasons above. Try a longer run on a quiet machine:"
    assert said({"completed": 10}, trust="degraded") == Step(words, {"--run-time": "30s"})
    assert said({"completed": 10}, trust="degraded", asked=replace(ASKED, run_time_s=None)) == Step(words)
    starved = result({"completed": 10}, trust="invalid", exit_code=3, why=["waited for a CPU"])
    assert next_step(starved, ASKED).options == {"--processes": "2"}
    assert next_step(starved, replace(ASKED, processes=2)).options == {"--processes": "4"}
    words = "The load generator lacked CPU. Try less load, or a machine that does nothing else:"
    assert next_step(starved, replace(ASKED, processes=3)) == Step(words, FEWER)
    assert next_step(starved, replace(ASKED, processes=4)) == Step(words, FEWER)
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
    assert step.words == (
        "The service was slow at this rate, so streams had to wait for a free user. Start fewer per second, or let "
        "more be under way with a higher -u:"
    )
    assert step.options == {"--rate": "50/s"}
    late = run(scheduled_arrivals=1000, late_starts=400)
    trust, why = verdict(late)
    step = said({"completed": 10}, trust=trust, why=why, asked=replace(ASKED, rate="200/s", users=None))
    assert step.words.startswith("The load generator lacked CPU")


def test_without_a_time_to_first_chunk_or_a_length_nothing_is_made_up():
    loaded = replace(ASKED, users=100)
    without = result({"completed": 10}, p99=None)
    assert next_step(without, loaded).options == {"--rate": "1.5/s"}
    without["run"]["duration_s"] = 0.0
    assert next_step(without, loaded).options == {"--save": "load.py"}


def test_the_rate_of_streams_is_that_after_the_warm_up():
    found = result({"completed": 100})
    found["run"]["counted_s"] = 5.0
    assert next_step(found, replace(ASKED, users=100, rules=True)).options == {"--rate": "30/s"}


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    monkeypatch.setattr("sys.argv", ["streamgauge"])
