"""Users that follow a shape, in real runs."""

import pytest

ENDLESS = ("--stream-path", "/sse?chunks=10000&interval_ms=20", "--stop-timeout", 3)
WAVE = "wave:low=2,high=8,period=4s,time=6s"
OWN_SHAPE = """
from locust import LoadTestShape, task
from streamgauge.load import StreamUser

class Listener(StreamUser):
    @task
    def listen(self):
        self.play("/")

class Stairs(LoadTestShape):
    def tick(self):
        return 1, 1
"""


@pytest.mark.parametrize("processes", [1, 2], ids=["alone", "two workers"])
def test_users_follow_the_shape_and_streams_of_those_who_leave_are_censored(
    start, source, two_processes, tmp_path, processes
):
    more = two_processes() if processes == 2 else ()
    started = start("--headless", "-H", source.url, "--shape", WAVE, *ENDLESS, *more, result_dir=tmp_path)
    done = started.wait()
    assert done.status in (0, 3), done.output  # 3: this machine was too busy
    shape, (streams,) = done.result["run"]["shape"], done.result["streams"]
    assert (shape["text"], shape["unit"], shape["end_s"]) == (WAVE, "users", 6)
    wanted = [each["wanted"] for each in shape["seconds"]]
    assert wanted == [3, 7, 7, 3, 3, 7]
    around = [{*wanted[max(0, t_s - 1) : t_s + 2]} for t_s in range(6)]  # a busy machine changes the users late
    assert all(each["users"] in around[each["t_s"]] for each in shape["seconds"]), shape["seconds"]
    # Three users, then four more, who leave, and four others while the streams of those go on. A busy machine may end
    # the run so late that the wave has risen by one more user.
    assert streams["started"] in (11, 12), done.output
    assert streams["outcomes"] == {"censored": streams["started"]}
    assert done.result["generator"]["cut_by_shape"] == 4, done.output
    assert "the falling shape cut 4 streams short, and the end of the run" in " ".join(done.output.split()), done.output
    users = {each["t_s"]: each["users"] for each in shape["seconds"]}
    assert any(point["active"] > users.get(point["t_s"], 99) for point in done.result["timeline"])
    assert done.result["run"]["users"] in (7, 8)
    assert f"--stream-shape {WAVE}" in done.result["run"]["command"]
    (report,) = tmp_path.glob("*/report.html")
    assert f"<dt>Shape</dt><dd>{WAVE.replace(',', ', ')}</dd>" in report.read_text()


def test_ctrl_c_twice_ends_a_run_with_a_shape_and_its_report_is_written(start, source, until, tmp_path):
    endless = ("--stream-path", "/sse?chunks=10000&interval_ms=20", "--stop-timeout", 60)
    shape = ("--shape", "soak:level=4,rise=0s,time=60s")
    started = start("--headless", "-H", source.url, *shape, *endless, result_dir=tmp_path)
    until(lambda: started.connected(source.url) == 4, "four streams are open")
    started.interrupt()
    until(lambda: "Shape test completed" in started.output, "Locust has seen Ctrl-C")
    started.interrupt()
    done = started.wait()
    assert "Traceback" not in done.output
    assert done.result["run"]["interrupted"], done.output
    assert done.result["streams"][0]["outcomes"] == {"censored": 4}
    assert len(done.result["run"]["shape"]["seconds"]) < 60


def test_a_shape_beside_the_shape_class_of_a_locustfile_is_refused(run_locust, tmp_path):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(OWN_SHAPE)
    done = run_locust(locustfile, "--headless", "-H", "http://127.0.0.1:9", "--shape", "ramp")
    assert done.status == 2, done.output
    words = "--stream-shape: the locustfile has a shape of its own, Stairs; remove one of the two"
    assert done.output.count(f"error: {words}\n") == 1
