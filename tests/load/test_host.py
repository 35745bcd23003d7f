"""The host of a run, as its results have it."""


def test_a_password_in_the_host_is_in_no_file_of_the_result(start, source, until, tmp_path):
    host = source.url.replace("://", "://somebody:sesame@")
    running = start.headless(host, "--stream-path", "/sse?chunks=2", users=1, run_time=None, result_dir=tmp_path)
    until(lambda: any(point["finished"] for point in running.points()), "a stream has ended")
    run = running.stop()
    assert run.result["run"]["host"] == source.url
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 2
    assert not [file.name for file in files if "sesame" in file.read_text()]
