"""A run that begins and ends, as Locust's web UI follows it: to the end, without being reloaded."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

LATE = Path(__file__).parents[1] / "locustfiles" / "late_start.py"
#: Streams of 8 s: after STOP they drain for longer than the UI waits between two questions.
STREAM = ("--stream-path", "/sse?chunks=80&interval_ms=100", "--stream-end", "event:done")


@pytest.fixture
def open_page(open_web, two_processes, locust_page, until):
    """Opens Locust's page, alone or with two workers, which are there."""

    def open_one(workers, *options, **more):
        web = open_web(*(two_processes() if workers else ()), *options, **more)
        until(lambda: len(web.statistics().get("workers", ())) == workers, "the workers are there")
        return web, locust_page(web.url + "/")

    return open_one


@pytest.mark.parametrize("workers", [0, 2])
def test_the_page_says_stopped_when_the_streams_have_ended(workers, open_page, source, until):
    web, page = open_page(workers, *STREAM, "-H", source.url)
    page.open_form()
    page.start()
    page.wait_for_status("RUNNING")
    until(lambda: source.log().streams, "a stream is under way")
    page.press("Stop")
    page.wait_for_status("STOPPED")
    assert web.running.results or until(lambda: web.running.results, "the result is written")
    assert page.tab.evaluate("document.querySelector('table').innerText").count("/sse") == 1


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("shape", [(), ("--shape", "ramp:to=2,time=5s")], ids=["users", "a shape"])
def test_the_page_follows_a_run_that_begins_late(workers, shape, open_page, source, until):
    _, page = open_page(workers, *shape, "-H", source.url, locustfile=LATE)
    page.open_form()
    page.start()
    page.wait_for_status("RUNNING")
    until(lambda: source.log().streams, "a stream is under way")


@pytest.mark.parametrize("workers", [0, 2])
def test_the_page_says_stopped_after_each_run_of_a_second(workers, open_page, recorder, until):
    web, page = open_page(workers, "-t", "1s", "-H", recorder.url)
    for number in (1, 2):
        page.open_form()
        page.start()
        until(lambda runs=number: len(web.running.results) == runs, "the run is over")
        page.wait_for_status("STOPPED")


def test_a_run_can_be_stopped_before_it_has_begun(open_page, source):
    web, page = open_page(0, "-H", source.url, locustfile=LATE)
    page.open_form()
    page.start()
    page.wait_for_status("SPAWNING")
    page.press("Stop")
    page.wait_for_status("STOPPED")
    assert web.statistics()["state"] == "stopped"
