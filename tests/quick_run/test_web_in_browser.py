"""``streamgauge run --web`` in a real browser: further runs are started there, and their results can be repeated."""

import json
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.quick_run.conftest import CODE, DEADLINE_S

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

KNOBS = "chunks=10&interval_ms=20"
USERS = 2


class WebRun:
    """A run of the command line that stays open for further ones."""

    def __init__(self, folder, port, *words):
        self.results, self.errors = folder / "results", folder / "stderr"
        self.url = f"http://127.0.0.1:{port}/"
        arguments = ("run", *words, "--web", "--web-port", str(port), "--result-dir", str(self.results))
        command = [sys.executable, "-c", CODE, *arguments, "-u", str(USERS), "-t", "1s"]
        with self.errors.open("w") as errors, (folder / "stdout").open("w") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=folder)

    def results_of_runs(self):
        return [json.loads(each.read_text()) for each in sorted(self.results.glob("*Z-*/result.json"))]

    def said(self, words):
        assert self._process.poll() is None, self.errors.read_text()
        return words in " ".join(self.errors.read_text().split())

    def end(self):
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(DEADLINE_S)


@pytest.fixture
def web_run(tmp_path, free, until):
    """Starts a run, whose first one is over at once; it is ended with the test, if it has not been."""

    @contextmanager
    def started(*words):
        run = WebRun(tmp_path, free, *words)
        try:
            until(lambda: run.said("stays open"), "the first run is over")
            yield run
        finally:
            run.end()

    return started


def started_in_page(run, page, until):
    """The result of a run with one user more, which the page starts."""
    page.open_form()
    assert page.shown("userCount") == str(USERS)
    page.type("userCount", str(USERS + 1))
    page.start()
    until(lambda: len(run.results_of_runs()) == 2, "the run of the page is over")
    return run.results_of_runs()[1]


def test_a_run_of_the_page_is_repeated_by_the_command_in_its_result(app, web_run, locust_page, until, tmp_path):
    with web_run(f"{app}/stream/sse?{KNOBS}") as run:
        result = started_in_page(run, locust_page(run.url), until)
        (kept,) = run.results.glob("*.py")
        assert run.said(f"Wrote {kept.relative_to(tmp_path)}")
    assert result["run"]["users"] == USERS + 1
    program, *words = shlex.split(result["run"]["command"])
    assert (program, words[1]) == ("locust", str(kept))
    again = tmp_path / "again"
    command = [sys.executable, "-m", program, *words, "--stream-result-dir", str(again), "--metrics-port", "off"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False, cwd=tmp_path)
    (repeated,) = (json.loads(each.read_text()) for each in again.glob("*/result.json"))
    assert done.returncode == (3 if repeated["verdict"]["trust"] == "invalid" else 0), done.stderr
    assert {each: repeated["run"][each] for each in ("users", "host")} == {
        each: result["run"][each] for each in ("users", "host")
    }
    assert [each["name"] for each in repeated["streams"]] == ["/stream/sse"]


def test_a_locustfile_that_opens_doors_goes_unless_it_is_asked_for(app, web_run, locust_page, until, tmp_path):
    with web_run(f"{app}/stream/sse?{KNOBS}", "-H", "Authorization: Bearer opens-all-doors") as run:
        result = started_in_page(run, locust_page(run.url), until)
        assert run.said("Note: the locustfile holds Authorization, so it goes when this ends; keep it with --save")
    locustfile = shlex.split(result["run"]["command"])[2]
    assert not Path(locustfile).exists()
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and b"opens-all-doors" in each.read_bytes()]
