"""Every target of the fuzzer stands the inputs that it begins with, in a run without coverage guidance."""

import sys
from pathlib import Path

import pytest

from streamgauge.client.read import batch_reader

sys.path.insert(0, str(Path(__file__).parent))
try:
    from wire_seeds import seeds
    from wire_targets import TARGETS
finally:
    del sys.path[0]

SIZES = ([], [7, 5], [0, 1, 2, 3], [2, 30, 40])
#: Each choice that it can make once.
CHOICES = {"check_ways": [[size] for size in range(12)]}


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_stands_every_seed(target):
    for seed in seeds():
        for sizes in CHOICES.get(target, SIZES):
            TARGETS[target](seed, sizes)


def test_the_fast_path_is_taken_at_all(monkeypatch):
    found = []
    monkeypatch.setattr(
        batch_reader, "whole_event", lambda data, look=batch_reader.whole_event: found.append(look(data)) or found[-1]
    )
    for seed in seeds():
        TARGETS["check_ways"](seed, [])
    assert len(found) - found.count(None) > 3
    assert None in found
