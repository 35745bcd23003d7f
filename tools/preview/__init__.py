"""Draws the dashboards from a live Prometheus, for the pictures in the documentation and for a look without Grafana."""
