"""Streams of a few milliseconds, whose cost is that of starting and ending them."""
