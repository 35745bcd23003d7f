"""curl against the sample app: what it gets, and what its exit status says."""

import json
import subprocess

import pytest

CHUNKS, CHUNK_BYTES = 8, 300
QUERY = f"chunks={CHUNKS}&interval_ms=5&chunk_bytes={CHUNK_BYTES}"


@pytest.fixture
def curl(program):
    """Runs curl to its end."""
    found = program("curl")

    def run(*arguments, check=True):
        command = [found, "--silent", "--no-buffer", *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=check)

    return run


def events_of(body):
    """The name, id and data of each event of a body in which each is whole."""
    *blocks, rest = body.decode().split("\n\n")
    assert rest == ""
    found = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [(each.get("event"), each.get("id"), each["data"]) for each in found]


def test_curl_gets_every_event(curl, url, assert_all_readings):
    body = curl(f"{url}/stream/sse?{QUERY}").stdout
    assert_all_readings(events_of(body), CHUNKS)
    assert {len(block) + 2 for block in body.split(b"\n\n")[:CHUNKS]} == {CHUNK_BYTES}


def test_curl_shows_each_event_before_the_next_is_there(program, url):
    command = [program("curl"), "-sN", f"{url}/stream/sse?chunks=1000&interval_ms=50&chunk_bytes=300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        shown = process.stdout.read(3 * 300)
        assert process.poll() is None
        process.terminate()
    assert [number for _, number, _ in events_of(shown)] == ["0", "1", "2"]


@pytest.mark.parametrize("path", ["sse", "ndjson", "text", "bytes", "multipart"])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_curl_decompresses_what_it_asked_for(curl, url, path, coding):
    supported = curl("--version").stdout.decode().replace("brotli", "br").replace("libz", "gzip")
    if coding not in supported:
        pytest.skip(f"this curl has no {coding}")
    asked = f"{url}/stream/{path}?{QUERY}"
    found = curl("--compressed", "-H", f"Accept-Encoding: {coding}", "-D", "/dev/stderr", asked)
    assert f"content-encoding: {coding}\r\n".encode() in found.stderr.lower()
    assert found.stdout == curl(asked).stdout


@pytest.mark.parametrize(
    ("given", "expected"), [("100-199", slice(100, 200)), ("-50", slice(-50, None)), ("70000-", slice(70000, None))]
)
def test_curl_gets_the_range_that_it_asked_for(curl, url, given, expected):
    asked = f"{url}/stream/file/readings.csv?chunks=3&interval_ms=0&chunk_bytes=30000"
    whole = curl(asked).stdout
    assert len(whole) == 90000
    found = curl("-r", given, "-w", "%{stderr}%{http_code}", asked)
    assert (found.stdout, found.stderr) == (whole[expected], b"206")


def test_curl_goes_on_with_a_download_that_was_cut(curl, url, tmp_path):
    asked, file = f"{url}/stream/file/river.txt?chunks=4&interval_ms=5&chunk_bytes=30000", tmp_path / "river.txt"
    assert curl("-o", str(file), f"{asked}&fail_at=2", check=False).returncode == 18
    assert 0 < file.stat().st_size < 120000
    curl("-C", "-", "-o", str(file), asked)
    assert file.read_bytes() == curl(asked).stdout


@pytest.mark.parametrize(
    ("path", "status", "exit_status"),
    [
        pytest.param("stream/sse?chunks=0", 422, 22, id="a wrong knob"),
        pytest.param("stream/file/none", 404, 22, id="no such file"),
        pytest.param("stream/sse?chunks=3&interval_ms=5&fail_at=1&fail_how=cut", 200, 18, id="cut"),
        pytest.param("stream/sse?chunks=3&interval_ms=5&fail_at=1", 200, 0, id="an error in the stream"),
    ],
)
def test_curl_tells_a_failure_by_its_exit_status(curl, url, path, status, exit_status):
    done = curl("-f", "-o", "/dev/null", "-w", "%{http_code}", f"{url}/{path}", check=False)
    assert (int(done.stdout), done.returncode) == (status, exit_status)


def test_curl_shows_a_key(curl, guarded_url, key, assert_all_readings):
    asked = f"{guarded_url}/stream/sse?{QUERY}"
    refused = curl("-w", "%{stderr}%{http_code} %{content_type}", asked)
    assert refused.stderr == b"401 application/problem+json"
    assert "send a key" in json.loads(refused.stdout)["detail"]
    for shown in (("-H", f"X-API-Key: {key}"), ("--oauth2-bearer", key)):
        assert_all_readings(events_of(curl(*shown, asked).stdout), CHUNKS)
