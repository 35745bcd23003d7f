"""How many users a result names: the most that the run had, whatever it ended with."""

LOCUSTFILE = """
from locust import LoadTestShape, task
from streamgauge.load import StreamUser

class Fewer(LoadTestShape):
    def tick(self):
        passed_s = self.get_run_time()
        return None if passed_s > 8 else (4 if passed_s < 4 else 1, 100)

class Reader(StreamUser):
    @task
    def read(self):
        self.client.stream("GET", "/sse?chunks=4&interval_ms=50", protocol="sse", end="event:done")
"""


def test_it_is_the_most_that_the_run_had(start, source, tmp_path):
    locustfile = tmp_path / "fewer.py"
    locustfile.write_text(LOCUSTFILE)
    options = ("--headless", "-H", source.url, "--metrics-port", "off")
    run = start(*options, locustfile=locustfile, result_dir=tmp_path / "results").wait()
    assert run.result["run"]["users"] == 4, run.output
