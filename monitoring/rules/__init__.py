"""Recording and alerting rules for Prometheus, built from the catalog. Imports no grafanalib."""
