"""The import graph of each part has no circle, between modules or between folders, and modules stay short."""

import ast
import graphlib
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = {"streamgauge": "src", "target_app": ".", "monitoring": ".", "benchmarks": "."}
MOST_LINES = 300


def modules(part):
    """The files of a part's modules, by name."""
    root = ROOT / PARTS[part]
    files = sorted((root / part).rglob("*.py"))
    return {".".join(each.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): each for each in files}


def imported(file, known):
    """The names among ``known`` that a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno} imports relatively"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in known else node.module for name in names if {name, node.module} & known)


def graph(files):
    """By module the other modules of its part that it imports."""
    known = set(files)
    return {name: set(imported(file, known)) - {name} for name, file in files.items()}


def of_children(imports):
    """By package, the imports between its children that those of the modules in them come to."""
    packages = defaultdict(lambda: defaultdict(set))
    for importer, names in imports.items():
        for name in names:
            ours, theirs = importer.split("."), name.split(".")
            same = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
            if same is not None:
                packages[".".join(ours[:same])][ours[same]].add(theirs[same])
    return packages


def circle(imports):
    """The names on a circle, of which each imports the one before it; empty where there is none."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize("part", PARTS)
def test_no_modules_import_each_other(part):
    imports = graph(modules(part))
    assert sum(map(len, imports.values())) > len(imports) / 2
    assert circle(imports) == []


@pytest.mark.parametrize("part", PARTS)
def test_no_children_of_a_package_import_each_other(part):
    packages = of_children(graph(modules(part)))
    assert packages[part]
    assert {package: found for package, imports in packages.items() if (found := circle(imports))} == {}


def test_a_circle_is_found_between_modules_and_between_folders():
    imports = {"a.b.x": {"a.c.y"}, "a.c.y": set(), "a.c.z": {"a.b.w"}, "a.b.w": set()}
    assert circle(imports) == []
    assert sorted(set(circle(of_children(imports)["a"]))) == ["b", "c"]
    assert set(circle(imports | {"a.c.y": {"a.c.z"}, "a.b.w": {"a.b.x"}})) == set(imports)


def test_no_two_modules_of_the_instrument_share_a_name():
    names = Counter(file.stem for file in modules("streamgauge").values())
    assert [name for name, times in names.items() if times > 1 and name not in ("__init__", "__main__")] == []


def test_no_module_is_long():
    lines = {name: len(file.read_text().splitlines()) for part in PARTS for name, file in modules(part).items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
