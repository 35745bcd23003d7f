"""Locust's web UI: its form with our options, and how it follows a run that ends."""
