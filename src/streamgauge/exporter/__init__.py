"""The client metrics for Prometheus: counts, state and page. Does not import Locust."""
