"""``streamgauge calibrate``: a source that logs its sends, a run on it, and what the two say of a machine."""
