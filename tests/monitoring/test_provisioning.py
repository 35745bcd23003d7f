"""Prometheus and Grafana are configured for these dashboards: same interval, same uid, same folder."""

import subprocess
from pathlib import Path

import yaml

from monitoring.config import DATASOURCE_UID, SCRAPE_INTERVAL_S

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
