"""What axe finds on the pages that people see: no fault of level A or AA."""

from importlib.resources import files

import pytest

pytestmark = pytest.mark.browser

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FAULTS = f"""axe.run(document, {{runOnly: {LEVELS}}}).then((found) => found.violations.map(
    (fault) => `${{fault.id}}: ${{fault.help}}: ${{fault.nodes.map((node) => node.html).join(" ")}}`))"""


@pytest.fixture(scope="module")
def axe():
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def faults(browser, axe):
    """What axe finds on a page, once a condition holds on it."""

    def find(url, ready, scheme):
        tab = browser.open(url, scheme=scheme)
        try:
            tab.wait(ready)
            tab.evaluate(f"{axe};0")
            return tab.evaluate(FAULTS)
        finally:
            tab.close()

    return find


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
def test_a_page_of_a_run_has_no_fault(faults, web, until, path, ready, scheme):
    until(lambda: web.finished() >= 2, "streams have ended")
    assert faults(web.url + path, ready, scheme) == []


def test_a_page_with_a_fault_is_seen(faults, web, axe, browser):
    tab = browser.open("data:text/html,<html><body><img src='data:,'></body></html>")
    tab.evaluate(f"{axe};0")
    assert any(found.startswith("image-alt") for found in tab.evaluate(FAULTS))
    tab.close()
