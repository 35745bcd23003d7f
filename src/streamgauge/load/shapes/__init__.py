"""Shapes: how a load, of users or of streams per second, changes over the time of a run."""
