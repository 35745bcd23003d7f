"""The dashboards drawn from a real Prometheus, by the command that users run."""

import pytest
from PIL import Image

from monitoring.dashboards import DASHBOARDS
from tools.preview.__main__ import main
from tools.preview.page import CELL_PX, PAGE_PX

pytestmark = pytest.mark.timeout(900)

BUILT = {dashboard["uid"]: dashboard for dashboard in (build() for build in DASHBOARDS)}


@pytest.fixture(scope="module")
def pictures(live, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    options = ["--prometheus", live.source.url, "--end", str(live.during_s), "--last", "60s"]
    assert main([*options, "--output", str(folder)]) == 0
    return folder


def test_there_is_one_picture_of_each_dashboard(pictures):
    assert {path.stem for path in pictures.iterdir()} == set(BUILT)


@pytest.mark.parametrize("uid", BUILT)
def test_a_picture_is_as_high_as_the_grid_and_small_enough_to_keep(pictures, uid):
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in BUILT[uid]["panels"])
    path = pictures / f"{uid}.png"
    with Image.open(path) as image:
        assert image.width == PAGE_PX
        assert rows * CELL_PX < image.height < (rows + 4) * CELL_PX
        assert len(image.getcolors(1 << 16)) > 20
    assert path.stat().st_size < 250_000


def test_lines_are_drawn_where_there_was_traffic_and_a_word_where_there_was_none(live, pictures, tmp_path):
    before = ["--prometheus", live.source.url, "--end", str(live.began_s - 600), "--last", "60s"]
    assert main([*before, "--output", str(tmp_path)]) == 0
    for uid in BUILT:
        assert (tmp_path / f"{uid}.png").stat().st_size < (pictures / f"{uid}.png").stat().st_size
