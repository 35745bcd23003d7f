"""The committed files are what the build writes; the check says which are not."""

import pytest

from monitoring import build
from monitoring.promql.text import CatalogError

#: A dashboard that the build once wrote, and no longer does.
LEFT_OVER = '{"tags": ["streamgauge", "generated"]}'


@pytest.fixture
def folder(tmp_path):
    """A folder that the build has written."""
    assert build.main(["--output", str(tmp_path)]) == 0
    return tmp_path


def check(folder):
    return build.main(["--check", "--output", str(folder)])


def test_the_committed_dashboards_are_up_to_date():
    assert build.main(["--check"]) == 0


def test_the_build_gives_the_same_text_twice():
    assert build.generate() == build.generate()


def test_a_changed_a_missing_and_a_left_over_file_are_named(folder, capsys):
    (folder / "streamgauge-overview.json").write_text("{}")
    (folder / "removed.json").write_text(LEFT_OVER)
    assert check(folder) == 1
    said = capsys.readouterr().err
    assert "streamgauge-overview.json" in said
    assert "removed.json" in said
    assert "make dashboards" in said


def test_writing_makes_a_stale_folder_current(folder):
    (folder / "streamgauge-overview.json").unlink()
    (folder / "removed.json").write_text(LEFT_OVER)
    (folder / "another.json").write_text('{"tags": ["streamgauge"]}')
    (folder / "broken.json").write_text("{")
    assert build.main(["--output", str(folder)]) == 0
    assert check(folder) == 0
    assert not (folder / "removed.json").exists()
    assert (folder / "another.json").exists()
    assert (folder / "broken.json").exists()


def test_a_dashboard_that_the_catalog_cannot_feed_exits_2(monkeypatch, capsys):
    def broken():
        raise CatalogError("expected a metric of streamgauge.catalog, got 'x'")

    monkeypatch.setattr(build, "DASHBOARDS", (broken,))
    assert build.main(["--check"]) == 2
    assert "got 'x'" in capsys.readouterr().err
