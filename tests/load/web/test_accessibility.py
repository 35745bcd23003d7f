"""What axe finds on the pages that people see: no fault of level A or AA."""

import pytest

from tests.axe import faults

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def web(open_one_web, _server):
    path = "/sse?chunks=30&interval_ms=20"
    web = open_one_web("-H", _server.url, "-u", 2, "-r", 100, "--autostart", "--stream-path", path)
    yield web
    web.running.kill()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/?tab=streaming", "document.querySelectorAll('table tbody tr').length > 0"),
        ("/streaming/", "Number(document.body.dataset.seconds) >= 2"),
        ("/streaming/report.html", "document.querySelectorAll('.chart .main-svg').length > 0"),
    ],
)
def test_a_page_of_a_run_has_no_fault(browser, web, until, path, ready, scheme):
    until(lambda: web.finished() >= 2, "streams have ended")
    tab = browser.open(web.url + path, scheme=scheme)
    try:
        tab.wait(ready)
        assert faults(tab) == []
    finally:
        tab.close()


def test_a_page_with_a_fault_is_seen(browser):
    tab = browser.open("data:text/html,<html><body><img src='data:,'></body></html>")
    assert any(found.startswith("image-alt") for found in faults(tab))
    tab.close()
