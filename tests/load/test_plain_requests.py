"""Plain requests of a StreamUser, such as a login before its streams: what they return, and where they are counted."""

import http.server
import json
import threading

import pytest

SCENARIO = """
import json
from locust import events, task
from locust.exception import StopUser
from streamgauge.load import StreamUser

def tell(kind, **found):
    print(kind, json.dumps(found), flush=True)

@events.request.add_listener
def note(request_type, name, exception, response, response_length, context, url, **_):
    tell("EVENT", type=request_type, name=name, exception=exception and str(exception), url=url,
         status=response.status_code, length=response_length, context=context, text=response.text,
         content_type=response.headers.get("Content-Type"), at=response.url)

class Asker(StreamUser):
    def context(self):
        return {"user": 7}

    def seen(self, name, response):
        tell("RESPONSE", name=name, status=response.status_code, text=response.text, ok=response.ok,
             reason=response.reason, error=response.error, url=response.url, cookies=dict(response.cookies))

    def on_start(self):
        client, seen = self.client, self.seen
        login = client.post("/login", json={"user": "u"}, params={"a": 1}, context={"mine": 1})
        seen("login", login)
        self.token = login.json()["token"]
        for method in ("get", "put", "patch", "delete", "options", "head"):
            seen(method, getattr(client, method)("/echo", name="/echo/[method]"))
        seen("missing", client.get("/status/404"))
        seen("moved", client.get("/moved"))
        seen("left", client.get("/moved", allow_redirects=False))
        seen("circle", client.get("/circle"))
        seen("long", client.get("/long", max_body_bytes=9_999))
        seen("whole", client.get("/long", max_body_bytes=10_000))
        seen("cut", client.get("/cut"))
        seen("slow", client.get("/slow", timeout=0.2))
        seen("nobody", client.get("http://127.0.0.1:9/x"))
        seen("latin", client.get("/latin"))
        with client.get("/status/404", name="expected", catch_response=True) as response:
            response.success()
        with client.get("/echo", name="wrong", catch_response=True) as response:
            response.failure("not what was asked for")
        with client.get("/status/500", name="raised", catch_response=True) as response:
            response.raise_for_status()

    @task
    def listen(self):
        record = self.client.stream("GET", "/events", protocol="sse", headers={"Authorization": self.token})
        tell("STREAM", status=record.status_code, url=record.url, text=record.text, ok=record.ok)
        tell("DONE")
        raise StopUser
"""


class Server(http.server.BaseHTTPRequestHandler):
    """Sets a cookie at the login, and answers with the request's method, body and cookie."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path, method = self.path.partition("?")[0], self.command
        about = {"method": method, "path": self.path, "cookie": self.headers.get("Cookie"), "from": self.client_address}
        self.server.requests.append({**about, "body": body, "token": self.headers.get("Authorization")})
        if path == "/login":
            self.respond(json.dumps({"token": "secret"}), more={"Set-Cookie": "sid=7; Path=/"})
        elif path in ("/moved", "/circle"):
            self.respond("", 302, more={"Location": "/echo" if path == "/moved" else "/circle"})
        elif path == "/long":
            self.respond("x" * 10_000)
        elif path == "/cut":
            self.respond("x", length=5)
            self.close_connection = True
        elif path == "/slow":
            self.server.closing.wait(60)
        elif path == "/latin":
            self.respond(b"\xe9", media="text/plain; charset=latin-1")
        elif path == "/events":
            self.respond("data: x\n\n", media="text/event-stream")
        else:
            self.respond(method, int(path.rpartition("/status/")[2]) if "/status/" in path else 200)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = answer  # noqa: N815

    def respond(self, text, status=200, media="application/json", length=None, more=None):
        body = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        fields = {"Content-Type": media, "Content-Length": str(length or len(body)), **(more or {})}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.requests, server.daemon_threads, server.closing = [], True, threading.Event()
        server.handle_error = lambda *_: None
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def run(start, until, server, tmp_path_factory):
    """The finished run, and what its listener and its user have told."""
    directory = tmp_path_factory.mktemp("plain")
    locustfile = directory / "scenario.py"
    locustfile.write_text(SCENARIO)
    more = {"locustfile": locustfile, "result_dir": directory / "results"}
    running = start.headless(server.url, "--metrics-port", "off", users=1, run_time=None, **more)
    until(lambda: "DONE" in running.output or not running.child.running, "the user has done all")
    return running.stop()


@pytest.fixture(scope="module")
def told(run):
    def lines(kind):
        found = [line.partition(" ")[2] for line in run.output.splitlines() if line.startswith(f"{kind} ")]
        return [json.loads(line) for line in found]

    return lines


@pytest.fixture(scope="module")
def responses(told):
    return {each["name"]: each for each in told("RESPONSE")}


def test_a_login_returns_its_whole_body_and_its_cookies(responses, server):
    login = responses["login"]
    assert (login["status"], login["ok"], login["reason"], login["error"]) == (200, True, "OK", "")
    assert login["url"] == f"{server.url}/login?a=1"
    assert json.loads(login["text"]) == {"token": "secret"}
    assert login["cookies"] == {"sid": "7"}
    asked = server.requests[0]
    assert (asked["method"], asked["path"], asked["body"]) == ("POST", "/login?a=1", '{"user":"u"}')


def test_the_streams_have_its_cookies_its_token_and_its_connection(responses, server, told):
    stream = server.requests[-1]
    assert (stream["path"], stream["cookie"], stream["token"]) == ("/events", "sid=7", "secret")
    latin = next(each for each in server.requests if each["path"] == "/latin")
    assert stream["from"] == latin["from"]
    assert told("STREAM") == [{"status": 200, "url": f"{server.url}/events", "text": "", "ok": True}]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head"])
def test_each_method_has_its_name_and_reads_its_response(responses, told, method):
    assert responses[method]["text"] == ("" if method == "head" else method.upper())
    (event,) = [each for each in told("EVENT") if each["name"] == "/echo/[method]" and each["type"] == method.upper()]
    assert event["length"] == len(event["text"])


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("missing", 404, "status 404 Not Found"),
        ("circle", 302, "more than 10 redirects"),
        ("long", 0, "the body is longer than 9,999 bytes; raise max_body_bytes"),
        ("cut", 0, "truncated: "),
        ("slow", 0, "stalled: "),
        ("nobody", 0, "connect_error: "),
    ],
)
def test_a_request_without_a_good_response_is_a_failure_with_its_reason(responses, told, name, status, error):
    found = responses[name]
    assert (found["status"], found["ok"]) == (status, False)
    assert found["error"].startswith(error)
    assert found["error"] in [each["exception"] for each in told("EVENT")]


def test_redirects_are_followed_unless_the_call_says_otherwise(responses, server):
    moved, left = responses["moved"], responses["left"]
    assert (moved["status"], moved["text"], moved["url"]) == (200, "GET", f"{server.url}/echo")
    assert (left["status"], left["ok"], left["url"]) == (302, True, f"{server.url}/moved")


def test_a_body_of_just_the_limit_is_whole_and_text_has_the_charset_of_its_type(responses):
    assert responses["whole"]["text"] == "x" * 10_000
    assert responses["latin"]["text"] == "é"


def test_a_with_block_says_itself_what_failed(told):
    found = {each["name"]: each["exception"] for each in told("EVENT")}
    assert found["expected"] is None
    assert found["wrong"] == "not what was asked for"
    assert found["raised"] == "status 500 Internal Server Error"


def test_a_listener_sees_of_a_request_and_of_a_stream_what_it_sees_in_locust(told, server):
    login, stream = told("EVENT")[0], told("EVENT")[-1]
    assert login == {
        "type": "POST",
        "name": "/login",
        "exception": None,
        "url": f"{server.url}/login?a=1",
        "at": f"{server.url}/login?a=1",
        "status": 200,
        "length": len(login["text"]),
        "context": {"user": 7, "mine": 1},
        "text": '{"token": "secret"}',
        "content_type": "application/json",
    }
    assert (stream["type"], stream["status"], stream["content_type"]) == ("SSE", 200, "text/event-stream")
    assert (stream["url"], stream["at"], stream["text"]) == (f"{server.url}/events",) * 2 + ("",)


def test_only_the_stream_is_a_stream_of_the_result_and_failed_requests_fail_the_run(run, told):
    assert [(each["name"], each["started"], each["chunks"]) for each in run.result["streams"]] == [("/events", 1, 1)]
    failed = sum(each["exception"] is not None for each in told("EVENT"))
    assert run.status == 1
    assert f"Locust counted {failed} failures that are not streams" in run.output
