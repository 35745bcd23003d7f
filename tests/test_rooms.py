"""``make test-fast`` looks into every room, and the parts of ``make test`` leave none out."""

import sys
from pathlib import Path

import pytest

from tests.conftest import SLOW
from tools import run_tests
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


def test_every_test_is_in_one_part():
    for file in TESTS.rglob("test_*.py"):
        path = file.relative_to(TESTS.parent)
        arguments = [run_tests.paths(part) for part in PARTS]
        taken = [all_of for all_of in arguments if any(path.is_relative_to(each) for each in all_of)]
        left = [all_of for all_of in taken if not any(path.is_relative_to(each[9:]) for each in all_of if "=" in each)]
        assert len(left) == 1, path


@pytest.mark.parametrize(
    ("statuses", "options", "status"),
    [
        ((0, 0, 0), [], 0),
        ((1, 0, 0), [], 1),
        ((0, 0, 5), [], 1),
        ((0, 2, 0), [], 1),
        ((0, 0, -9), [], 1),
        ((0, 0, 5), ["-m", "not slow"], 0),
        ((0, 1, 5), ["-m", "not slow"], 1),
    ],
)
def test_all_parts_run_and_one_that_fails_fails_them_all(statuses, options, status, monkeypatch, capfd):
    codes = dict(zip(("first", "second", "third"), statuses, strict=True))
    monkeypatch.setattr(run_tests, "PARTS", tuple((each,) for each in codes))

    def command(part, *given):
        said = ["ran", part, *given]
        end = f"raise SystemExit({codes[part]})" if codes[part] >= 0 else f"os.kill(os.getpid(), {-codes[part]})"
        return [sys.executable, "-uc", f"import os; print(*{said!r}); {end}"]

    monkeypatch.setattr(run_tests, "command", command)
    assert run_tests.run_all(options) == status
    said = capfd.readouterr().out
    assert [" ".join(["ran", name, *options]) in said for name in codes] == [True] * 3
    how = {1: "failed", 2: "ended with 2", 5: "ended with 5", -9: "was ended by signal 9"}
    bad = [f"{name}: {how[code]}" for name, code in codes.items() if code and not (code == 5 and options)]
    assert said.splitlines()[-len(bad) :] == bad or not bad
