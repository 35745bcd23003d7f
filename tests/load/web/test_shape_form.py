"""A shape in the form of Locust's web UI."""

import json

SHORT = {"stream_path": "/sse?chunks=10&interval_ms=20"}


def test_the_form_starts_a_run_with_a_shape_and_then_one_without(open_web, source, until):
    web = open_web()
    load = {"user_count": 8, "spawn_rate": 1, "host": source.url, **SHORT}
    assert web.post("/swarm", **load, stream_shape="ramp", run_time="3s")["success"]
    assert "Shape: the run under way follows a shape" in web.post("/swarm", user_count=5, spawn_rate=1)["message"]
    until(
        lambda: json.loads(web.get("/streaming/verdict")).get("at", "").startswith("ramp, "), "the bar says where it is"
    )
    until(lambda: len(json.loads(web.get("/streaming/data"))["charts"]["points"]["t_s"]) >= 2, "the page has points")
    shown = json.loads(web.get("/streaming/data"))
    assert shown["state"]["shape"] == "ramp:from=0, to=8, time=3s"
    assert shown["charts"]["shape"] == {"unit": "users", "t_s": [0, 1, 2], "wanted": [1, 4, 7]}
    assert max(filter(None, shown["charts"]["points"]["users"])) <= 7
    until(lambda: web.running.results, "the run has ended with its run time")
    assert web.running.results[0]["run"]["users"] == 7
    assert web.post("/swarm", **load, stream_shape="", run_time="")["success"]
    until(lambda: web.statistics()["user_count"] == 8, "all users are there")
    said = web.post("/swarm", **load, stream_shape="soak")["message"]
    assert said == "Shape: a run cannot take a shape while it is under way; stop it first"
    web.post("/stop")
    until(lambda: len(web.running.results) == 2, "the second result is written")
    assert {"shape" in each["run"] for each in web.running.results} == {True, False}
