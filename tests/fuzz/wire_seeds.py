"""Inputs for the fuzzer to begin with; it tries each on every target."""

import gzip
import importlib
import sys
import zlib

from wire_streams import CODINGS

#: The answer to the key of RFC 6455 section 1.3.
SWITCH = b"""HTTP/1.1 101 S
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Extensions: permessage-deflate
Sec-WebSocket-Protocol: chat"""


def _token_streams() -> list[bytes]:
    """A short answer in each API of language models."""
    return [
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":3}}}\n\n'
            b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"a"}}\n\n'
            b'event: message_delta\ndata: {"usage":{"output_tokens":2}}\n\nevent: message_stop\ndata: {}\n\n'
        ),
        (
            b'event: response.created\ndata: {"type":"response.created","response":{}}\n\n'
            b'data: {"type":"response.output_text.delta","delta":"a"}\n\n'
            b'data: {"type":"response.completed","response":{"usage":{"output_tokens":2}}}\n\ndata: [DONE]\n\n'
        ),
        b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}\r\n\r\n',
        b'[{"candidates":[{"content":{"parts":[{"text":"a}\\"{"}]}}]}\n,\r\n{"error":{"message":"no"}}]\n',
        b'{"model":"m","message":{"content":"a"},"done":false}\n{"model":"m","done":true,"eval_count":2}',
        (
            b'data:{"token":{"text":"a","special":false},"generated_text":"a","details":{"generated_tokens":1}}\n\n'
            b'data: {"content":"a","stop":true,"tokens_predicted":2}\n\n'
        ),
    ]


def seeds() -> list[bytes]:
    """Streams, reads, and values of fields."""
    text = b'{"n":1,"choices":[{"index":0,"delta":{"content":"a"}}]}'
    deflated = zlib.compressobj(wbits=-10)
    message = deflated.compress(b"hello hello") + deflated.flush(zlib.Z_SYNC_FLUSH)
    found = [
        *_token_streams(),
        b"\xef\xbb\xbfevent: e\r\nid: 1\rdata: a\ndata\n\n: c\n\ndata: [DONE]\n\nretry: 1\n\n",
        b"data: " + text + b'\n\ndata: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        b'event: error\ndata: {"error":{"message":"no"}}\n\n' + text + b"\n",
        b"id: 1\nretry: 5\n\ndata: x\nid\n\nretry: 6\rid: 2\r\r",
        b"id: 7\nevent: a\ndata: 1\nevent:b\nid:8\n\n",
        b"event: done\ndata: a\rb\n\n",
        b"data: 1\r\r",
        b"event: a\nretry: 1\ndata: 1\n\n",
        b"10\r\nid: 1\ndata: abc\n\n\r\n",
        b"\0".join([b"data:0\n\n", *(b"id: %d\ndata:\n\n" % n for n in (1, 2, 4, 3)), b": c\n\n", b"data: [DONE]\n\n"]),
        b"\0".join([b"data:0\n\n"] * 3 + [b"=8\r\ndata:", b"event: done\ndata:\n\n", b"=9\n\n\r\n", b"=0\r\n\r\n"]),
        b"\0".join(b"id: %d\nevent: e\ndata: %d\n\n" % (n // 2, n) for n in range(24) if n not in (8, 13)),
        b"\n\n".join(b'{"n":%d}' % n for n in (1, 20, 2, 19, 20, 3, 21))
        + b'\n\ndata: {"a":1,"n":"22"}\n\nid: 1\nid: x',
        b"\0".join(b"id: %d\ndata:\n" % (n // 2) + (b"\r\n" if n in (8, 9) else b"\n") for n in range(16)),
        b"event:done\0event: done\ndata: 1",
        b"data:[DONE]\0data: [DONE]",
        b"chunks:2\0",
        b'json:a.0=1\0{"a":[1]}',
        b"not event:ping\0event: ping\ndata: 1",
        b"x\r\n--b\r\nContent-Length: 3\r\n\r\nabc\r\n--b \r\nA: b\r\n\r\nabc--bx\r\n--b--\r\ny",
        b"----b\n\nabc\n----b\nContent-Length: 1\n\na\n----b--",
        b"\x81\x02hi\x01\x01h\x89\x01p\x80\x01i\x82\x7e\x00\x80" + bytes(128) + b"\x88\x04\x03\xe8ok",
        b"\xc1" + bytes([len(message) - 4]) + message[:-4] + b"\x88\x00",
        b"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\nrest",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"HTTP/1.1 100 C\r\n\r\nHTTP/1.0 200\nContent-Length: 3\nA: b\n c\nSet-Cookie: d\n\nabcd",
        SWITCH,
        gzip.compress(b"hello") + gzip.compress(b"you") + bytes(4),
        gzip.compress(gzip.compress(b"hello")),
        gzip.compress(bytes(3000)),
        zlib.compress(b"hello"),
        message,
        b'permessage-deflate; server_max_window_bits="10"',
        b'multipart/mixed; a=b; boundary="a\\"b"',
        b"application/jsonl; charset=utf-8",
        b'text/html, multipart/mixed; boundary="a,b", text/event-stream',
        b'[1e999, "\\ud800", 1' + b"1" * 4_400 + b", NaN]",
        b"\r\nHTTP/1.2 200 O\x01K\r\nTransfer-Encoding: chunked\r\n\r\n0001\r\na\r\n0\r\nA: b\nC: d\r\n\n",
    ]
    if "br" in CODINGS:
        import brotli

        found += [brotli.compress(b"hello hello"), brotli.compress(bytes(3000))]
    if "zstd" in CODINGS:
        zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
        found.append(zstd.compress(b"hello") + zstd.compress(b"you"))
    return found
