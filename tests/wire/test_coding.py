"""Content codings undone as they arrive."""

import gzip
import importlib
import sys
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.wire import coding
from streamgauge.wire.coding import available_codings, coding_for
from streamgauge.wire.errors import ProtocolError

zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

TEXT = b"data: the river is rising\n\n" * 3


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


SKIPPABLE_FRAME = bytes.fromhex("502a4d18 02000000 6869")
WHOLE = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": ("X-GZip", gzip.compress(TEXT)),
    "gzip of several members": ("gzip", gzip.compress(TEXT[:20]) + gzip.compress(b"") + gzip.compress(TEXT[20:])),
    "gzip with padding": ("gzip", gzip.compress(TEXT[:20]) + bytes(3) + gzip.compress(TEXT[20:]) + bytes(9)),
    "zlib's deflate": ("deflate", zlib.compress(TEXT)),
    "zlib's deflate, small window": (
        "deflate",
        b"".join((c := zlib.compressobj(wbits=9)).compress(TEXT) or b"" for _ in "x") + c.flush(),
    ),
    "raw deflate": ("deflate", raw_deflate(TEXT)),
    "raw deflate and a checksum": ("deflate", raw_deflate(TEXT) + b"\1\2\3\4"),
    "br": ("br", brotli.compress(TEXT)),
    "zstd": ("zstd", zstd.compress(TEXT)),
    "zstd of several frames": ("zstd", zstd.compress(TEXT[:20]) + SKIPPABLE_FRAME + zstd.compress(TEXT[20:])),
    "two": ("deflate, gzip", gzip.compress(zlib.compress(TEXT))),
    "three": ("zstd, identity,, br ,gzip", gzip.compress(brotli.compress(zstd.compress(TEXT)))),
}
ENCODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}


def decode(content_encoding: str, pieces: list[bytes]) -> tuple[bytes, bool]:
    decoder = coding_for(content_encoding)
    assert decoder is not None
    return b"".join([decoder.feed(piece) for piece in pieces]), decoder.close()


@pytest.mark.parametrize(("name", "coded"), WHOLE.values(), ids=WHOLE)
def test_coded_data_are_the_same_however_they_are_split(name, coded, cuts):
    for pieces in cuts(coded):
        assert decode(name, pieces) == (TEXT, True)


@pytest.mark.parametrize("name", ENCODERS)
def test_coded_data_cut_off_anywhere_are_not_whole(name):
    coded = ENCODERS[name](TEXT)
    for end in range(1, len(coded)):
        decoded, whole = decode(name, [coded[:end]])
        assert TEXT.startswith(decoded)
        assert not whole


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_without_a_byte_is_whole(name):
    assert decode(name, []) == (b"", True)
    assert decode(name, [b""]) == (b"", True)


def gzip_flushes():
    stream = zlib.compressobj(wbits=31)
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def raw_deflate_flushes():
    stream = zlib.compressobj(wbits=-15)
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def br_flushes():
    stream = brotli.Compressor()
    return lambda data: stream.process(data) + stream.flush()


def zstd_flushes():
    stream = zstd.ZstdCompressor()
    return lambda data: stream.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)


@pytest.mark.parametrize(
    ("name", "make"),
    [("gzip", gzip_flushes), ("deflate", raw_deflate_flushes), ("br", br_flushes), ("zstd", zstd_flushes)],
)
def test_a_chunk_is_there_as_soon_as_the_server_flushed_it(name, make):
    flush, decoder = make(), coding_for(name)
    for number in range(50):
        chunk = b'{"n":%d}\n' % number
        assert decoder.feed(flush(chunk)) == chunk
    assert not decoder.close()


@pytest.mark.parametrize(
    ("name", "coded"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"rubbish"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8)),
        ("gzip", bytes(3) + gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT) + b"x"),
        ("deflate", raw_deflate(TEXT) + b"12345"),
        ("deflate", b"\x78\x9c\xff\xff\xff"),
        ("br", brotli.compress(TEXT) + b"rubbish"),
        ("br", b"\xff" * 20),
        ("zstd", zstd.compress(TEXT) + b"rubbish"),
        ("zstd", b"not zstd"),
        ("deflate, gzip", gzip.compress(b"not deflate at all", mtime=0)),
    ],
)
def test_what_cannot_be_decoded_is_refused(name, coded, cuts):
    for pieces in cuts(coded):
        with pytest.raises(ProtocolError, match=name.split(",")[0]):
            decode(name, pieces)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip, br", "br, gzip"])
def test_a_bomb_is_never_held(name):
    bomb = bytes(30_000_000)
    for part in name.split(", "):
        bomb = ENCODERS[part](bomb)
    decoder = coding_for(name, max_piece_bytes=100_000)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="more than 100000 bytes"):
            decoder.feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000  # brotli and zstd have windows of 4 and 8 MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ENCODERS)
def test_a_piece_may_decode_to_the_limit_and_no_further(name):
    coded = ENCODERS[name](bytes(50_000))
    assert coding_for(name, max_piece_bytes=50_000).feed(coded) == bytes(50_000)
    with pytest.raises(ProtocolError, match="more than 49999 bytes"):
        coding_for(name, max_piece_bytes=49_999).feed(coded)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_flood_of_empty_members_takes_linear_time(name):
    decoded, whole = decode(name, [ENCODERS[name](b"") * 30_000])
    assert (decoded, whole) == (b"", True)


@pytest.mark.parametrize("name", ["", "identity", "Identity, identity", " , ", "None", "UTF-8", "binary", "gzip\xa0"])
def test_identity_and_unknown_codings_need_no_decoder(name):
    assert coding_for(name) is None


def test_a_coding_that_cannot_be_decoded_is_named():
    with pytest.raises(ProtocolError, match=r"gzip.*'compress'"):
        coding_for("gzip, compress")


def test_a_long_list_of_codings_is_refused():
    with pytest.raises(ProtocolError, match="at most 4"):
        coding_for(", ".join(["gzip"] * 5))


@pytest.mark.parametrize(("name", "package"), [("br", "brotli"), ("zstd", "backports.zstd")])
def test_a_missing_library_says_what_to_install(monkeypatch, name, package):
    monkeypatch.setattr(coding, "_BROTLI_MODULES", ("no_such_module",))
    monkeypatch.setattr(coding, "_ZSTD_MODULES", ("no_such_package.zstd",))
    with pytest.raises(ProtocolError, match=f"pip install '{package}"):
        coding_for(name)
    assert available_codings() == ("gzip", "deflate")


def test_all_codings_are_available_here():
    assert available_codings() == ("gzip", "deflate", "br", "zstd")


@given(st.binary(max_size=500), st.sampled_from(sorted(ENCODERS)), st.integers(1, 40))
def test_what_one_encodes_is_what_one_decodes(data, name, size):
    coded = ENCODERS[name](data)
    pieces = [coded[start : start + size] for start in range(0, len(coded), size)]
    assert decode(name, pieces) == (data, True)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd"]), st.integers(1, 9))
def test_arbitrary_bytes_are_decoded_or_refused_whatever_the_split(data, name, size):
    def outcome(pieces):
        try:
            return decode(name, pieces)
        except ProtocolError:
            return None

    assert outcome([data]) == outcome([data[start : start + size] for start in range(0, len(data), size)])
