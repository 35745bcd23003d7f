"""The measuring engine beside other readers of event streams."""
