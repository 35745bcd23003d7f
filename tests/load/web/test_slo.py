"""SLO rules in the web UI: how they stand while a run goes on, and how it ended."""

import json

import pytest

from streamgauge.report.verdict_text import judgement

RULES = "time_to_first_chunk.p99 < 1µs\nfailed == 0\nduration.p99 < 60s"
WORDS = "document.querySelector('#verdict .words').textContent"
LINES = """[...document.querySelectorAll("#rule-rows tr")]
    .map((row) => [...row.children].map((cell) => cell.textContent))"""


@pytest.mark.browser
def test_the_page_and_the_bar_say_how_the_rules_stand(open_web, browser, source, until):
    web = open_web()
    path = "/sse?chunks=4000&interval_ms=20"  # longer than the test takes anywhere
    run = {"host": source.url, "stream_path": path, "stream_slo": RULES, "user_count": 2, "spawn_rate": 100}
    assert web.post("/swarm", **run)["success"]

    def slo():
        return json.loads(web.get("/streaming/verdict")).get("slo", {})

    until(lambda: slo().get("failing"), "a rule fails")
    assert slo()["words"] == "1 of 3 SLO rules fails so far"
    page, start = browser.open(f"{web.url}/streaming/"), browser.open(web.url)
    try:
        page.wait("document.querySelectorAll('#rule-rows tr').length === 3")
        (first, second, third) = page.evaluate(LINES)
        assert first[:2] == ["time_to_first_chunk.p99 < 1µs", "✗ fails so far"]
        assert first[3].endswith(" above")
        assert second == ["failed == 0", "✓ holds so far", "0", "at the limit"]
        assert third == ["duration.p99 < 60s", "… no data so far", "–", "–"]
        start.wait("document.querySelector('#streamgauge-bar').textContent.includes('✗ time_to_first_chunk.p99 < 1µs')")
        web.post("/stop")
        page.wait("document.querySelector('#rules-state').textContent === 'Result'")
        assert [each[1] for each in page.evaluate(LINES)][:2] == ["✗ failed", "✓ passed"]
        start.wait("document.querySelector('#streamgauge-bar').textContent.includes('SLO rules failed')")
        page.wait(f"!{WORDS}.endsWith('so far')")
        words = page.evaluate(WORDS)
        assert page.evaluate("document.querySelector('#verdict').className") == "verdict bad"
        start.wait(f"document.querySelector('#streamgauge-bar').textContent.includes('{words}')")
    finally:
        page.close()
        start.close()
    (result,) = web.running.results
    assert words == f"{result['verdict']['trust']}, {judgement(result['verdict'])}" != "trusted, passed"
    assert [each["passed"] for each in result["verdict"]["slo"]][:2] == [False, True]
