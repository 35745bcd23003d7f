"""The readers of event streams that a benchmark compares, each in its own process.

Environment variables (``orders``) tell a reader how many streams to read. It reads each to its end, and writes one JSON
object when all have ended.
"""
