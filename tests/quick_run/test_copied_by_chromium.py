"""What Chromium copies as curl and records as HAR from the sample app's landing page is run again."""

import json
import re
import time
import urllib.request
from types import SimpleNamespace

import pytest
from playwright.sync_api import sync_playwright

from streamgauge.quick_run.curl_command import curl_session

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SEEN = """async () => (await import("./models/logs/logs.js")).NetworkLog.NetworkLog.instance().requests().length"""
CARDS = ("stream-sse", "stream-ndjson", "stream-ws", "v1-chat-completions")
#: The code behind the menu item *Copy as cURL* of the developer tools, which Chromium serves at its debugging port.
COPY = """async () => {
    const { NetworkLogView } = await import("./panels/network/network.js");
    const { NetworkLog } = await import("./models/logs/logs.js");
    const found = {};
    for (const request of NetworkLog.NetworkLog.instance().requests())
        for (const shell of ["unix", "win"])
            found[shell + " " + new URL(request.url()).pathname] =
                await NetworkLogView.NetworkLogView.generateCurlCommand(request, shell);
    return found;
}"""


@pytest.fixture(scope="module")
def recorded(app, chromium, tmp_path_factory):
    """The HAR of a visit to the landing page, and the commands that the developer tools copy."""
    place = tmp_path_factory.mktemp("visit")
    profile, har = place / "profile", place / "visit.har"
    flags = ["--no-sandbox", "--remote-debugging-port=0", "--remote-allow-origins=*"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=chromium,
            headless=True,
            args=flags,
            record_har_path=har,
            record_har_url_filter=re.compile(app.partition("://")[2]),  # the developer tools are a page too
        )
        context.add_cookies([{"name": "session", "value": "s3cret", "url": app}])
        page = context.pages[0]
        page.goto(app)
        tools = _developer_tools(context, (profile / "DevToolsActivePort").read_text().split()[0], app)
        for card in CARDS:
            page.click(f"#{card} button.play")
            page.wait_for_timeout(300)
        for card in CARDS:
            page.wait_for_selector(f"#{card}[data-state=ended]")
        commands = tools.evaluate(COPY)
        context.close()
    return SimpleNamespace(har=har, commands=commands)


def _developer_tools(context, port, url):
    """Open Chromium's own developer tools on the page, and wait until they see its requests."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as listed:
        page = next(each for each in json.load(listed) if each["url"].startswith(url))
    watched, tools = context.pages[0], context.new_page()
    tools.goto(f"http://127.0.0.1:{port}/devtools/inspector.html?ws=127.0.0.1:{port}/devtools/page/{page['id']}")
    deadline_s = time.monotonic() + 60
    while not tools.evaluate(SEEN):
        assert time.monotonic() < deadline_s, "the developer tools see no request"
        watched.evaluate("fetch('/healthz').then(answer => answer.text())")
    return tools


def test_a_command_that_chromium_copies_is_run(recorded, quick):
    command = recorded.commands["unix /v1/chat/completions"]
    done = quick("--curl", "-", "-u", 2, "-t", "1s", stdin=command).check()
    streams = done.streams["/v1/chat/completions"]
    assert streams["protocol"] == "openai"
    assert streams["chunks"] > 0


@pytest.mark.parametrize("path", ["/stream/sse", "/stream/ws", "/v1/chat/completions"])
def test_commands_for_cmd_and_for_bash_say_the_same(recorded, path):
    for_bash, for_cmd = (curl_session(recorded.commands[f"{shell} {path}"]) for shell in ("unix", "win"))
    assert for_bash == for_cmd


def test_a_recorded_visit_is_replayed(recorded, quick):
    done = quick("--har", recorded.har, "-t", "4s").check()
    assert {name: each["protocol"] for name, each in done.streams.items()} == {
        "/stream/sse": "sse",
        "/stream/ndjson": "ndjson",
        "/stream/ws": "websocket",
        "/v1/chat/completions": "openai",
    }
    assert len({each["started"] for each in done.streams.values()}) == 1, "one user replays the whole visit"
    assert "Note: recorded values of Cookie are sent again; they may have expired" in done.errors
    assert "s3cret" not in json.dumps(done.result) + done.output + done.errors
