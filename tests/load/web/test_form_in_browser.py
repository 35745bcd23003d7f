"""The form of Locust's web UI in a real browser: START, with the defaults and with every option set."""

import http.server
import json
import ssl
import threading

import pytest
import trustme

pytestmark = pytest.mark.browser

#: The name, the label and the help of each field that has help.
LABELLED = """[...document.querySelectorAll("[aria-describedby^=help-]")].map((field) =>
    [field.name, field.labels[0].textContent,
     document.getElementById(field.getAttribute("aria-describedby")).textContent])"""


@pytest.fixture
def page(locust_page):
    """Shows the form of a web UI."""

    def show(web):
        shown = locust_page(web.url + "/")
        shown.open_form()
        return shown

    return show


@pytest.fixture(params=[1, 3], ids=["alone", "two workers"])
def processes(request, open_web, two_processes, until):
    """Opens the web UI of Locust alone, or of a master whose two workers are there."""

    def open_one(*options):
        web = open_web(*(two_processes() if request.param == 3 else ()), *options)
        if request.param == 3:
            until(lambda: len(web.statistics()["workers"]) == 2, "both workers are there")
        return web

    return open_one


def test_start_with_the_defaults_streams(processes, page, recorder, until):
    form = page(processes("-H", recorder.url))
    form.start()
    form.wait_for_status("RUNNING")
    until(lambda: recorder.requests, "a stream is asked for")
    assert recorder.requests[0]["path"].startswith("/stream/sse?")
    assert form.tab.complaints == []


def test_the_form_has_sections_with_labels_and_help_in_order(open_web, page, recorder):
    form = page(open_web("-H", recorder.url))
    titles = form.tab.evaluate("[...document.querySelectorAll('.streamgauge-section')].map((each) => each.textContent)")
    assert titles == [
        *("Load", "Request", "What a stream must do", "What the run must meet", "Time limits"),
        *("What the figures leave out", "Network and TLS"),
    ]
    shown = {name: (label, words) for name, label, words in form.tab.evaluate(LABELLED)}
    assert list(shown)[:3] == ["streamShape", "streamPath", "streamProtocol"]
    assert shown["streamHeader"][0] == "Headers"
    assert shown["streamHeader"][1].endswith("'Name: value'; write one header per line")
    assert shown["streamInsecure"][0] == "Accept any certificate"
    assert all(label and words for label, words in shown.values())
    assert form.tab.complaints == []


def test_every_option_that_is_set_in_the_form_reaches_every_process(processes, page, recorder, until):
    form = page(processes())
    texts = {
        "userCount": "4",
        "spawnRate": "100",
        "host": "http://upstream.test:81",
        "streamProxy": recorder.url.replace("//", "//us,er:pass@"),
        "streamPath": '/ä?list=1,2&quote="x"',
        "streamMethod": "PUT",
        "streamHeader": 'X-List: a, "b", c\nAuthorization: Bearer abc\nX-Latin: é',
        "streamBody": ' {"a": [1, 2],\n"b": "ü"} ',
        "streamEnd": "event:done",
        "streamAccept": "text/event-stream, text/*;q=0.5",
        "streamReconnect": "2",
        "streamFirstChunkTimeout": "7",
        "streamIdleTimeout": "8s",
        "streamTotalTimeout": "0",
        "streamRefusalPause": "0.5",
    }
    for name, text in texts.items():
        form.type(name, text)
    form.tick("streamStamps")
    form.tick("streamInsecure")
    form.start()
    form.wait_for_status("RUNNING")
    until(lambda: len({each["from"] for each in recorder.requests}) >= 4, "all users stream")
    for each in recorder.requests[:4]:
        assert each["method"] == "PUT"
        assert each["path"] == "http://upstream.test:81/%C3%A4?list=1,2&quote=%22x%22"
        assert each["body"] == texts["streamBody"].encode()
        fields = each["headers"]
        assert fields["x-list"] == 'a, "b", c'
        assert fields["authorization"] == "Bearer abc"
        assert fields["x-latin"] == "é"
        assert fields["accept"] == texts["streamAccept"]
        assert fields["proxy-authorization"].startswith("Basic ")
        assert "streamgauge-stamps" in fields


def test_files_of_certificates_in_the_form_reach_every_process(processes, page, until, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca, it.pem")
    own = authority.issue_cert("user@example.org")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Secured(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            shown.append(self.connection.getpeercert()["subjectAltName"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    shown = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Secured) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        form = page(processes())
        form.type("host", f"https://127.0.0.1:{server.server_port}")
        for name, file in (
            ("streamCaFile", "ca, it.pem"),
            ("streamClientCert", "cert.pem"),
            ("streamClientKey", "key.pem"),
        ):
            form.type(name, str(tmp_path / file))
        form.start()
        form.wait_for_status("RUNNING")
        until(lambda: shown, "a user has shown its certificate")
        server.shutdown()
        thread.join()
    assert shown[0] == (("email", "user@example.org"),)


def test_a_bad_value_is_explained_on_the_page_and_nothing_starts(processes, page, recorder):
    web = processes("-H", recorder.url)
    form = page(web)
    form.type("streamIdleTimeout", "soon")
    form.start()
    assert (
        form.alert()
        == "--stream-idle-timeout: expected a duration such as 30s, from 0 (no limit) to 1e+09 s, got 'soon'"
    )
    form.type("streamIdleTimeout", "5")
    form.wait_for_no_alert()
    form.type("host", "example.org")
    form.start()
    assert form.alert() == "Host: expected a URL such as http://127.0.0.1:8000, got 'example.org'"
    statistics = web.statistics()
    assert (statistics["state"], statistics["user_count"]) == ("ready", 0)
    assert recorder.requests == []


def test_headers_of_several_lines_can_be_changed_in_the_next_run(open_web, page, recorder, until):
    web = open_web("-H", recorder.url, "--stream-header", "A: 1, 2", "--stream-header", "B: 2")
    form = page(web)
    assert form.shown("streamHeader") == "A: 1, 2\nB: 2"
    form.type("streamHeader", "A: 3, 4\nC: 5")
    form.start()
    until(lambda: recorder.requests, "a stream is asked for")
    assert (recorder.requests[0]["headers"]["a"], recorder.requests[0]["headers"]["c"]) == ("3, 4", "5")
    web.post("/stop")
    form.wait_for_status("STOPPED")
    recorder.requests.clear()
    form.open_form()
    assert form.shown("streamHeader") == "A: 3, 4\nC: 5"
    form.start()
    until(lambda: recorder.requests, "a stream is asked for")
    assert recorder.requests[0]["headers"]["c"] == "5"
    assert json.dumps(form.tab.complaints) == "[]"
