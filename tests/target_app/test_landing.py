"""The landing page as it is served: to whom, what it says of the streams, and what it may load."""

import re
from html.parser import HTMLParser

import pytest

from target_app.app import create_app
from target_app.landing.assets import ASSETS, FOLDER
from target_app.landing.page import Page
from target_app.negotiation import prefers_html
from target_app.streams.catalogue import STREAMS

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
DOCUMENT = create_app().openapi()
KEY = "a-key-of-sixteen-or-more"


@pytest.fixture(scope="module")
def app(httptools_app):
    return httptools_app


@pytest.fixture(scope="module")
def guarded(start_module):
    return start_module("--api-key", KEY)


class Elements(HTMLParser):
    """The tags of a page, each with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, *tags):
        return [attributes for tag, attributes in self.found if tag in tags]


HTML = Page(lambda: DOCUMENT, needs_key=False).html
ELEMENTS = Elements(HTML)


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        pytest.param(BROWSER, True, id="browser"),
        pytest.param("text/html", True, id="html alone"),
        pytest.param("TEXT/*;q=0.5, */*;q=0.1", True, id="any text"),
        pytest.param("*/*", False, id="curl"),
        pytest.param("", False, id="nothing said"),
        pytest.param("application/json", False, id="json"),
        pytest.param("text/html;q=0.5, application/json", False, id="rather json"),
        pytest.param("text/html;q=0, */*", False, id="no html"),
        pytest.param("text/html;q=much", False, id="no weight"),
    ],
)
def test_a_browser_gets_a_page_and_a_program_json(app, accept, html):
    answer = app.get("/", headers={"Accept": accept})
    assert prefers_html(accept) is html
    assert answer.status == 200
    assert answer.headers["content-type"] == ("text/html; charset=utf-8" if html else "application/json")
    assert answer.headers["vary"].lower().startswith("accept")


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_every_stream_has_a_card_that_leads_to_its_documentation(stream):
    operation = DOCUMENT["paths"][stream.path][stream.method.lower()]
    (card,) = (each for each in ELEMENTS.of("article") if each["data-path"] == stream.path)
    assert (card["data-method"], card["data-protocol"]) == (stream.method, stream.protocol)
    assert f"docs#/{operation['tags'][0]}/{operation['operationId']}" in {each["href"] for each in ELEMENTS.of("a")}


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_every_knob_has_a_field_with_its_limits(stream):
    (card,) = (each["id"] for each in ELEMENTS.of("article") if each["data-path"] == stream.path)
    fields = {each["id"]: each for each in ELEMENTS.of("input", "select")}
    for knob in DOCUMENT["paths"][stream.path][stream.method.lower()]["parameters"]:
        if knob["in"] == "query":
            field, schema = fields[f"{card}-{knob['name']}"], knob["schema"]
            assert field["data-default"] == str(schema.get("default", ""))
            limits = [schema, *schema.get("anyOf", ())]
            assert field.get("max") == next((str(each["maximum"]) for each in limits if "maximum" in each), None)


def test_pathologies_stand_in_a_section_of_their_own():
    section = HTML.partition('<section id="pathologies"')[2]
    assert section.count("<article") == sum(stream.pathological for stream in STREAMS)
    assert 'data-path="/pathologies' not in HTML.partition('<section id="pathologies"')[0]


def test_every_field_has_a_label_and_every_reference_a_target():
    ids = [each["id"] for _, each in ELEMENTS.found if "id" in each]
    labelled = {each["for"] for each in ELEMENTS.of("label")}
    described = {each["aria-describedby"] for _, each in ELEMENTS.found if "aria-describedby" in each}
    assert len(ids) == len(set(ids))
    assert {each["id"] for each in ELEMENTS.of("input", "select")} == labelled
    assert described | {each["aria-labelledby"] for each in ELEMENTS.of("article", "section")} <= set(ids)


def test_the_page_asks_nothing_of_another_origin():
    written = [each.get(name) for _, each in ELEMENTS.found for name in ("src", "href")]
    loaded = [
        name for content, _ in ASSETS.values() for name in re.findall(rb"""(?:url\(|from )["']([^"']+)""", content)
    ]
    assert not [each for each in written if each and (":" in each or each.startswith("//"))]
    assert {name.decode().removeprefix("./") for name in loaded} <= set(ASSETS)
    assert not [each for _, each in ELEMENTS.found for name in each if name == "style" or name.startswith("on")]


def test_its_policy_allows_its_own_files_alone(app):
    fields = app.get("/", headers={"Accept": BROWSER}).headers
    assert fields["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in fields["content-security-policy"]
    assert fields["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ASSETS)
def test_its_files_are_kept_for_good(app, name):
    answer = app.get(f"/{FOLDER}/{name}")
    assert (answer.body, answer.headers["content-type"]) == ASSETS[name]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/landing/000000000000/page.js", f"/{FOLDER}/page.html", f"/{FOLDER}/..%2fpage.py"])
def test_there_is_no_other_file(app, path):
    assert app.get(path).status == 404


def test_where_keys_are_asked_for_the_page_is_open_and_nothing_else_below_it(guarded):
    assert 'id="key-field"' in guarded.get("/", headers={"Accept": BROWSER}).body.decode()
    assert guarded.get(f"/{FOLDER}/page.js").status == 200
    assert guarded.get("/landing/000000000000/page.js").status == 401
    assert 'id="key-field"' not in HTML
