"""The limits that users and servers feel, as numbers.

Tests of a limit look at both sides of its edge, and mostly take the edge from the code: they would move with it. Here
is where it must stand. Whoever moves one on purpose changes it here too, and where the documentation names it.
"""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
#: Each name with the values that it has, in whichever modules.
LIMITS = {
    # What a response may hold.
    "MAX_BOUNDARY_BYTES": [200],
    "MAX_CHOICES": [1024],
    "MAX_CHUNK_BYTES": [16 * MIB],
    "MAX_CODINGS": [4],
    "MAX_CONTROL_BYTES": [125],
    "MAX_DEFLATE_TRAILER_BYTES": [4],
    "MAX_ERROR_CHARACTERS": [500],
    "MAX_FINAL_BLOCKS": [64],
    "MAX_HEAD_BYTES": [65_536],
    "MAX_LINE_BYTES": [8192],
    "MAX_PADDING_BYTES": [1024],
    "MAX_PART_HEAD_BYTES": [16_384],
    "MAX_PIECE_BYTES": [16 * MIB],
    "MAX_TRAILER_BYTES": [65_536],
    "WINDOW": [1024],
    "BLOCK_BYTES": [65_536],
    # What a WebSocket is closed with (RFC 6455, section 7.4.1).
    "PROTOCOL_ERROR": [1002],
    "INVALID_PAYLOAD": [1007],
    "MESSAGE_TOO_BIG": [1009],
    # How exact a time is, and when it is believed.
    "SIGNIFICANT_DIGITS": [2],
    "RELATIVE_ERROR": [0.01],
    "HALF_COUNT_BITS": [7],
    "SAME_CLOCK_NS": [200_000],
    "MAX_SLEW": [0.001],
    "JITTER_NS": [2000],
    "FUTURE_NS": [50_000],
    "READABLE_AFTER_NS": [50_000],
    "GOOD_FOR_NS": [50_000_000],
    "RISE_NS": [200_000],
    "ACAUSAL_NS": [50_000],
    # What the server's metrics port takes from its clients.
    "MAX_CONNECTIONS": [64],
    "MAX_REQUEST_BYTES": [16_384],
    "MAX_FIELDS": [100],
    "REQUEST_S": [5.0],
    "RESPONSE_S": [30.0],
    "LAST_READ_S": [2.0],
    # How long the middleware waits at the end.
    "UNWINDING_S": [1.0],
    "LAST_ACTS_S": [2.0],
    "BLOCKED_S": [0.005],
    # How long the client waits.
    "first_chunk_timeout_s": [30.0],
    "idle_timeout_s": [30.0],
    "stall_threshold_s": [1.0],
    "max_redirects": [10],
    "ATTEMPT_DELAY_S": [0.25],
    "CLOSING_S": [10.0],
    "SKIPPED_BYTES": [65536],
    "SKIPPED_S": [1.0],
    "SAID_BYTES": [500],
    "ENDING_S": [1.0],
    "DEFAULT_WAIT_S": [3.0],
    "FIRST_SHARE": [1 / 16],
    "REFUSAL_PAUSE_S": [1.0],
    "GRACE_S": [10.0],
    "CUT_GRACE_S": [3.0],
    "LONGEST_S": [1e9],
    # What a run is shown as.
    "MAX_REASONS": [50],
    "MAX_REFUSAL_BODIES": [5],
    "MAX_TOLD_APART": [200],
    "MOST_NAMES": [100],
    "_MOST_REMEMBERED": [100_000],
    "_MAX_REASON": [160],
    "MAX_QUOTED": [200],
    "MOST_LINES": [8],
    "_MOST_LINES": [10],
    "_MOST_ROWS": [6],
    "MOST_POINTS": [240, 900],
    "MOST_CURVES": [40],
    "SHOWN": [8],
    "MOST_BYTES": [3_000_000],
    "LONG_S": [600],
    "_MISSING": [1.5],
    "OPEN_SECONDS": [30],
    "WARN_AFTER_S": [5.0],
    "LINE_EVERY_S": [5.0, 10.0],
    # What Prometheus is shown.
    "KEPT_S": [90.0],
    "NAMES": [20],
    "RUNS": [5],
    "PORT": [9102],
    "LINGER_S": [15.0],
    "LOOK_S": [1.0],
    "JUDGE_S": [5.0],
    "JUDGE_FROM_S": [15],
    "TICK_S": [0.05],
    "TICKS_PER_FLUSH": [5],
    "SCRAPE_TIMEOUT_S": [1.0],
    "REFRESH_S": [10.0],
    "CLIENT_CLOSED_REQUEST": [499],
    # What commands take.
    "_MOST_USERS": [20_000],
    "_LONGEST_S": [24 * 3600],
    "_SHORTEST_MS": [0.1],
    # What the sample app takes.
    "MOST_CHUNKS": [100_000],
    "LONGEST_INTERVAL_MS": [60_000],
    "LONGEST_STREAM_S": [3600],
    "LARGEST_BODY_BYTES": [1 << 30],
    "LARGEST_COLLECTED_BYTES": [MIB],
    "LONGEST_BLOCK_MS": [250],
    "LONGEST_PATHOLOGY_S": [60],
    "LONGEST_CHUNK_BYTES": [MIB],
    "SHORTEST_KEY": [16],
    "heartbeat_s": [15.0],
}


def constants(source):
    """The names of a module and of its classes that hold a number."""
    for scope in ast.walk(ast.parse(source)):
        if not isinstance(scope, ast.Module | ast.ClassDef):
            continue
        for statement in scope.body:
            if isinstance(statement, ast.Assign):
                target, value = statement.targets[0], statement.value
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                target, value = statement.target, statement.value
            else:
                continue
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            for name, number in zip(target.elts, value.elts, strict=True) if both else ((target, value),):
                found = evaluated(number)
                if isinstance(name, ast.Name) and isinstance(found, int | float):
                    yield name.id, found


def evaluated(expression):
    """The value of an expression of numbers alone."""
    allowed = (ast.Constant, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop)
    if all(isinstance(node, allowed) for node in ast.walk(expression)):
        return eval(compile(ast.Expression(expression), "", "eval"))
    return None


@pytest.fixture(scope="module")
def found():
    values = defaultdict(set)
    for folder in ("src/streamgauge", "target_app"):
        for module in (ROOT / folder).rglob("*.py"):
            for name, value in constants(module.read_text(encoding="utf-8")):
                values[name].add(value)
    return values


@pytest.mark.parametrize("name", LIMITS)
def test_the_limit_is(found, name):
    assert sorted(found[name]) == LIMITS[name]
