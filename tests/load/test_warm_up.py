"""``--warm-up``: figures, verdict and exit status are those after it; what failed in it is named."""

import http.server
import threading
import time

import pytest

WARM_UP_S, RUN_S = 3, 6
BODY = b"data: a\n\ndata: b\n\nevent: done\ndata: c\n\n"


class Cold(http.server.BaseHTTPRequestHandler):
    """Refuses all requests of its first one and a half seconds."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with self.server.lock:
            self.server.began_s = self.server.began_s or time.monotonic()
            cold = time.monotonic() - self.server.began_s < WARM_UP_S / 2
            self.server.answered["refused" if cold else "streamed"] += 1
        body = b"" if cold else BODY
        self.send_response(503 if cold else 200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def cold():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cold) as server:
        server.lock, server.began_s = threading.Lock(), None
        server.answered = {"refused": 0, "streamed": 0}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("workers", [0, 2], ids=["one process", "two workers"])
def test_failures_in_the_warm_up_are_named_and_not_judged(start, cold, two_processes, workers, tmp_path):
    url = f"http://127.0.0.1:{cold.server_port}"
    options = ("--warm-up", f"{WARM_UP_S}s", "--refusal-pause", "0.05", "--metrics-port", "off")
    stream = ("--stream-path", "/events", "--stream-end", "event:done")
    rules = ("--slo", "failed.ratio <= 0%", "--slo", "started.count > 0") if workers else ()
    spread = two_processes() if workers else ()
    run = start.headless(
        url, *options, *stream, *rules, *spread, users=2, run_time=f"{RUN_S}s", result_dir=tmp_path
    ).wait()
    result = run.result
    (judged,), (whole,) = result["streams"], result["whole_run"]["streams"]
    refused = cold.answered["refused"]
    assert refused > 0
    assert result["warm_up"] == {"asked": f"{WARM_UP_S}s", "until_s": WARM_UP_S, "failures": {"http_error": refused}}
    assert whole["outcomes"] == {"completed": cold.answered["streamed"], "http_error": refused}
    assert judged["outcomes"].keys() == {"completed"}
    assert 0 < judged["started"] < whole["started"]
    after = [point for point in result["timeline"] if point["t_s"] >= WARM_UP_S]
    assert judged["chunks"] == sum(point["chunks"] for point in after)
    assert judged["started"] == sum(point["started"] for point in after)
    assert result["run"]["counted_s"] == pytest.approx(result["run"]["duration_s"] - WARM_UP_S)
    assert result["steady"]["reason"].endswith("it takes 50 s to tell")
    assert f"in the warm-up, which is not judged, {refused} stream" in " ".join(run.output.split())
    assert "no steady state: the load lasted for" in " ".join(run.output.split())
    assert [rule["passed"] for rule in result["verdict"]["slo"]] == [True] * (len(rules) // 2)
    trusted = result["verdict"]["trust"] != "invalid"
    assert run.status == result["verdict"]["exit_code"] == (0 if trusted else 3), run.output


def test_a_warm_up_of_the_whole_run_is_refused_before_it_starts(start, cold):
    url = f"http://127.0.0.1:{cold.server_port}"
    running = start.headless(url, "--warm-up", "1m", users=1, run_time="60s")
    run = running.wait()
    assert run.status == 2
    assert "--stream-warm-up: expected less than the run time of 60 s, got '1m'" in run.output
    assert cold.began_s is None
