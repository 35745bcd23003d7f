"""Compares streamgauge with other tools, with a minimal reader, and with the log of a source."""
