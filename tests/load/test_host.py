"""The host of a run, as its results and its metrics have it."""

import re

from tests.load.metrics.test_port import LISTENING, page


def test_a_password_in_the_host_is_in_no_file_of_the_result_and_in_no_label(start, source, until, tmp_path):
    host = source.url.replace("://", "://somebody:sesame@")
    options = ("--stream-path", "/sse?chunks=2", "--metrics-port", 0, "--metrics-linger", 0)
    running = start.headless(host, *options, users=1, run_time=None, result_dir=tmp_path)
    until(lambda: any(point["finished"] for point in running.points()), "a stream has ended")
    _, shown = page(LISTENING.search(running.output)[1])
    run = running.stop()
    assert run.result["run"]["host"] == source.url
    assert set(re.findall(r'host="(.*?)"', shown)) == {source.url}
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 2
    assert not [file.name for file in files if "sesame" in file.read_text()]
