"""Prometheus and Grafana are configured for these dashboards: same interval, same uid, same folder."""

import subprocess
from pathlib import Path

import pytest
import yaml

from monitoring.config import DATASOURCE_UID, RUNBOOKS_URL, SCRAPE_INTERVAL_S

pytestmark = pytest.mark.timeout(360)

MONITORING = Path(__file__).parents[2] / "monitoring"


def load(path):
    return yaml.safe_load((MONITORING / path).read_text())


def test_promtool_accepts_the_scrape_configuration(promtool):
    command = [
        promtool,
        "check",
        "config",
        "--lint=all",
        "--lint-fatal",
        MONITORING / "prometheus" / "prometheus.yml",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_scrape_interval_is_the_same_everywhere():
    expected = f"{SCRAPE_INTERVAL_S}s"
    assert load("prometheus/prometheus.yml")["global"]["scrape_interval"] == expected
    (source,) = load("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["jsonData"]["timeInterval"] == expected


def test_the_provisioned_data_source_is_the_one_that_dashboards_start_with():
    (source,) = load("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert (source["uid"], source["type"], source["isDefault"]) == (DATASOURCE_UID, "prometheus", True)


def test_the_stack_mounts_the_generated_dashboards_where_grafana_looks():
    (provider,) = load("grafana/provisioning/dashboards/streamgauge.yml")["providers"]
    compose = yaml.safe_load((MONITORING.parent / "docker-compose.yml").read_text())
    mounts = compose["services"]["grafana"]["volumes"]
    assert f"./monitoring/generated:{provider['options']['path']}:ro" in mounts


def flags(service):
    compose = yaml.safe_load((MONITORING.parent / "docker-compose.yml").read_text())["services"][service]
    return dict(each.partition("=")[::2] for each in compose["command"]), compose["volumes"]


def test_the_stack_s_prometheus_serves_the_runbooks_that_alerts_link_to():
    found, mounts = flags("prometheus")
    assert RUNBOOKS_URL == "{{ $externalURL }}/user"
    assert f"./docs/runbooks:{found['--web.user-assets']}:ro" in mounts


@pytest.mark.parametrize(("service", "port"), [("prometheus", 9090), ("alertmanager", 9093)])
def test_links_in_alerts_begin_with_an_address_that_a_browser_reaches(service, port):
    name = service.upper()
    expected = f"${{{name}_URL:-http://127.0.0.1:${{{name}_PORT:-{port}}}}}"
    assert flags(service)[0]["--web.external-url"] == expected


def test_who_may_only_look_can_explore_too():
    grafana = yaml.safe_load((MONITORING.parent / "docker-compose.yml").read_text())["services"]["grafana"]
    wanted = {"GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer", "GF_USERS_VIEWERS_CAN_EDIT": "true"}
    assert wanted.items() <= grafana["environment"].items()
