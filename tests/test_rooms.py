"""``make test-fast`` looks into every room, and the parts of ``make test`` leave none out."""

from pathlib import Path

from tests.conftest import SLOW
from tools.run_tests import PARTS

TESTS = Path(__file__).parent


def rooms() -> dict[str, list[str]]:
    """The test files of each folder directly below ``tests``, as paths from there."""
    files = [path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")]
    found: dict[str, list[str]] = {}
    for file in files:
        if "/" in file:
            found.setdefault(file.partition("/")[0], []).append(file)
    return found


def test_every_slow_path_exists():
    assert [each for each in SLOW if not (TESTS / each).exists()] == []


def test_every_room_has_a_test_that_is_not_slow():
    for room, files in rooms().items():
        fast = [file for file in files if not any(Path(file).is_relative_to(each) for each in SLOW)]
        assert fast, room


def test_every_part_of_all_tests_exists_and_is_named_once():
    named = [path for part in PARTS for path in part]
    assert len(named) == len(set(named))
    assert [path for path in named if not (TESTS.parent / path).exists()] == []
