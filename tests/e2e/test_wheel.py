"""streamgauge installed from its wheel, in clean virtual environments with one extra's dependencies and no more."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.timeout(1000)

ROOT = Path(__file__).parents[2]
PACKAGES = Path(distribution("pytest").locate_file("")).resolve()
#: What lies at the top of the repository, and must not be importable where the wheel is installed.
OURS = ("benchmarks", "loadtests", "monitoring", "target_app", "tests")
#: Below streamgauge, what an extra alone must be enough for.
IMPORTED = {
    "asgi": ("asgi",),
    "load": ("load", "report.console", "report.html", "commands", "calibrate.calibration_run"),
}


def run(*command: object, cwd: Path = ROOT, timeout_s: float = 300) -> SimpleNamespace:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False, timeout=timeout_s
    )
    return SimpleNamespace(status=done.returncode, out=done.stdout, err=done.stderr)


def needed(wheel: Path, extra: str) -> Iterator[Distribution]:
    """The distributions that an extra of the wheel declares, each with what it needs itself."""
    (metadata,) = (each for each in zipfile.Path(wheel).iterdir() if each.name.endswith(".dist-info"))
    ours = PathDistribution(metadata)  # type: ignore[arg-type]  # its protocol of paths is narrower than what it takes
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [("streamgauge", frozenset({extra}))]
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        name, extras = asked
        found = ours if name == "streamgauge" else distribution(name)
        if found is not ours:
            yield found
        for requirement in map(Requirement, found.requires or ()):
            choices = [{"extra": each} for each in extras or {""}]
            if requirement.marker is None or any(requirement.marker.evaluate(choice) for choice in choices):
                waiting.append((requirement.name, frozenset(requirement.extras)))


def link(found: Distribution, directory: Path) -> None:
    """Put links to what ``found`` has installed into ``directory``."""
    for name in {each.parts[0] for each in found.files or ()} - {"..", "__pycache__"}:
        target = directory / name
        if not target.exists() and (PACKAGES / name).exists():
            target.symlink_to(PACKAGES / name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
    built = run(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", directory, ROOT)
    assert built.status == 0, built.err
    (found,) = directory.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes an environment in which the wheel and an extra's dependencies are installed; gives its ``bin``."""

    def install(extra: str) -> Path:
        directory = tmp_path_factory.mktemp(extra)
        made = run(sys.executable, "-m", "venv", "--without-pip", directory)
        assert made.status == 0, made.err
        python = directory / "bin" / "python"
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "--quiet")
        put = run(*pip, "--no-deps", "--no-index", wheel)
        assert put.status == 0, put.err
        (packages,) = directory.glob("lib/python*/site-packages")
        for each in needed(wheel, extra):
            link(each, packages)
        return python.parent

    return install


def test_the_package_alone_is_installed(wheel: Path) -> None:
    listed = run(sys.executable, "-m", "zipfile", "--list", wheel)
    names = {line.split("/")[0] for line in listed.out.splitlines()[1:]}
    assert {re.sub(r"-.*", ".dist-info", name) for name in names} == {"streamgauge", "streamgauge.dist-info"}


@pytest.mark.parametrize(("extra", "modules"), IMPORTED.items())
def test_an_extra_alone_is_enough_for_what_it_is_named_after(
    installed: Callable[[str], Path], tmp_path: Path, extra: str, modules: tuple[str, ...]
) -> None:
    python = installed(extra) / "python"
    for module in modules:
        done = run(python, "-P", "-c", f"import streamgauge.{module} as found; print(found.__file__)", cwd=tmp_path)
        assert done.status == 0, done.err
        assert "site-packages" in done.out


def test_the_demo_runs_outside_the_checkout(installed: Callable[[str], Path], tmp_path: Path) -> None:
    programs = installed("demo")
    for name in OURS:
        assert "ModuleNotFoundError" in run(programs / "python", "-c", f"import {name}", cwd=tmp_path).err
    done = run(programs / "streamgauge", "demo", "--users", "20", "--run-time", "10s", cwd=tmp_path)
    assert "streams finished: client" in done.out
    tables = [line for line in done.out.splitlines() if line.startswith("/stream/sse ")]
    assert len(tables) == 3, done.out  # streams, whole streams, and the server's own view
    (run_directory,) = (tmp_path / "results").iterdir()
    verdict = json.loads((run_directory / "result.json").read_text())["verdict"]
    assert done.status == (3 if verdict["trust"] == "invalid" else 0), done.out + done.err
    assert {"result.json", "report.html", "server.json"} <= {each.name for each in run_directory.iterdir()}
    assert [each.name for each in tmp_path.iterdir()] == ["results"]
