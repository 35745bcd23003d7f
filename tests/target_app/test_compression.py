"""Compression over real sockets: what is compressed, how soon a chunk can be read, and what is counted."""

import asyncio
import contextlib
import http.client
import socket
import sys
import threading
import zlib

import brotli
import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from streamgauge.asgi import StreamMetrics
from target_app.codings import CODINGS, choose_coding
from target_app.compression import Compression

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor
else:
    from backports.zstd import ZstdDecompressor

DEADLINE_S = 60.0
FORMATS = {
    "text/event-stream": b'id: %d\nevent: reading\ndata: {"level":1.25}\n\n',
    "application/x-ndjson": b'{"type":"reading","number":%d}\n',
    "application/jsonl": b'{"type":"reading","number":%d}\n',
    "text/plain; charset=utf-8": b"The river, part %d. ",
    "application/octet-stream": b"RVG1\0\1\2\3%d",
    "multipart/x-mixed-replace; boundary=frame": b"--frame\r\nContent-Type: text/plain\r\n\r\npart %d\r\n",
}
CHUNKS = 5


class Decoder:
    """A reader's decoder: fed bytes as they come, it gives what they say by now."""

    def __init__(self, coding):
        gzip, zstd, br = zlib.decompressobj(wbits=31), ZstdDecompressor(), brotli.Decompressor()
        self.feed = {"gzip": gzip.decompress, "zstd": zstd.decompress, "br": br.process}[coding]
        self.ended = {"gzip": lambda: gzip.eof, "zstd": lambda: zstd.eof, "br": br.is_finished}[coding]


class Paced:
    """An app on a free port that makes its next chunk when it is told to, and not before."""

    def __init__(self):
        self.registry = CollectorRegistry()
        routes = [
            Route("/stream", self._stream),
            Route("/json", lambda _: JSONResponse({"text": "river " * 200}, headers={"ETag": '"1"'})),
            Route("/short", lambda _: PlainTextResponse("short")),
            Route("/kept", lambda _: PlainTextResponse("river " * 200, headers={"Cache-Control": "no-transform"})),
            Route(
                "/coded", lambda _: Response(b"x" * 900, headers={"Content-Encoding": "br"}, media_type="text/plain")
            ),
            Route("/picture", lambda _: Response(b"x" * 900, media_type="image/png")),
            Route("/ranges", lambda _: PlainTextResponse("river " * 200, headers={"Accept-Ranges": "bytes"})),
            Route("/part", lambda _: PlainTextResponse("r" * 900, 206, {"Content-Range": "bytes 0-899/9000"})),
            Route("/fails", self._fails),
        ]
        app = Compression(StreamMetrics(Starlette(routes=routes), registry=self.registry), from_bytes=500)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))
        self.thread.start()

    def go_on(self):
        self._loop.call_soon_threadsafe(self._permits.release)

    async def _stream(self, request):
        self._loop, self._permits = asyncio.get_running_loop(), asyncio.Semaphore(0)

        async def chunks():
            for number in range(CHUNKS):
                yield FORMATS[request.query_params["type"]] % number
                await self._permits.acquire()

        return StreamingResponse(chunks(), headers={"Content-Type": request.query_params["type"]})

    async def _fails(self, _):
        async def chunks():
            yield b"data: 1\n\n"
            raise RuntimeError("on purpose")

        return StreamingResponse(chunks(), media_type="text/event-stream")

    @contextlib.contextmanager
    def ask(self, path, coding="gzip", method="GET", **fields):
        connection = http.client.HTTPConnection(*self.listener.getsockname(), timeout=DEADLINE_S)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Accept-Encoding": coding, **fields})
            yield connection.getresponse()

    def stop(self):
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture(scope="module")
def paced():
    app = Paced()
    yield app
    app.stop()


def _quoted(media_type):
    return media_type.replace(";", "%3B").replace(" ", "%20")


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("media_type", FORMATS)
def test_a_chunk_decodes_before_the_next_is_made(paced, coding, media_type):
    decoder = Decoder(coding)
    with paced.ask(f"/stream?type={_quoted(media_type)}", coding) as answer:
        assert answer.headers["Content-Encoding"] == coding
        for number in range(CHUNKS):
            expected, decoded = FORMATS[media_type] % number, b""
            while decoded != expected:  # the next one is not made before go_on, so waiting for it would last for ever
                decoded += decoder.feed(answer.read1(65536))
                assert expected.startswith(decoded)
            paced.go_on()
        assert decoder.feed(answer.read()) == b""
    assert decoder.ended()


@pytest.mark.parametrize("coding", [*CODINGS, "identity"])
def test_chunks_and_bytes_are_counted_as_the_app_sent_them(paced, coding):
    def count(name):
        return paced.registry.get_sample_value(name, {"route": "/stream", "protocol": "ndjson"}) or 0

    sent = [FORMATS["application/x-ndjson"] % number for number in range(CHUNKS)]
    chunks, size_bytes = count("stream_server_chunks_total"), count("stream_server_body_bytes_total")
    with paced.ask("/stream?type=application/x-ndjson", coding) as answer:
        for _ in sent:
            paced.go_on()
        answer.read()
    assert count("stream_server_chunks_total") - chunks == CHUNKS
    assert count("stream_server_body_bytes_total") - size_bytes == len(b"".join(sent))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_whole_body_is_compressed_whole(paced, coding):
    with paced.ask("/json", coding) as answer:
        body = answer.read()
    decoder = Decoder(coding)
    assert decoder.feed(body) == b'{"text":"%b"}' % (b"river " * 200)
    assert decoder.ended()
    assert (int(answer.headers["Content-Length"]), answer.headers["ETag"]) == (len(body), 'W/"1"')
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("path", "status", "size_bytes"),
    [("/short", 200, 5), ("/kept", 200, 1200), ("/picture", 200, 900), ("/ranges", 200, 1200), ("/part", 206, 900)],
)
def test_what_must_not_be_compressed_is_left_alone(paced, path, status, size_bytes):
    with paced.ask(path, "zstd, br, gzip") as answer:
        assert (answer.status, len(answer.read())) == (status, size_bytes)
    assert answer.headers["Content-Encoding"] is None


def test_what_is_coded_already_is_not_coded_again(paced):
    with paced.ask("/coded") as answer:
        assert (answer.headers["Content-Encoding"], len(answer.read())) == ("br", 900)


@pytest.mark.parametrize(("coding", "length"), [("br", None), ("identity", "1211")])
def test_a_head_has_the_fields_of_the_get_and_no_length_that_is_not_known(paced, coding, length):
    with paced.ask("/json", coding, method="HEAD") as answer:
        named = None if coding == "identity" else coding
        assert (answer.headers["Content-Length"], answer.headers["Content-Encoding"]) == (length, named)
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.read() == b""


def test_who_accepts_no_coding_is_told_that_others_get_one(paced):
    with paced.ask("/json", "identity") as answer:
        assert len(answer.read()) == 1211
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == (None, "Accept-Encoding")


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_that_breaks_off_is_truncated_in_every_coding(paced, coding):
    with paced.ask("/fails", coding) as answer, pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    decoder = Decoder(coding)
    assert decoder.feed(caught.value.partial) == b"data: 1\n\n"
    assert not decoder.ended()


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("GZip ; q=0.5", "gzip"),
        ("gzip, br, zstd", "zstd"),
        ("gzip;q=1, zstd;q=0.5", "gzip"),
        ("br;q=0.9, *;q=0.1", "br"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=x", None),
        ("gzip;q=nan, br;q=0.1, zstd;q=2", "br"),
        ("identity, gzip;q=0.5", None),
        ("deflate, compress", None),
    ],
)
def test_the_request_chooses_the_coding(field, coding):
    assert choose_coding(field) == coding


PACED = "chunks=3&interval_ms=60000"
#: Every stream that may be compressed, with the knobs that let nothing follow its first chunk for long enough.
STREAMS = {
    **{f"/stream/{name}": PACED for name in ("sse", "ndjson", "text", "bytes", "multipart", "sync")},
    **{f"/native/{name}": PACED for name in ("sse", "ndjson")},
    "/v1/chat/completions": "fail_at=0&fail_how=stall",
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("path", STREAMS)
def test_the_first_chunk_of_every_stream_decodes_long_before_the_second(app, path, coding, asked):
    def begin(accept):
        connection = http.client.HTTPConnection(*app.address, timeout=DEADLINE_S)
        headers, request = {"Accept-Encoding": accept, "Content-Type": "application/json"}, asked(path)
        connection.request(request.get("method", "GET"), f"{path}?{STREAMS[path]}", request.get("body"), headers)
        return contextlib.closing(connection), connection.getresponse()

    connection, answer = begin("identity")
    with connection:
        expected = answer.read1(65536)
    connection, answer = begin(coding)
    decoder, decoded = Decoder(coding), b""
    with connection:
        assert answer.headers["Content-Encoding"] == coding
        while len(decoded) < len(expected):
            decoded += decoder.feed(answer.read1(65536))
    assert len(decoded) >= len(expected) > 0


def test_compression_can_be_switched_off(start):
    app = start("--compression", "off")
    connection = http.client.HTTPConnection(*app.address, timeout=DEADLINE_S)
    with contextlib.closing(connection):
        connection.request("GET", "/stream/text?chunks=1", headers={"Accept-Encoding": "gzip"})
        assert connection.getresponse().headers["Content-Encoding"] is None
