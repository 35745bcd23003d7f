"""``/docs`` in a real browser that reaches nothing but this host."""

from urllib.parse import urlsplit

import pytest

from target_app.streams.catalogue import STREAMS

pytestmark = pytest.mark.browser
KEY = "a-key-of-sixteen-or-more"


@pytest.fixture(scope="module")
def app(httptools_app):
    return httptools_app


@pytest.fixture(scope="module")
def guarded(start_module):
    return start_module("--api-key", KEY)


def opened(browser, url):
    """The documentation, and every address that the page asked for."""
    tab = browser.open("about:blank")
    tab.command("Network.enable")
    before = len(browser.events)
    tab.go(f"{url}/docs")
    tab.wait("document.querySelectorAll('.opblock').length > 0")
    asked = [each["params"]["request"]["url"] for each in browser.events[before:] if asks(each)]
    return tab, [each for each in asked if not each.startswith("data:")]


def operation(path):
    return f"document.querySelector('[data-path=\"{path}\"]').closest('.opblock')"


def asks(event):
    return event["method"] == "Network.requestWillBeSent"


def test_it_shows_every_operation_and_asks_no_other_host(browser, app):
    url = app.announcement["url"]
    tab, asked = opened(browser, url)
    shown = tab.evaluate("[...document.querySelectorAll('.opblock-summary-path')].map(each => each.dataset.path)")
    assert {stream.path for stream in STREAMS} <= set(shown)
    assert {urlsplit(each).netloc for each in asked} == {urlsplit(url).netloc}
    assert any("openapi.json" in each for each in asked)
    assert tab.complaints == []
    tab.close()


def test_a_link_of_the_landing_page_opens_its_operation(browser, app):
    tab = browser.open(app.announcement["url"] + "/")
    tab.go(tab.evaluate('document.querySelector(\'[data-path="/stream/sse"] a[href^="docs#"]\').href'))
    tab.wait("document.querySelector('.opblock') !== null")
    tab.wait(f"{operation('/stream/sse')}.classList.contains('is-open')")
    # Swagger UI takes the `_` in an operation's id for a space of its former links; it finds the operation.
    assert [each for each in tab.complaints if "escaping deep link whitespace" not in each] == []
    tab.close()


def test_try_it_out_gets_an_answer(browser, app):
    url = app.announcement["url"]
    tab, _ = opened(browser, url)
    tab.evaluate(f"{operation('/healthz')}.querySelector('.opblock-summary-control').click()")
    for button in (".try-out__btn", ".execute"):
        tab.wait(f"document.querySelector('{button}') !== null")
        tab.evaluate(f"document.querySelector('{button}').click()")
    status = "document.querySelector('.live-responses-table .response .response-col_status')"
    tab.wait(f"{status}?.innerText.startsWith('200')")
    assert tab.complaints == []
    tab.close()


def test_it_is_open_where_streams_need_a_key(browser, guarded):
    tab, _ = opened(browser, guarded.announcement["url"])
    assert tab.evaluate("document.querySelector('.btn.authorize') !== null")
    assert tab.complaints == []
    tab.close()


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect", "/docs/other.js"])
def test_there_are_no_other_pages(app, path):
    assert app.get(path).status == 404
