"""Note which functions a process of a test reaches. Python imports this module in every process that finds it.

mutmut learns only inside pytest's own process which test reaches which function. While it learns, its trampoline
calls this note in the processes that the tests start. Each name is written at once, because a process may be killed.
"""

import contextlib
import os
from pathlib import Path

if os.environ.get("MUTANT_UNDER_TEST") == "stats" and "MUTANTS_REACHED" in os.environ:
    written = Path(os.environ["MUTANTS_REACHED"])
    seen: set[str] = set()

    def note(name: str, caller: str | None = None) -> None:  # noqa: ARG001 - called as mutmut's own function is
        """Write a function's name where it is reached for the first time."""
        if name not in seen:
            seen.add(name)
            with written.open("a") as file:
                file.write(f"{name}\n")

    with contextlib.suppress(ImportError):  # a Python without the development dependencies has no mutants
        import mutmut.stats

        mutmut.stats.record_trampoline_hit = note
