"""The dashboards as they are built, and their parts: a test that names one of these runs for each."""

import pytest

from monitoring.dashboards import DASHBOARDS

BUILT = [build() for build in DASHBOARDS]
PANELS = [(dashboard["uid"], panel) for dashboard in BUILT for panel in dashboard["panels"] if panel["type"] != "row"]
CHARTS = [(uid, panel) for uid, panel in PANELS if panel["type"] == "timeseries"]
TARGETS = [(uid, panel, target) for uid, panel in PANELS for target in panel["targets"]]


def _named(uid, panel):
    return f"{uid}: {panel['title']} ({panel['type']})"


@pytest.fixture(params=BUILT, ids=[dashboard["uid"] for dashboard in BUILT])
def dashboard(request):
    return request.param


@pytest.fixture(params=[panel for _, panel in PANELS], ids=[_named(uid, panel) for uid, panel in PANELS])
def panel(request):
    return request.param


@pytest.fixture(params=[panel for _, panel in CHARTS], ids=[_named(uid, panel) for uid, panel in CHARTS])
def chart(request):
    return request.param


@pytest.fixture(
    params=[target for *_, target in TARGETS],
    ids=[f"{_named(uid, panel)} {target['refId']}" for uid, panel, target in TARGETS],
)
def target(request):
    return request.param


@pytest.fixture
def promtool(program):
    return program("promtool")
