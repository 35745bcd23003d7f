"""The number of users, edited in the web UI while a run is under way."""

import json

import pytest


@pytest.mark.parametrize("processes", [1, 2], ids=["alone", "two workers"])
def test_no_stream_is_lost_or_counted_twice_when_users_are_edited(open_web, two_processes, source, until, processes):
    web = open_web(*(two_processes() if processes == 2 else ()))
    if processes == 2:
        until(lambda: len(json.loads(web.get("/stats/requests"))["workers"]) == 2, "both workers are there")
    stream = {"stream_path": "/sse?chunks=19&interval_ms=20", "stream_end": "event:done"}
    for users in (6, 2, 5):
        before = web.finished()
        answer = web.post("/swarm", user_count=users, spawn_rate=100, host=source.url, **stream)
        assert answer["success"], answer
        until(lambda users=users: web.statistics()["user_count"] == users, f"there are {users} users")
        until(lambda before=before, users=users: web.finished() >= before + 2 * users, "streams have ended")
    web.post("/stop")
    until(lambda: web.running.results, "the result is written")
    (result,), log = web.running.results, source.log()
    (streams,) = result["streams"]
    # users that were edited away had the stop timeout to end their streams
    assert streams["outcomes"] == {"completed": len(log.streams)}, web.running.output
    assert streams["started"] == len(log.streams)
    until(lambda: web.finished() == len(log.streams), "Locust's own table has caught up")
    assert streams["chunks"] == log.chunks == 20 * len(log.streams)
    assert result["run"]["users"] in (5, 6)
    assert "Traceback" not in web.running.output


def test_streams_that_users_leave_behind_have_an_outcome(open_web, source, until):
    web = open_web("--stop-timeout", "1")
    stream = {"stream_path": "/sse?chunks=10000&interval_ms=20"}
    for users in (6, 2):
        assert web.post("/swarm", user_count=users, spawn_rate=100, host=source.url, **stream)["success"]
        until(lambda users=users: web.statistics()["user_count"] == users, f"there are {users} users")
        until(lambda users=users: web.running.connected(source.url) == users, "so many streams are open")
    web.post("/stop")
    until(lambda: web.running.results, "the result is written")
    (streams,) = web.running.results[0]["streams"]
    assert (streams["started"], streams["outcomes"]) == (6, {"censored": 6}), web.running.output
