"""Locust scenarios, one per file; mixed.py has all kinds by weight, and locustfile.py is the default mix of three."""
