"""Readers of event streams that a benchmark compares, each a process of its own.

Each is told by environment variables what to do (``orders``), reads as many streams as asked, each to its end, and
writes one JSON object when all have ended.
"""
