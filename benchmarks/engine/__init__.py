"""Compares the measuring engine with other readers of event streams."""
