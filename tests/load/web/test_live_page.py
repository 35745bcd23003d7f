"""The live page of a run and its files, as programs ask for them."""

import csv
import io
import json
import urllib.error

import pytest

SWARM = {"user_count": 4, "spawn_rate": 100}


@pytest.fixture(params=[1, 2], ids=["alone", "two workers"])
def web(request, open_web, two_processes, until):
    """The web UI of Locust alone, and of a master whose two workers are there."""
    if request.param == 1:
        return open_web()
    web = open_web(*two_processes())
    until(lambda: len(web.statistics()["workers"]) == 2, "both workers are there")
    return web


def run(web, source, until, streams=8, chunks=9):
    """Start a run, and stop it once so many streams have ended. Return its result."""
    before = len(web.running.results)
    path = f"/sse?chunks={chunks}&interval_ms=20"
    assert web.post("/swarm", host=source.url, stream_path=path, stream_end="event:done", **SWARM)["success"]
    until(lambda: web.finished() >= streams, "streams have ended")
    web.post("/stop")
    until(lambda: len(web.running.results) > before, "the result is written")
    return web.running.results[-1]


def data(web, **query):
    return json.loads(web.get("/streaming/data?" + "&".join(f"{name}={value}" for name, value in query.items())))


def refused(web, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        web.get(path)
    return caught.value.code, caught.value.read().decode()


def test_before_any_run_the_page_and_its_files_say_so(web):
    assert "No run has started yet" in web.get("/streaming/")
    assert data(web) == {"state": {"state": "waiting", "run_id": ""}}
    assert [each["data"] for each in web.statistics()["extended_stats"]] == [[]]
    for file in ("streams.csv", "timeline.csv", "result.json", "report.html"):
        assert refused(web, f"/streaming/{file}") == (
            404,
            "No run has started yet. Start one on Locust's page, and load this page again.\n",
        )
    assert refused(web, "/streaming/static/live.py")[0] == 404


def test_the_files_of_a_finished_run_are_those_of_its_result(web, source, until):
    result = run(web, source, until)
    assert json.loads(web.get("/streaming/result.json")) == result
    directory = web.running.result_dir / result["run"]["id"]
    for file in ("streams.csv", "timeline.csv"):
        assert web.get(f"/streaming/{file}") == (directory / file).read_text()
    assert web.get("/streaming/report.html") == (directory / "report.html").read_text()
    (streams,), (row,) = result["streams"], csv.DictReader(io.StringIO(web.get("/streaming/streams.csv")))
    assert int(row["chunks"]) == streams["chunks"]
    assert float(row["chunk_interval_p99_s"]) == streams["chunk_interval"]["p99"]


def test_the_tab_shows_the_figures_of_the_result(web, source, until):
    (streams,) = run(web, source, until)["streams"]
    (tab,) = web.statistics()["extended_stats"]
    (row,) = tab["data"]
    assert tab["key"] == "streaming"
    assert (row["name"], row["protocol"]) == (streams["name"], "sse")
    assert row["started"] == f"{streams['started']:,}"
    assert row["chunks"] == f"{streams['chunks']:,}"
    assert (row["active"], row["failed"], row["stalls"]) == ("0", "0", "0")
    assert row["outcomes"] == ", ".join(f"{times}\u00a0{outcome}" for outcome, times in streams["outcomes"].items())
    p50_ms = float(row["chunk_interval_p50"].removeprefix("≈\u00a0").removesuffix("\u00a0ms"))
    assert p50_ms == pytest.approx(streams["chunk_interval"]["p50"] * 1000, rel=0.01)


def test_what_is_asked_for_bit_by_bit_adds_up_to_the_whole(web, source, until):
    path = "/sse?chunks=300&interval_ms=20"
    assert web.post("/swarm", host=source.url, stream_path=path, stream_end="event:done", **SWARM)["success"]
    until(lambda: data(web)["state"]["state"] == "running", "the run has begun")
    seen, steps = {}, 0
    while web.finished() < 4 or steps < 3:
        asked = {"run": data(web)["state"]["run_id"], "since": max(seen, default=0), "step": 1, "width": 1}
        fresh = data(web, **asked)["charts"]
        points = fresh["points"]
        assert fresh["from_s"] <= asked["since"]
        seen = {t_s: chunks for t_s, chunks in seen.items() if t_s < fresh["from_s"]}
        seen |= dict(zip(points["t_s"], points["chunks"], strict=True))
        steps += 1
    web.post("/stop")
    until(lambda: web.running.results, "the result is written")
    result = web.running.results[-1]
    whole = data(web)["charts"]
    assert whole["from_s"] == 0
    assert sum(whole["points"]["chunks"]) == result["streams"][0]["chunks"]
    assert (
        sum(times for column in whole["columns"]["intervals"] for _, times in column)
        == (result["streams"][0]["chunk_interval"]["count"])
    )
    assert {name: round(sum(found)) for name, found in whole["columns"]["outcomes"].items()} == (
        result["streams"][0]["outcomes"]
    )
    last = data(web, run=result["run"]["id"], since=max(seen), step=1, width=1)["charts"]
    seen = {t_s: chunks for t_s, chunks in seen.items() if t_s < last["from_s"]}
    seen |= dict(zip(last["points"]["t_s"], last["points"]["chunks"], strict=True))
    assert seen == dict(zip(whole["points"]["t_s"], whole["points"]["chunks"], strict=True))


def test_a_page_of_an_earlier_run_gets_the_whole_of_the_present_one(web, source, until):
    first = run(web, source, until)
    second = run(web, source, until)
    assert first["run"]["id"] != second["run"]["id"]
    found = data(web, run=first["run"]["id"], since=1000, step=1, width=1)
    assert found["state"]["run_id"] == second["run"]["id"]
    assert sum(found["charts"]["points"]["chunks"]) == second["streams"][0]["chunks"]


def test_a_report_can_be_read_while_the_run_goes_on(web, source, until):
    path = "/sse?chunks=1000&interval_ms=20"
    assert web.post("/swarm", host=source.url, stream_path=path, stream_end="event:done", **SWARM)["success"]
    until(lambda: data(web)["state"].get("tone"), "chunks have come")
    assert web.get("/streaming/report.html").startswith("<!doctype html>")
    assert json.loads(web.get("/streaming/result.json"))["streams"][0]["chunks"] > 0
    web.post("/stop")


def test_the_page_asks_for_plotly_of_the_installed_package(web):
    assert 'src="static/plotly.js?' in web.get("/streaming/")
    assert "plotly.js v" in web.get("/streaming/static/plotly.js")[:200]
