"""The landing page in a real browser: it plays every stream, and its figures are what was asked for."""

import contextlib
import json

import pytest

from target_app.landing.assets import FOLDER
from target_app.streams.catalogue import STREAMS
from tests.axe import faults

pytestmark = pytest.mark.browser
CHUNKS = 12
KEY = "a-key-of-sixteen-or-more"
HALF = {"/pathologies/unterminated", "/pathologies/hidden-error"}
#: Played by other means than fetch, which see the data alone.
WITHOUT_FRAMING = {"/stream/sse", "/stream/ws"}


@pytest.fixture(scope="module")
def app(httptools_app):
    return httptools_app


@pytest.fixture(scope="module")
def guarded(start_module):
    return start_module("--api-key", KEY)


def opened(browser, app, **look):
    tab = browser.open(app.announcement["url"] + "/", **look)
    tab.wait("!document.querySelector('.all').disabled")
    return tab


@pytest.fixture(scope="module")
def module_page(browser, app):
    tab = opened(browser, app)
    yield tab
    assert tab.complaints == []
    tab.close()


@pytest.fixture(scope="module")
def failing_page(browser, app):
    """One for streams that fail, of which a browser complains."""
    tab = opened(browser, app)
    yield tab
    tab.close()


@pytest.fixture
def page(browser, app):
    """A page that nobody else uses."""
    tab = opened(browser, app)
    yield tab
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_fault_of_accessibility(browser, app, scheme):
    tab = opened(browser, app, scheme=scheme)
    assert faults(tab) == []
    tab.close()


def card_of(path):
    return f"document.querySelector('[data-path=\"{path}\"]')"


def play(tab, path, **knobs):
    """Play a stream with these knobs, to its end; what its card then says."""
    begin(tab, path, **knobs)
    card = card_of(path)
    tab.wait(f"{card}.dataset.state === 'ended'")
    return tab.evaluate(
        f"""(card => ({{
            outcome: card.dataset.outcome,
            said: card.querySelector(".outcome").textContent,
            chunks: card.querySelector(".chunk-count").textContent,
            expected: card.querySelector(".expected").textContent,
            bytes: Number(card.querySelector(".bytes").textContent.replaceAll(",", "")),
            first: card.querySelector(".first").textContent,
            interval: card.querySelector(".interval").textContent,
            shown: [...card.querySelectorAll(".chunks li")].map(each => each.textContent),
        }}))({card})"""
    )


def begin(tab, path, **knobs):
    tab.evaluate(
        f"""{card_of(path)}.querySelector("form").reset();
        for (const field of {card_of(path)}.querySelectorAll("input, select")) {{
            const value = {json.dumps({name: str(value) for name, value in knobs.items()})}[field.id.split("-").at(-1)];
            if (value !== undefined) field.value = value;
        }}"""
    )
    tab.evaluate(f"{card_of(path)}.querySelector('.play').click()")


def asked_of(stream):
    """Knobs that every stream takes, and the path that asks for the same."""
    knobs = {"chunks": CHUNKS, "interval_ms": 20, "chunk_bytes": 300}
    if stream.path == "/pathologies/never-awaits":
        del knobs["interval_ms"]
    query = "&".join(f"{name}={value}" for name, value in knobs.items())
    return knobs, f"{stream.path.replace('{name}', 'river.txt')}?{query}"


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_a_stream_plays_to_its_end_and_its_figures_are_what_was_asked_for(module_page, app, stream):
    knobs, path = asked_of(stream)
    card = play(module_page, stream.path, **knobs)
    assert card["outcome"] == ("incomplete" if stream.path in HALF else "completed"), card["said"]
    assert card["chunks"] == str(CHUNKS // 2 if stream.path in HALF else CHUNKS)
    assert card["expected"] == f" of {CHUNKS}"
    assert card["first"] != "–"
    assert card["shown"]
    if stream.path not in WITHOUT_FRAMING:
        body = module_page.evaluate("JSON.stringify({model:'river',messages:[{role:'user',content:'-'}],stream:true})")
        request = {"body": body.encode(), "headers": {"Content-Type": "application/json"}}
        assert card["bytes"] == len(
            app.get(path, method=stream.method, **(request if stream.method == "POST" else {})).body
        )


def test_without_framing_the_bytes_are_those_of_the_data(module_page, app):
    events = app.get(f"/stream/sse?chunks={CHUNKS}&interval_ms=0&chunk_bytes=300").body.splitlines()
    data = sum(len(line) - len(b"data: ") for line in events if line.startswith(b"data: "))
    assert play(module_page, "/stream/sse", chunks=CHUNKS, interval_ms=5, chunk_bytes=300)["bytes"] == data
    messages = CHUNKS * 300 + len('{"type":"done","chunks":12}')
    assert play(module_page, "/stream/ws", chunks=CHUNKS, interval_ms=5, chunk_bytes=300)["bytes"] == messages


def test_a_chat_completion_in_one_piece_is_one_chunk(module_page):
    found = play(module_page, "/v1/chat/completions", stream="false", chunks=5, interval_ms=5, chunk_bytes=6)
    assert (found["outcome"], found["chunks"], found["expected"]) == ("completed", "1", " of 1")
    assert len(found["shown"][0]) == 5 * 6


@pytest.mark.parametrize(
    ("path", "how", "outcome"),
    [
        ("/stream/ndjson", "error", "in_band_error"),
        ("/stream/multipart", "error", "in_band_error"),
        ("/stream/ws", "error", "in_band_error"),
        ("/v1/chat/completions", "error", "in_band_error"),
        ("/stream/ndjson", "end", "incomplete"),
        ("/stream/multipart", "end", "incomplete"),
        ("/stream/ws", "end", "incomplete"),
        ("/stream/bytes", "end", "completed"),
        ("/stream/bytes", "cut", "truncated"),
        ("/stream/multipart", "cut", "truncated"),
        ("/stream/ws", "cut", "truncated"),
        ("/stream/file/{name}", "cut", "truncated"),
    ],
)
def test_a_stream_that_fails_says_how(failing_page, path, how, outcome):
    card = play(failing_page, path, chunks=6, interval_ms=5, fail_at=3, fail_how=how)
    assert card["outcome"] == outcome, card["said"]
    # What a browser has not handed out when a stream is cut it never will.
    assert card["chunks"] == "3" or (how == "cut" and card["chunks"] in "012")


def test_an_event_source_comes_again_where_it_was_cut_and_goes_on(failing_page):
    card = play(failing_page, "/stream/sse", chunks=6, interval_ms=5, fail_at=3, fail_how="cut")
    assert (card["outcome"], card["chunks"]) == ("completed", "6")
    assert [json.loads(each)["seq"] for each in card["shown"]] == [2, 3, 4, 5]


def test_what_fetch_reads_of_the_same_stream_is_cut(failing_page):
    card = play(failing_page, "/stream/sse", via="fetch", chunks=6, interval_ms=5, fail_at=3, fail_how="cut")
    assert card["outcome"] == "truncated", card["said"]


def test_a_refusal_says_what_was_wrong(failing_page):
    card = play(failing_page, "/stream/ndjson", chunks=100000, interval_ms=60000)
    assert card["outcome"] == "http_error"
    assert "422" in card["said"]
    assert "chunks x interval_ms" in card["said"]


def test_a_knob_out_of_range_is_not_asked_for(failing_page):
    begin(failing_page, "/stream/text", chunks=0)
    assert failing_page.evaluate(f"{card_of('/stream/text')}.dataset.state") == "idle"
    assert failing_page.evaluate(f"{card_of('/stream/text')}.querySelector('details').open")


@pytest.mark.parametrize("path", ["/stream/sse", "/stream/ndjson", "/stream/ws"])
def test_stop_ends_the_stream_at_the_server_too(module_page, app, until, path):
    begin(module_page, path, chunks=50_000, interval_ms=50)
    module_page.wait(f"{card_of(path)}.querySelector('.chunk-count').textContent > 1")
    module_page.evaluate(f"{card_of(path)}.querySelector('.play').click()")
    module_page.wait(f"{card_of(path)}.dataset.outcome === 'aborted'")
    until(lambda: app.metric("stream_server_active", route=path) == 0)


def test_the_keyboard_plays_a_stream(page):
    page.evaluate("document.querySelector('#stream-sse-chunks').value = 50000")
    for _ in range(20):
        page.press("Tab", 9)
        if page.evaluate("document.activeElement.matches('#stream-sse .play')"):
            break
    enter(page, f"{card_of('/stream/sse')}.dataset.state === 'playing'")
    enter(page, f"{card_of('/stream/sse')}.dataset.outcome === 'aborted'")


def enter(page, effect):
    """Press Enter until that shows: a busy browser may lose a key that comes by way of its debugger."""
    for _ in range(5):
        page.press("Enter", 13, "\r")
        with contextlib.suppress(AssertionError):
            page.wait(effect, 10)
            return
    pytest.fail(f"Enter does not bring about {effect}")


def test_all_of_a_section_play_no_more_than_five_at_a_time(page):
    page.evaluate("document.querySelectorAll('#streams [name=chunks]').forEach(each => each.value = 3)")
    page.evaluate(
        """window.most = 0;
        const playing = () => document.querySelectorAll('[data-state=playing]').length;
        document.addEventListener('playing', () => window.most = Math.max(window.most, playing()));
        document.querySelector('#streams .all').click()"""
    )
    page.wait("document.querySelectorAll('#streams [data-outcome=completed]').length === 9")
    assert page.evaluate("window.most") == 5
    assert page.evaluate("document.querySelector('#streams .all').textContent") == "Play all"
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 400, 1280])
def test_it_fits_its_window(browser, app, width, scheme):
    tab = opened(browser, app, width=width, scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(12, 20, 23)") == (scheme == "dark")
    assert tab.complaints == []
    tab.close()


FORMATS = {
    "sse": ("/stream/sse?chunks=3&interval_ms=0&chunk_bytes=150", "text/event-stream", 3),
    "ndjson": ("/stream/ndjson?chunks=3&interval_ms=0&chunk_bytes=150", "application/x-ndjson", 3),
    "multipart": ("/stream/multipart?chunks=3&interval_ms=0&chunk_bytes=200", "multipart/mixed; boundary=gauge", 3),
    "raw": ("/stream/text?chunks=3&interval_ms=0&chunk_bytes=150", "text/plain", 3),
}


@pytest.mark.parametrize("protocol", FORMATS)
def test_a_format_is_read_the_same_however_its_bytes_are_split(module_page, protocol):
    path, media_type, chunks = FORMATS[protocol]
    found = module_page.evaluate(
        f"""(async () => {{
            const {{ readerFor }} = await import(new URL("{FOLDER}/streams.js", document.baseURI));
            const bytes = new Uint8Array(await (await fetch("{path}")).arrayBuffer());
            const read = (size) => {{
                const reader = readerFor("{protocol}", "{media_type}", 150), items = [];
                for (let at = 0; at < bytes.length; at += size)
                    items.push(...reader.push(bytes.subarray(at, at + size)));
                items.push(...reader.end());
                const ended = items.some(({{ kind }}) => kind === "end");
                const text = items.map((each) => each.text ?? "").join("");
                const count = items.filter(({{ kind }}) => kind !== "end").reduce((sum, each) => sum + each.count, 0);
                return JSON.stringify([count, ended, text]);
            }};
            return [bytes.length, 150, 64, 7, 2, 1].map(read);
        }})()"""
    )
    assert set(found) == {found[0]}
    count, ended, text = json.loads(found[0])
    assert (count, ended) == (chunks, protocol != "raw")
    assert len(text) == 3 * 150 if protocol == "raw" else text.count('"seq"') == chunks


def with_key(tab, key):
    tab.evaluate(f"document.querySelector('#key-field').value = '{key}'")


def test_where_keys_are_asked_for_the_page_asks_for_one(browser, guarded):
    tab = opened(browser, guarded)
    begin(tab, "/stream/sse", chunks=3, interval_ms=5)
    assert tab.evaluate("document.activeElement.id") == "key-field"
    with_key(tab, KEY)
    assert play(tab, "/stream/sse", chunks=3, interval_ms=5)["outcome"] == "completed"
    assert play(tab, "/v1/chat/completions", chunks=3, interval_ms=5)["outcome"] == "completed"
    assert tab.evaluate(f"{card_of('/stream/ws')}.querySelector('.play').disabled")
    assert tab.complaints == []
    tab.close()


def test_a_wrong_key_is_asked_for_again(browser, guarded):
    tab = opened(browser, guarded)
    with_key(tab, "a-key-that-is-not-known")
    card = play(tab, "/stream/ndjson", chunks=3, interval_ms=5)
    assert (card["outcome"], card["said"][:16]) == ("http_error", "http error: 401 ")
    assert tab.evaluate("document.activeElement.id") == "key-field"
    tab.close()
