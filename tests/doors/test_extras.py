"""Each extra of pyproject.toml alone is enough for its part: whatever it does not bring cannot be imported.

tests/e2e/test_wheel.py installs some for real; here what an extra does not require is hidden from a process.
"""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.doors.conftest import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
#: What an extra is for, and what must not be in it.
ENOUGH = {
    "asgi": (["streamgauge.asgi"], "click"),
    "load": (
        ["streamgauge.load", "streamgauge.commands", "streamgauge.report.html", "loadtests.locustfile"],
        "fastapi",
    ),
    "monitoring": (["monitoring.build"], "prometheus_client"),
    "app": (["target_app.app", "target_app.worker", "target_app.__main__"], "locust"),
    "demo": (["streamgauge.commands", "target_app.app", "streamgauge.load"], "grafanalib"),
}
#: Of developers and of those who build a wheel: not for any module of ours.
OF_DEVELOPERS = {"build", "dev"}
IMPORT = """
import importlib, json, os, sys
allowed, modules, alone = json.loads(sys.argv[1])

class OnlyWhatTheExtraBrings:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in allowed or name.startswith("_sysconfigdata"):
            return None
        raise ModuleNotFoundError(f"{name} is not of this extra", name=name)

sys.meta_path.insert(0, OnlyWhatTheExtraBrings())
if alone:
    importlib.import_module(alone)
for module in modules:
    importlib.import_module(module)
"""


def provided(extra):
    """The modules that an extra brings, with all that they require."""
    waiting, seen = [Requirement(f"streamgauge[{extra}]")], set()
    while waiting:
        required = waiting.pop()
        for each in required.extras or {""}:
            if (required.name, each) in seen:
                continue
            seen.add((required.name, each))
            # ours as they stand in the file, which may have changed since the installation
            ours = required.name == "streamgauge"
            found = map(Requirement, EXTRAS.get(each, ()) if ours else distribution(required.name).requires or ())
            waiting += [one for one in found if one.marker is None or one.marker.evaluate({"extra": each})]
    names = {canonicalize_name(name) for name, _ in seen}
    return {
        module
        for module, owners in packages_distributions().items()
        if names & {canonicalize_name(owner) for owner in owners}
    }


def run(extra, modules, alone=""):
    ours = {"streamgauge", "target_app", "loadtests", "monitoring", "encodings"}
    allowed = sorted(provided(extra) | ours | sys.stdlib_module_names)
    return subprocess.run(
        [sys.executable, "-c", IMPORT, json.dumps([allowed, modules, alone])],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_every_extra_is_tested():
    assert set(ENOUGH) | OF_DEVELOPERS == set(EXTRAS)


@pytest.mark.parametrize("extra", ENOUGH)
def test_an_extra_alone_is_enough(extra):
    modules, _ = ENOUGH[extra]
    done = run(extra, modules)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("extra", ENOUGH)
def test_an_extra_brings_nothing_of_another(extra):
    _, other = ENOUGH[extra]
    assert f"{other} is not of this extra" in run(extra, [], alone=other).stderr
