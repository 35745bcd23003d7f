"""What servers of event streams that break off send, for the tests of reconnecting."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
OPEN = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
NOTHING_MORE = b"HTTP/1.1 204 No Content\r\n\r\n"
READ = "read"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


SOON = chunk(b"retry: 10\n\n")
DONE = chunk(b"event: done\ndata: x\n\n")


def event(number: int) -> bytes:
    return chunk(b"id: %d\ndata: x\n\n" % number)
