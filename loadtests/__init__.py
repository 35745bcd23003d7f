"""Locust scenarios, one a file; locustfile.py is the default mix."""
