"""Locust scenarios, one per file; locustfile.py is the default mix."""
