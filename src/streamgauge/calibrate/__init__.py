"""``streamgauge calibrate``: measure a source that logs its sends, and find this machine's error from that."""
