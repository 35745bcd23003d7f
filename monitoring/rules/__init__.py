"""Recording and alerting rules for Prometheus, built from the catalog. Nothing of Grafana here."""
