"""The middleware's cost per chunk, in instructions, so that neither the machine nor other work can disturb it."""

import shutil
import sys

import pytest

from benchmarks.instructions import per_chunk
from benchmarks.testbed.service.counted import WAYS

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is missing"),
    pytest.mark.skipif(sys.platform != "linux", reason="valgrind runs this on Linux"),
]

#: The most instructions for one chunk beyond those of middleware that only passes messages on. Python 3.11 needs a
#: tenth less.
LIMITS = {"raw messages": 4_500, "known events": 5_300, "new events": 9_400}


STREAMS = [("raw messages", WAYS[1]), *((content, "streamgauge") for content in LIMITS)]


@pytest.fixture(scope="module")
def counts():
    return per_chunk(STREAMS)


@pytest.mark.parametrize("content", LIMITS)
def test_a_chunk_costs_no_more_than_its_limit(counts, content):
    own = counts[content, "streamgauge"] - counts["raw messages", WAYS[1]]
    assert 0 < own <= LIMITS[content]
