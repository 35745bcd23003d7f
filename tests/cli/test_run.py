"""What the options of ``streamgauge run`` make of it: the requests, the load, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamgauge.commands.run import _PROTOCOLS
from streamgauge.wire.formats import FORMATS

URL = "http://127.0.0.1:8000/s"
Planned = Callable[..., Any]


@pytest.fixture
def planned(call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Planned:
    """The plan of a run with these arguments, which is not run."""
    plans: list[Any] = []

    def keep(plan: Any, _interrupt: object, *, quiet: bool) -> int:
        plans.append(plan)
        return 3

    monkeypatch.setattr("streamgauge.quick_run.whole_run.run_quick", keep)

    def plan(*arguments: object) -> Any:
        answer = call("run", "--result-dir", tmp_path, *arguments)
        assert answer.exit_code == 3, answer.output  # the run's own status
        return plans[-1]

    return plan


def test_a_url_alone_is_ten_users_for_ten_seconds(planned: Planned) -> None:
    plan = planned("127.0.0.1:8000/s")
    (request,) = plan.session.requests
    assert (request.url, request.method, request.protocol) == (URL, "GET", "")
    assert plan.load.defaults == {"num_users": 10, "spawn_rate": 10, "run_time": "10s"}
    assert (plan.processes, plan.ports.web, plan.save) == (1, None, None)


def test_options_of_the_request_are_those_of_curl(planned: Planned, tmp_path: Path) -> None:
    (body := tmp_path / "body.json").write_text('{"stream": true}')
    (request,) = planned(URL, "-H", "A: 1", "-H", "B;", "-H", "C:", "-d", f"@{body}").session.requests
    assert (request.method, request.body) == ("POST", '{"stream": true}')
    assert request.headers == (("A", "1"), ("B", ""), ("C", None), ("Content-Type", "application/json"))
    (request,) = planned(URL, "-X", "put", "-d", "a=1", "-H", "content-type: x/y").session.requests
    assert (request.method, request.headers) == ("PUT", (("content-type", "x/y"),))
    (request,) = planned("ws://a/s", "-d", "hello", "--name", "n", "--status", "101").session.requests
    assert (request.method, request.body, request.protocol) == ("GET", "hello", "websocket")
    assert (request.name, request.status, request.headers) == ("n", "101", ())


def test_options_of_locust_become_defaults_of_the_locustfile(planned: Planned) -> None:
    plan = planned(
        *(URL, "-u", 7, "-r", 2.5, "-t", "1m", "--rate", 50, "--slo", "a < 1", "--slo", "b < 2", "-k", "--proxy", "http://p"),
        *("--shape", "s", "--warm-up", "auto", "--connect-to", "a:1:b:2", "--connect-to", "::c:"),
        *("--unix-socket", "/run/s", "--resolve", "a:1:127.0.0.1", "--resolve", "b:2:::1"),
    )  # fmt: skip
    assert plan.load.defaults == {
        "num_users": 7, "spawn_rate": 2.5, "run_time": "60s", "stream_arrivals": "50/s", "stream_slo": "a < 1\nb < 2",
        "stream_insecure": True, "stream_proxy": "http://p", "stream_shape": "s", "stream_warm_up": "auto",
        "stream_connect_to": "a:1:b:2\n::c:", "stream_unix_socket": "/run/s",
        "stream_resolve": "a:1:127.0.0.1\nb:2:::1",
    }  # fmt: skip


def test_a_trace_lasts_as_long_as_it_is(planned: Planned) -> None:
    assert planned(URL, "--rate", "trace:x.txt").load.defaults == {"stream_arrivals": "trace:x.txt"}
    assert planned(URL, "--rate", "trace:x.txt", "-t", "5s").load.defaults["run_time"] == "5s"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((URL, "-H", "X-Api-Key: x"), ("X-Api-Key",)),
        ((f"{URL}?access_token=x&max_tokens=5",), ("access_token",)),
        ((URL, "-d", '{"api_key": "x", "max_tokens": 5}'), ("its body",)),
        ((URL, "-x", "http://u:p@proxy"), ("the proxy's password",)),
        ((URL, "-H", "Accept: a/b", "-x", "http://proxy"), ()),
    ],
)
def test_what_opens_doors_is_known(planned: Planned, arguments: Any, names: tuple[str, ...]) -> None:
    plan = planned(*arguments)
    assert (plan.credentials, plan.secret) == (names, bool(names))


def test_a_rate_and_a_shape_say_the_load_unless_users_and_time_are_given(planned: Planned) -> None:
    assert planned(URL, "--rate", "poisson:9/s").load.defaults == {"run_time": "10s", "stream_arrivals": "poisson:9/s"}
    plan = planned(URL, "--shape", "ramp")
    # those of a shape that names no level, in Locust's form too
    assert plan.load.defaults == {"num_users": 10, "spawn_rate": 10, "stream_shape": "ramp"}
    assert str(plan.load) == "shape ramp"
    assert str(planned(URL, "--rate", 9, "--shape", "ramp", "-t", "5s").load) == "arrivals 9/s, shape ramp for 5 s"
    assert planned(URL, "--shape", "ramp", "-u", 5, "-t", "5s").load.defaults == {
        "num_users": 5, "spawn_rate": 5, "run_time": "5s", "stream_shape": "ramp"
    }  # fmt: skip


def test_a_curl_command_may_follow_the_options(planned: Planned) -> None:
    for source in (("curl", URL, "-d", "a", "-u", "u:p"), ("--curl", f"curl {URL} -d a -u u:p")):
        plan = planned("-u", 3, "--name", "curl", *source)
        (request,) = plan.session.requests
        assert (request.method, request.body, request.name) == ("POST", "a", "curl")
        assert request.header("Authorization") == "Basic dTpw"
        assert plan.load.users == 3
    (request,) = planned("-H", "A: 2", "-X", "PUT", "curl", URL, "-H", "a: 1", "-H", "B: 1").session.requests
    assert (request.method, request.headers) == ("PUT", (("B", "1"), ("A", "2")))


def test_the_next_command_has_its_options_before_curl(planned: Planned) -> None:
    plan = planned("-u", 3, "--name", "curl", "curl", URL, "-d", "a")
    assert plan.repeated({"--users": "9"}).endswith(f" --name curl -u 9 curl {URL} -d a")
    assert planned(URL, "--name", "curl").repeated({"--users": "9"}).endswith(f" {URL} --name curl -u 9")


def test_fields_of_one_name_are_sent_as_their_list(planned: Planned) -> None:
    (request,) = planned(
        "-H", "A: 1", "-H", "B: 2", "-H", "a: 3", "-H", "Cookie: c", "-H", "Cookie: d", URL
    ).session.requests
    assert request.headers == (("A", "1, 3"), ("B", "2"), ("Cookie", "c; d"))


def recording(path: Path, **request: object) -> Path:
    stream = {
        "startedDateTime": "2026-01-01T00:00:00Z", "time": 20_500, "timings": {"receive": 1},
        "request": {"method": "GET", "url": URL, "headers": [], **request},
        "response": {"headers": [], "content": {"mimeType": "text/event-stream"}},
    }  # fmt: skip
    path.write_text(json.dumps({"log": {"entries": [stream]}}))
    return path


def test_a_recorded_session_is_replayed_by_one_user_for_its_length(planned: Planned, tmp_path: Path) -> None:
    har = recording(tmp_path / "s.har")
    plan = planned("--har", har, "-H", "A: 1")
    assert plan.load.defaults == {"num_users": 1, "spawn_rate": 1, "run_time": "22s"}
    assert plan.session.requests[0].header("a") == "1"
    assert planned("--har", har, "-u", 3, "-t", "5s").load.defaults["run_time"] == "5s"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "expected a URL, --curl, --har or a curl command"),
        ((URL, "--curl", "curl a"), f"expected one source of requests, got the URL '{URL}' and --curl"),
        ((URL, "curl", "a"), f"got the URL '{URL}' and a curl command"),
        (("",), "expected a URL such as http://127.0.0.1:8000/stream, got an empty text"),
        (("ftp://a/s",), "got 'ftp://a/s': "),
        (("http://a b/s",), "got 'http://a b/s': "),
        (("http://a:port/s",), "got 'http://a:port/s': "),
        ((URL, "-u", "a:b"), "'-u' / '--users': expected a whole number from 1 to 20000, got 'a:b'"),
        ((URL, "-t", "soon"), "'-t' / '--run-time': expected a duration such as 30s, 2m or 1h30m, got 'soon'"),
        ((URL, "-X", "GET IT"), "--method, --header: expected a method, got 'GET IT'"),
        ((URL, "-H", "nothing"), "--header: expected 'Name: value', got 'nothing'"),
        ((URL, "-H", "a b: 1"), "--method, --header: expected a header field, got 'a b': '1'"),
        ((URL, "-d", "@no/file"), "--data: 'no/file' cannot be read: No such file or directory"),
        ((URL, "-d", "\udcff"), r"--data: expected text that can be encoded as UTF-8, got '\udcff'"),
        ((URL, "-H", "A: \udcff"), r"--header: expected text that can be encoded as UTF-8, got 'A: \udcff'"),
        ((URL, "--name", "\udcff"), r"--name: expected text that can be encoded as UTF-8, got '\udcff'"),
        ((URL, "--slo", "\udcff"), r"--slo: expected text that can be encoded as UTF-8, got '\udcff'"),
        ((f"{URL}/\udcff",), "the URL: expected text that can be encoded as UTF-8"),
        (("curl", "\udcff"), "curl: the URL: expected text that can be encoded as UTF-8"),
        ((URL, "--protocol", "soap"), "'--protocol': expected auto, sse, "),
        ((URL, "--end", "soon"), "--end 'soon': expected event:NAME"),
        ((URL, "--protocol", "ndjson", "--end", "event:x"), "--end 'event:x': 'event:x' names an SSE event, and the"),
        ((URL, "--error", "x"), "--error 'x': expected event:NAME"),
        ((URL, "--chunk", "x"), "--chunk 'x': expected event:NAME"),
        ((URL, "--status", "ok"), "--status 'ok': "),
        ((URL, "--slo", "a < 1", "--slo", " "), "--slo: expected a value, got ' '; leave the option out"),
        ((URL, "--rate", ""), "--rate: expected a value, got ''; leave the option out"),
        ((URL, "--warm-up", ""), "--warm-up: expected a value, got ''; leave the option out"),
        ((URL, "--web-port", "1"), "--web-port 1 needs --web"),
        ((URL, "--save", "x.txt"), "--save 'x.txt': expected a name that ends with .py"),
        ((URL, "--save", __file__), f"--save {__file__!r}: the file exists already"),
        (("--har", "no.har"), "'--har': expected a HAR file, got 'no.har': No such file or directory"),
        (("--curl", "curl a --form x=y"), "--curl: --form: streamgauge does not know this option of curl"),
        (("curl", "a", "-F", "x=y"), "curl: -F: streamgauge does not know this option of curl"),
    ],
)
def test_what_is_wrong_is_named_with_its_value(call: Any, tmp_path: Path, arguments: Any, problem: str) -> None:
    answer = call("run", "--result-dir", tmp_path, *arguments)
    assert answer.exit_code == 2, answer.output
    assert problem in answer.output
    assert "Traceback" not in answer.output
    assert not list(tmp_path.iterdir())


def test_options_of_one_stream_do_not_fit_a_recorded_session(call: Any, tmp_path: Path) -> None:
    har = recording(tmp_path / "s.har")
    answer = call("run", "--result-dir", tmp_path / "results", "--har", har, "--end", "event:done")
    assert answer.exit_code == 2
    assert "--end 'event:done': a recorded session has streams of its own" in answer.output


def test_the_protocols_of_the_option_are_the_formats() -> None:
    assert sorted(_PROTOCOLS) == sorted(FORMATS)
