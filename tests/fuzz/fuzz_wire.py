"""A coverage-guided fuzzer for everything in ``streamgauge.wire``, and for the client's fast path past most of it.

    pip install atheris
    python tests/fuzz/fuzz_wire.py -max_total_time=600 -max_len=2048 -timeout=10

All arguments go to libFuzzer; a folder named among them keeps the corpus. Each input picks a target, and the points to
split at. It must hold that nothing but ProtocolError is raised, that every split gives the same chunks and the same
end, that a parser with small limits holds little, whatever it is fed, and that short ways lead where the long ones do.
``test_seeds.py`` runs every target once on each of the inputs that the fuzzer begins with, without atheris.
"""

import sys
import tempfile
from pathlib import Path
from types import ModuleType

import atheris

with atheris.instrument_imports(include=["streamgauge", "wsproto"]):
    from wire_seeds import seeds
    from wire_targets import TARGETS

    from streamgauge.wire import coding, http1_body, multipart, websocket_deflate

#: Limits that inputs of a fuzzer's size would never reach.
SMALL: dict[ModuleType, dict[str, object]] = {
    coding: {"_SLICE_BYTES": 16},
    websocket_deflate: {"MAX_FINAL_BLOCKS": 3},
    http1_body: {"MAX_LINE_BYTES": 24, "MAX_TRAILER_BYTES": 48, "_MAX_KNOWN_SIZES": 4},
    multipart: {"MAX_PART_HEAD_BYTES": 48, "MAX_PADDING_BYTES": 6, "_TAIL": multipart.tail_pattern(6)},
}

CHECKS = tuple(TARGETS.values())


def one_input(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    check = CHECKS[provider.ConsumeIntInRange(0, len(CHECKS) - 1)]
    sizes = [provider.ConsumeIntInRange(0, 40) for _ in range(provider.ConsumeIntInRange(0, 6))]
    if rest := provider.ConsumeBytes(provider.remaining_bytes()):
        check(rest, sizes)


def main() -> None:
    for module, limits in SMALL.items():
        vars(module).update(limits)
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            for target in range(len(CHECKS)):
                # FuzzedDataProvider takes numbers from the end: the count of splits before the parser.
                (Path(folder) / f"{number}-{target}").write_bytes(seed + bytes([number, 7, 2, target]))
        atheris.Setup([*sys.argv, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
