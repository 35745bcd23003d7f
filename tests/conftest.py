"""For all tests: no skips under CI, and Chromium, driven over its DevTools pipe (https://chromedevtools.github.io)."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.ports import free_port
from tests.waiting import wait_until

#: How long an example takes says more of what else the machine does than of what is tested.
settings.register_profile("without deadlines", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without deadlines")

DEADLINE_S = 60.0
#: Folders and files whose tests start whole programs and take most of the time: what ``make test-fast`` leaves out.
SLOW = (
    "asgi/servers",
    "asgi/test_nothing_left.py",
    "benchmarks/test_chunk_interval.py",
    "benchmarks/test_chunk_size.py",
    "benchmarks/test_engine.py",
    "benchmarks/test_faults.py",
    "benchmarks/test_peers.py",
    "benchmarks/test_instructions.py",
    "benchmarks/test_recorder.py",
    "benchmarks/test_scale.py",
    "benchmarks/test_short_streams.py",
    "benchmarks/test_trust.py",
    "benchmarks/test_undisturbed.py",
    "calibrate/test_command.py",
    "client/test_memory.py",
    "client/test_nothing_left.py",
    "deploy/test_load.py",
    "doors/test_extras.py",
    "doors/test_make.py",
    "doors/test_scripts.py",
    "e2e/clients",
    "e2e/test_compose.py",
    "e2e/test_demo.py",
    "e2e/test_demo_in_browser.py",
    "e2e/test_demo_interrupted.py",
    "e2e/test_demo_web.py",
    "e2e/test_foreign_servers.py",
    "e2e/test_own_service.py",
    "e2e/test_scenarios_elsewhere.py",
    "e2e/test_wheel.py",
    "load/chat/test_chat_run.py",
    "load/chat/test_chat_sample.py",
    "load/metrics",
    "load/options/test_limits.py",
    "load/options/test_messages.py",
    "load/options/test_own_options.py",
    "load/shapes",
    "load/test_chunk_delay.py",
    "load/test_exit_status.py",
    "load/test_failures.py",
    "load/test_gathering.py",
    "load/test_host.py",
    "load/test_interrupted.py",
    "load/test_late_worker.py",
    "load/test_live_view.py",
    "load/test_merging.py",
    "load/test_model_servers.py",
    "load/test_nothing_left.py",
    "load/test_open_model.py",
    "load/test_refusals.py",
    "load/test_replay.py",
    "load/test_resets.py",
    "load/test_scenarios.py",
    "load/test_slo.py",
    "load/test_standard_output.py",
    "load/test_stopped_in_ramp.py",
    "load/test_totals.py",
    "load/test_trust.py",
    "load/test_unused.py",
    "load/test_users.py",
    "load/test_warm_up.py",
    "load/test_worker_files.py",
    "load/web/test_accessibility.py",
    "load/test_wrong_calls.py",
    "load/web/test_editing.py",
    "load/web/test_form_in_browser.py",
    "load/web/test_live_in_browser.py",
    "load/web/test_live_page.py",
    "load/web/test_own_fields.py",
    "load/web/test_open_model_in_form.py",
    "load/web/test_polling.py",
    "load/web/test_runs.py",
    "load/web/test_warnings.py",
    "monitoring/dashboards",
    "monitoring/faults",
    "monitoring/test_edges.py",
    "quick_run/test_copied_by_chromium.py",
    "quick_run/test_real_runs.py",
    "quick_run/test_web_in_browser.py",
    "report/test_any_width.py",
    "report/test_html.py",
    "report/test_html_in_browser.py",
    "report/test_html_layout.py",
    "runner/test_locust_run.py",
    "target_app/guard/test_backpressure.py",
    "target_app/test_documentation_in_browser.py",
    "target_app/test_drain.py",
    "target_app/test_landing_in_browser.py",
    "target_app/test_launchers.py",
    "target_app/test_pathologies.py",
    "target_app/test_schemathesis.py",
    "target_app/test_terms.py",
    "target_app/test_workers.py",
    "test_conftest.py",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
STARTER = Path(__file__).with_name("start_browser.py")


def pytest_configure() -> None:
    """Let what tests start end by SIGINT, which a shell makes all ignore that it starts in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of ``SLOW``."""
    slow = [Path(__file__).parent / each for each in SLOW]
    for item in items:
        if any(item.path.is_relative_to(each) for each in slow):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under ``CI``, what a test skips fails: there, every part that a test needs is to be installed."""
    report = yield
    _fail_what_is_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same of a module that is skipped as a whole."""
    report = yield
    _fail_what_is_skipped(report)
    return report


def _fail_what_is_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_to_fail = hasattr(report, "wasxfail")  # pytest calls that skipped too
    if os.environ.get("CI") and report.skipped and not expected_to_fail:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"no test may be skipped where CI is set: {reason}"


class Browser:
    """A running Chromium. It can reach nothing but this host."""

    def __init__(self, chromium: str, profile: Path) -> None:
        pipes = [os.pipe(), os.pipe()]
        self._write, self._read = pipes[0][1], pipes[1][0]
        # Above those that the browser takes for its own, or one would overwrite the other.
        given = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (pipes[0][0], pipes[1][1])]
        command = [sys.executable, str(STARTER), *map(str, given), chromium, *FLAGS, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(command, pass_fds=given, stderr=subprocess.DEVNULL)
        for descriptor in (pipes[0][0], pipes[1][1], *given):
            os.close(descriptor)
        self._numbers = itertools.count(1)
        self._rest = b""
        self.events: list[dict[str, Any]] = []

    def command(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command; events that come meanwhile are kept."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            answer = self._message(deadline_s)
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _message(self, deadline_s: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline_s - time.monotonic()))
            assert ready, "the browser does not answer"
            found = os.read(self._read, 1 << 20)
            assert found, "the browser has ended"
            self._rest += found
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))

    def open(self, url: str, width: int = 1280, height: int = 900, scheme: str = "light") -> "Tab":
        """A page in a profile of its own, once it is loaded."""
        context = self.command("Target.createBrowserContext")["browserContextId"]
        target = self.command("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        tab = Tab(self, context, self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        tab.appear(width, height, scheme)
        tab.go(url)
        return tab

    def end(self) -> None:
        """End it."""
        self.command("Browser.close")
        self._process.wait(DEADLINE_S)
        os.close(self._read)
        os.close(self._write)


#: The beginning of what a page says.
_TEXT = "(document.body?.innerText ?? '').slice(0, 1000)"


class Tab:
    """One page."""

    def __init__(self, browser: Browser, context: str, session: str) -> None:
        self._browser = browser
        self._context = context
        self._session = session
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.command(method, self._session, **parameters)

    def appear(self, width: int, height: int, scheme: str = "light") -> None:
        """The size of its window in pixels, and whether its user likes it light or dark."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def go(self, url: str) -> None:
        """Load a page."""
        self.command("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        found = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, condition: str, seconds: float = DEADLINE_S) -> None:
        """Until an expression is true."""
        deadline_s = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > deadline_s:
                pytest.fail(f"it did not come to pass: {condition}; the page: {self.evaluate(_TEXT)}")
            time.sleep(0.05)

    def press(self, key: str, code: int, text: str = "") -> None:
        """A key of the keyboard."""
        asked = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.command("Input.dispatchKeyEvent", type="keyDown", text=text, **asked)
        self.command("Input.dispatchKeyEvent", type="keyUp", **asked)

    @property
    def complaints(self) -> list[str]:
        """What its console has of errors."""
        self.evaluate("0")
        own = [each for each in self._browser.events if each.get("sessionId") == self._session]
        thrown = [str(each["params"]) for each in own if each["method"] == "Runtime.exceptionThrown"]
        said = [each["params"] for each in own if each["method"] == "Runtime.consoleAPICalled"]
        logged = [each["params"]["entry"] for each in own if each["method"] == "Log.entryAdded"]
        return [
            *thrown,
            *(str(each["args"]) for each in said if each["type"] in ("error", "assert")),
            *(f"{each['text']} {each.get('url', '')}" for each in logged if each["level"] == "error"),
        ]

    def screenshot(self, path: Path) -> None:
        """A picture of it, from its top to its bottom."""
        found = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        """Close it, and forget its profile."""
        self._browser.command("Target.disposeBrowserContext", browserContextId=self._context)


class LocustPage:
    """The page of Locust's web UI, with the form that starts a run, as its user sees it."""

    ALERT = "(document.querySelector('.MuiAlert-message')?.textContent ?? '')"
    STATUS = "(document.body.innerText.match(/Status\\s+(\\w+)/)?.[1] ?? '')"
    _START = "document.querySelector('button[type=submit]')"

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    @staticmethod
    def _button(words: str) -> str:
        return f"[...document.querySelectorAll('button')].find(each => each.textContent === {json.dumps(words)})"

    def open_form(self) -> None:
        """Show the form, where a run is over by the button New, and all options in it."""
        new = self._button("New")
        self.tab.wait(f"{self._START} !== null || {new} !== undefined")
        self.tab.evaluate(f"{self._START} === null && {new}.click()")
        self.tab.wait(f"{self._START} !== null")
        for number in range(self.tab.evaluate("document.querySelectorAll('.MuiAccordionSummary-root').length")):
            self.tab.evaluate(f"document.querySelectorAll('.MuiAccordionSummary-root')[{number}].click()")
        self.tab.wait("document.querySelector('[name=streamPath]') !== null")

    @staticmethod
    def _field(name: str) -> str:
        return f"[...document.querySelectorAll('[name={name}]')].at(-1)"

    def shown(self, name: str) -> str:
        """The text in a field."""
        return str(self.tab.evaluate(f"{self._field(name)}.value"))

    def type(self, name: str, text: str) -> None:
        """Type a text instead of what is in a field."""
        self.tab.evaluate(f"{self._field(name)}.select()")
        self.tab.evaluate(f"{self._field(name)}.focus()")
        self.tab.command("Input.insertText", text=text)

    def tick(self, name: str) -> None:
        self.tab.evaluate(f"document.querySelector('[name={name}]').click()")

    def start(self) -> None:
        self.tab.wait(f"!{self._START}.disabled")
        self.tab.evaluate(f"{self._START}.click()")

    def press(self, words: str) -> None:
        """Press the button of these words, once it is there."""
        self.tab.wait(f"{self._button(words)} !== undefined")
        self.tab.evaluate(f"{self._button(words)}.click()")

    def wait_for_status(self, status: str) -> None:
        self.tab.wait(f"{self.STATUS} === {json.dumps(status)}")

    def alert(self) -> str:
        """What the page says against the form, once it says anything."""
        self.tab.wait(f"{self.ALERT} !== ''")
        return str(self.tab.evaluate(self.ALERT))

    def wait_for_no_alert(self) -> None:
        self.tab.wait(f"{self.ALERT} === ''")


@pytest.fixture
def locust_page(browser: Browser) -> Iterator[Callable[[str], LocustPage]]:
    """Opens the page of Locust's web UI at a URL; it is closed when the test ends."""
    opened: list[Tab] = []

    def show(url: str) -> LocustPage:
        opened.append(browser.open(url))
        return LocustPage(opened[-1])

    yield show
    for tab in opened:
        tab.close()


@pytest.fixture(scope="session", name="free_port")
def _free_port() -> Callable[[], int]:
    """Gives a port that was free a moment ago, each only once."""
    return free_port


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Waits until a condition gives something, and returns that."""
    return wait_until


@pytest.fixture
def busy() -> Iterator[int]:
    """A port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port that was free a moment ago."""
    return free_port()


@pytest.fixture(scope="session")
def program() -> Callable[..., str]:
    """Finds an installed program, the first of its names; without it the test is skipped."""

    def find(*names: str) -> str:
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            pytest.skip(f"{names[0]} is not installed")
        return str(found)

    return find


@pytest.fixture(scope="session")
def docker(program: Callable[..., str]) -> str:
    """Where Docker is; skips without a running Engine and Compose v2."""
    found = program("docker")
    for needed in (("compose", "version"), ("info",)):
        if subprocess.run([found, *needed], capture_output=True, check=False).returncode:
            pytest.skip("no Docker Engine with compose v2")
    return found


@pytest.fixture(scope="session")
def chromium(program: Callable[..., str]) -> str:
    """Where Chromium is."""
    return program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium for all tests that need one."""
    running = Browser(chromium, tmp_path_factory.mktemp("chromium"))
    yield running
    running.end()
