"""Mutation testing of a part of the code: which small faults would its tests not notice?

``python tools/mutants.py PATH [TESTS]...`` works below ``.mutants/``, where mutmut keeps a mutated copy of the code.
docs/mutation-testing.md says how to read what it prints.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import click
from mutmut.mutation.diff_apply import get_diff_for_mutant

ROOT = Path(__file__).resolve().parent.parent
REACH = ROOT / "tools" / "reach"
#: What the tests read besides the code: all of it is copied beside the mutated code.
COPIED = ("tests", "src", "target_app", "loadtests", "monitoring", "benchmarks", "deploy", "docs", "README.md")
PACKAGES = ("target_app", "loadtests", "monitoring")
#: What mutmut writes for the status of pytest: 33 is a mutant that no test reaches, 24 and 36 are tests that hang.
KILLED, SURVIVED, NO_TEST = "killed", "survived", "no test"
STATUS = {0: SURVIVED, 1: KILLED, 3: KILLED, 33: NO_TEST, 5: NO_TEST, 24: KILLED, 36: KILLED, 152: KILLED, -24: KILLED}


def tests_of(path: Path) -> Path:
    """Return the folder of tests that mirrors a folder or a module of the code."""
    parts = path.parts[2:] if path.parts[:2] == ("src", "streamgauge") else path.parts
    folder = ROOT.joinpath("tests", *parts)
    while not folder.is_dir():
        folder = folder.parent
    return folder.relative_to(ROOT)


def prepare(work: Path, path: Path, tests: tuple[str, ...]) -> None:
    """Lay out a folder in which mutmut works: the project's own files, and its settings."""
    work.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        link = work / name
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / name)
    source = path.parts[0]
    only = f"{path}/*" if (ROOT / path).is_dir() else str(path)
    settings = {
        "source_paths": [source],
        "only_mutate": [only],
        "also_copy": [name for name in COPIED if name not in (source, "tests")],
        "pytest_add_cli_args_test_selection": list(tests),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "reached"],
        "use_git_change_detection": False,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    written = (ROOT / "pyproject.toml").read_text() + "\n[tool.mutmut]\n" + "\n".join(lines) + "\n"
    (work / "pyproject.toml").write_text(written)


def results(work: Path) -> dict[str, str]:
    """Return the status of each mutant by its name."""
    found: dict[str, str] = {}
    for meta in (work / "mutants").rglob("*.meta"):
        statuses = json.loads(meta.read_text())["exit_code_by_key"]
        found.update({name: STATUS.get(status, "not run") for name, status in statuses.items()})
    return found


def show(work: Path, found: dict[str, str]) -> None:
    """Print the rate of each module, and write what was not noticed as a diff."""
    by_module: dict[str, Counter[str]] = {}
    for name, status in found.items():
        by_module.setdefault(name.rpartition(".")[0], Counter())[status] += 1
    click.echo(f"{'module':44} {'mutants':>8} {'noticed':>8} {'survived':>9} {'no test':>8} {'rate':>6}")
    for module, counts in (*sorted(by_module.items()), ("all", Counter(found.values()))):
        rate = f"{counts[KILLED] / max(1, counts.total()):.0%}"
        columns = f"{counts.total():8} {counts[KILLED]:8} {counts[SURVIVED]:9} {counts[NO_TEST]:8} {rate:>6}"
        click.echo(f"{module.removeprefix('streamgauge.'):44} {columns}")
    lost = sorted(name for name, status in found.items() if status != KILLED)
    written = work / "survivors.diff"
    with contextlib.chdir(work):  # where mutmut looks for what it wrote
        diffs = [f"# {found[name]}: {name}\n{get_diff_for_mutant(name)}" for name in lost]
    written.write_text("\n".join(diffs))
    click.echo(f"{len(lost)} mutants that no test noticed: {written.relative_to(ROOT)}")


@click.command()
@click.argument("path")
@click.argument("tests", nargs=-1)
@click.option("--fresh", is_flag=True, help="Forget the results of earlier runs.")
@click.option("--processes", default=os.cpu_count(), show_default=True, help="How many mutants are tested at a time.")
def main(path: str, tests: tuple[str, ...], fresh: bool, processes: int) -> None:
    """Test the tests of PATH, a folder or module such as src/streamgauge/stats.

    TESTS are the tests to run, by default the folder of tests that mirrors PATH.
    """
    target = Path(path)
    if target.is_absolute() or not (ROOT / target).exists() or target.parts[0] not in ("src", *PACKAGES):
        raise click.BadParameter(f"expected a folder or module below src or {', '.join(PACKAGES)}, got {path!r}")
    work = ROOT / ".mutants" / "-".join(target.with_suffix("").parts)
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    prepare(work, target, tests or (str(tests_of(target)),))
    # Programs that the tests start get the mutated code as well, and the mutant's name, by their environment. What they
    # reach, tools/reach notes.
    mutated = [work / "mutants" / each for each in ("src", ".")]
    for folder in mutated:
        folder.mkdir(parents=True, exist_ok=True)  # Python never looks again for one that it did not find
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (REACH, *mutated)))}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(processes)]
    if subprocess.run(command, cwd=work, env=environ, check=False).returncode:
        raise click.ClickException("mutmut could not run: its own words are above")
    show(work, results(work))


if __name__ == "__main__":
    main()
