"""The open model, started, edited, stopped and started again in Locust's web UI."""

import json


def test_arrivals_of_the_form_are_limited_edited_and_begin_again(open_web, recorder, until):
    web = open_web("--metrics-port", "off")
    load = {"host": recorder.url, "spawn_rate": 1, "stream_path": "/events", "stream_end": "event:done"}
    judged = {"warm_up": "", "slo": "failed == 0\nstalls == 0"}
    arrivals = {"stream_arrivals": "poisson:30/s", "stream_seed": "3"}

    def post(**form):
        return web.post("/swarm", **{**load, **form})

    assert post(user_count=1, **arrivals, **{f"stream_{name}": text for name, text in judged.items()})["success"]
    until(lambda: web.statistics()["user_count"] == 1000, "so many users wait as by default")
    until(lambda: web.finished() > 30, "arrivals are served")
    refused = post(user_count=1000, **{**arrivals, "stream_arrivals": "60/s"})
    assert refused["message"].startswith("--stream-arrivals: stop the run before you change it from 'poisson:30/s'")
    for text, name in (("2s", "warm_up"), ("failed == 0", "slo")):
        refused = post(user_count=1000, **arrivals, **{f"stream_{name}": text})
        flag = f"--stream-{name.replace('_', '-')}"
        assert refused["message"] == f"{flag}: stop the run before you change it from {judged[name]!r} to {text!r}"
    assert post(user_count=20, **arrivals)["success"]
    until(lambda: web.statistics()["user_count"] == 20, "the limit was edited")
    live = until(lambda: _arrivals(web), "the page tells of arrivals")
    assert " late, " in live
    assert " dropped" in live
    web.post("/stop")
    until(lambda: len(web.running.results) == 1, "the result is written")
    assert post(user_count=50, **{**arrivals, "stream_seed": ""})["success"]
    until(lambda: web.finished() > 10, "arrivals are served again")
    web.post("/stop")
    until(lambda: len(web.running.results) == 2, "the second result is written")
    first, second = web.running.results
    assert (first["run"]["arrivals"]["seed"], first["run"]["users"], second["run"]["users"]) == (3, 1000, 50)
    assert second["run"]["arrivals"]["seed"] != 3
    assert first["verdict"]["slo"][0]["rule"] == "failed == 0"
    for result in (first, second):
        generator = result["generator"]
        started = sum(each["started"] for each in result["streams"])
        assert generator["scheduled_arrivals"] == started + generator["dropped_arrivals"] > 10
    assert "Traceback" not in web.running.output


def _arrivals(web):
    return json.loads(web.get("/streaming/verdict"))["arrivals"]
