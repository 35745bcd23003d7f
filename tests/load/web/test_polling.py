"""A run that ends, as Locust's web UI follows it: to the end, without being reloaded."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

STOP = "[...document.querySelectorAll('button')].find(each => each.textContent === 'Stop')"
STATUS = "(document.body.innerText.match(/Status\\s+(\\w+)/)?.[1] ?? '')"
START = "document.querySelector('button[type=submit]')"
LATE = Path(__file__).parents[1] / "locustfiles" / "late_start.py"
#: Streams of 8 s: after STOP they drain for longer than the UI waits between two questions.
STREAM = ("--stream-path", "/sse?chunks=80&interval_ms=100", "--stream-end", "event:done")


@pytest.mark.parametrize("workers", [0, 2])
def test_the_page_says_stopped_when_the_streams_have_ended(workers, open_web, two_processes, source, browser, until):
    web = open_web(*(two_processes() if workers else ()), *STREAM, "-H", source.url)
    until(lambda: len(web.statistics().get("workers", ())) == workers, "the workers are there")
    tab = browser.open(web.url + "/")
    tab.wait(f"{START} && !{START}.disabled")
    tab.evaluate(f"{START}.click()")
    tab.wait(f"{STATUS} === 'RUNNING'")
    until(lambda: source.log().streams, "a stream is under way")
    tab.wait(f"{STOP} !== undefined")
    tab.evaluate(f"{STOP}.click()")
    tab.wait(f"{STATUS} === 'STOPPED'")
    assert web.running.results or until(lambda: web.running.results, "the result is written")
    assert tab.evaluate("document.querySelector('table').innerText").count("/sse") == 1
    tab.close()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("shape", [(), ("--shape", "ramp:to=2,time=5s")], ids=["users", "a shape"])
def test_the_page_follows_a_run_that_begins_late(workers, shape, open_web, two_processes, source, browser, until):
    spread = two_processes() if workers else ()
    web = open_web(*spread, *shape, "-H", source.url, locustfile=LATE)
    until(lambda: len(web.statistics().get("workers", ())) == workers, "the workers are there")
    tab = browser.open(web.url + "/")
    tab.wait(f"{START} && !{START}.disabled")
    tab.evaluate(f"{START}.click()")
    tab.wait(f"{STATUS} === 'RUNNING'")
    assert source.log().streams or until(lambda: source.log().streams, "a stream is under way")
    tab.close()


def test_a_run_can_be_stopped_before_it_has_begun(open_web, source, browser):
    web = open_web("-H", source.url, locustfile=LATE)
    tab = browser.open(web.url + "/")
    tab.wait(f"{START} && !{START}.disabled")
    tab.evaluate(f"{START}.click()")
    tab.wait(f"{STATUS} === 'SPAWNING'")
    tab.wait(f"{STOP} !== undefined")
    tab.evaluate(f"{STOP}.click()")
    tab.wait(f"{STATUS} === 'STOPPED'")
    assert web.statistics()["state"] == "stopped"
    tab.close()
