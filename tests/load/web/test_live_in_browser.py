"""The Streaming tab and the live page in a real browser, as their user sees them."""

import json
import os
import signal
import time

import psutil
import pytest

from streamgauge.report.verdict_text import judgement

pytestmark = pytest.mark.browser

PATH = "/sse?chunks=30&interval_ms=20"
TONES = {"trusted": "good", "degraded": "doubt", "invalid": "bad"}
#: Whether every chart has a value.
DRAWN = """[...document.querySelectorAll("figure:not([hidden]) .plot")].every((plot) =>
    plot.data?.some((trace) => (trace.z ?? [trace.y]).some((row) => row.some((value) => value !== null))))"""
#: The charts whose time axis ends before their last value does.
OUT_OF_SIGHT = """[...document.querySelectorAll("figure:not([hidden]) .plot")].filter((plot) =>
    plot.data.some((trace) => trace.x?.at(-1) > plot._fullLayout.xaxis.range[1])).map((plot) => plot.id)"""
#: What the page has asked other hosts for.
ELSEWHERE = """performance.getEntriesByType("resource").map((each) => each.name)
    .filter((name) => !name.startsWith(location.origin) && !name.startsWith("data:"))"""
ROWS = "[...document.querySelectorAll('#rows tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
#: The cells of the Streaming tab.
TAB = "[...document.querySelectorAll('table tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent))"
#: The page asks for the next update as soon as it has drawn the last one, and counts them.
QUICK = """{
    const wait = setTimeout, ask = fetch;
    window.updates = 0;
    window.setTimeout = (then, ms) => wait(then, ms === 2000 ? 0 : ms);
    window.fetch = (...what) => { window.updates += 1; return ask(...what); };
}"""


@pytest.fixture
def visit(browser):
    """Opens a page; it is closed when the test ends."""
    opened = []

    def one(url, *how):
        opened.append(browser.open(url, *how))
        return opened[-1]

    yield one
    for tab in opened:
        tab.close()


def choose_tab(page, words):
    page.tab.evaluate(
        f"[...document.querySelectorAll('[role=tab]')].find((tab) => tab.textContent === '{words}').click()"
    )


def downloaded(tab, link, directory, until):
    """Press a link, and return what the browser has saved."""
    tab.command("Page.setDownloadBehavior", behavior="allow", downloadPath=str(directory))
    before = set(directory.glob("*"))
    tab.evaluate(f"document.querySelector('nav a[href=\"{link}\"]').click()")

    def finished():
        return [path for path in set(directory.glob("*")) - before if path.suffix != ".crdownload"]

    (path,) = until(finished, f"the browser has saved {link}")
    return path.read_text()


def test_the_tab_and_the_charts_follow_a_run_and_the_files_are_its_result(
    open_web, locust_page, visit, source, until, tmp_path
):
    web = open_web("-H", source.url)
    form = locust_page(web.url + "/")
    form.open_form()
    for name, text in {"userCount": "4", "spawnRate": "100", "streamPath": PATH, "streamEnd": "event:done"}.items():
        form.type(name, text)
    form.start()
    form.wait_for_status("RUNNING")
    choose_tab(form, "Streaming")
    form.tab.wait(f"({TAB})[0]?.[0] === '/sse' && Number(({TAB})[0][2]) >= 4")
    form.tab.wait("document.querySelector('#streamgauge-bar').textContent.includes('so far')")
    live = visit(web.url + "/streaming/")
    live.wait("Number(document.body.dataset.seconds) >= 3")
    live.wait(DRAWN)
    live.wait("document.querySelector('#verdict .words').textContent.endsWith('so far')")
    form.press("Stop")
    live.wait("document.body.dataset.state === 'finished'")
    until(lambda: web.running.results, "the result is written")
    result = web.running.results[-1]
    (streams,) = result["streams"]
    live.wait(f"({ROWS})[0][2] === '{streams['started']}'")
    assert live.evaluate(OUT_OF_SIGHT) == []
    trust, judged = result["verdict"]["trust"], judgement(result["verdict"])
    live.wait(f"document.querySelector('#verdict .words').textContent === '{trust}, {judged}'")
    assert live.evaluate("document.querySelector('#verdict').className") == f"verdict {TONES[trust]}"
    reasons = live.evaluate("[...document.querySelectorAll('#reasons li')].map((each) => each.textContent)")
    assert reasons == result["verdict"]["reasons"]
    directory = web.running.result_dir / result["run"]["id"]
    for file in ("streams.csv", "timeline.csv", "result.json"):
        assert downloaded(live, file, tmp_path, until) == (directory / file).read_text()
    live.evaluate("document.querySelector('#report').click()")
    live.wait("document.querySelector('h1')?.textContent.startsWith('streamgauge: load test')")
    for tab in (live, form.tab):
        assert tab.evaluate(ELSEWHERE) == []
        assert tab.complaints == []


def test_behind_a_login_and_a_base_path_with_two_workers_of_which_one_dies(
    open_web, two_processes, locust_page, visit, source, until
):
    options = ("--web-login", "--web-base-path", "/lab", *two_processes(), "-H", source.url)
    web = open_web(
        *options, locustfile="tests/load/locustfiles/behind_login.py", path="/lab", variables={"COOKIE_KEY": "k"}
    )
    form = locust_page(web.url + "/login")
    stranger = visit("about:blank")
    stranger.command("Page.navigate", url=web.url + "/streaming/")
    stranger.wait("location.pathname === '/lab/login'")
    form.tab.wait("document.querySelector('[name=password]') !== null")
    form.type("username", "me")
    form.type("password", "open")
    form.press("Login")
    form.tab.wait("location.pathname === '/lab/' && document.querySelector('[name=userCount]') !== null")
    form.open_form()
    for name, text in {"userCount": "8", "spawnRate": "100", "streamPath": "/sse?chunks=1000&interval_ms=20"}.items():
        form.type(name, text)
    form.start()
    form.wait_for_status("RUNNING")
    form.tab.go(web.url + "/streaming/")
    form.tab.wait(f"Number(({ROWS})[0]?.[3]) === 8")
    form.tab.wait(DRAWN.replace(".every(", ".slice(0, 4).every("))
    worker = next(each for each in web.running.children() if not each.children())
    os.kill(worker.pid, signal.SIGKILL)
    form.tab.wait("[...document.querySelectorAll('#facts dd')].length > 0")
    seconds = int(form.tab.evaluate("document.body.dataset.seconds"))
    form.tab.wait(f"Number(document.body.dataset.seconds) >= {seconds + 3}")
    form.tab.go(web.url + "/")
    form.press("Stop")
    form.wait_for_status("STOPPED")
    form.tab.go(web.url + "/streaming/")
    form.tab.wait("document.body.dataset.state === 'finished'")
    said = form.tab.evaluate("document.querySelector('#reasons').textContent")
    assert "1 worker did not report the end of their streams" in said
    assert form.tab.evaluate(ELSEWHERE) == []
    assert [each for each in form.tab.complaints if "favicon" not in each] == []
    web.running.kill()


def test_a_page_that_is_opened_late_shows_the_whole_run(open_web, visit, source, until):
    web = open_web(
        "-H", source.url, "-u", 2, "-r", 100, "--autostart", "--stream-path", "/sse?chunks=1000&interval_ms=20"
    )

    def seconds():
        return json.loads(web.get("/streaming/data")).get("charts", {"points": {"t_s": []}})["points"]["t_s"]

    until(lambda: len(seconds()) >= 6, "the run has lasted for a while")
    late = visit(web.url + "/streaming/")
    late.wait("Number(document.body.dataset.seconds) >= 6")
    assert late.evaluate("document.querySelector('#chart-active').data[0].x[0]") == 0


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1440, "dark")])
def test_the_page_fits_its_window(open_web, visit, source, width, scheme):
    web = open_web("-H", source.url, "-u", 2, "-r", 100, "--autostart", "--stream-path", PATH)
    page = visit(web.url + "/streaming/", width, 900, scheme)
    page.wait("Number(document.body.dataset.seconds) >= 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.timeout(600)
def test_more_updates_do_not_hold_more_memory(open_web, visit, browser, source, until):
    web = open_web("-H", source.url, "-u", 2, "-r", 100, "--autostart", "--stream-path", PATH)
    page = visit("about:blank")
    page.command("Page.addScriptToEvaluateOnNewDocument", source=QUICK)
    page.go(web.url + "/streaming/")

    def held():
        follow = "document.querySelector('#follow').checked"
        page.evaluate(f"{follow} = false")
        time.sleep(1)  # an update that is under way holds memory
        for _ in range(3):  # one collection leaves what only the next one finds
            page.command("HeapProfiler.collectGarbage")
        page.evaluate(f"{follow} = true")
        page.command("Performance.enable")
        found = {each["name"]: each["value"] for each in page.command("Performance.getMetrics")["metrics"]}
        return found["JSHeapUsedSize"], found["Nodes"], psutil.Process(web.running.child.pid).memory_info().rss

    page.wait("window.updates >= 20")
    web.post("/stop")  # what the page holds of a run grows until it has as many points as fit
    page.wait("document.body.dataset.state === 'finished' && window.updates >= 60", 200)
    before = held()
    page.wait("window.updates >= 160", 200)
    ratios = [now / then for now, then in zip(held(), before, strict=True)]
    assert max(ratios) <= 1.035, ratios  # 3 KB of the page, or a node of it, for each update
