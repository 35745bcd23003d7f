"""When chunks arrived and were sent, and the alignment of the two clocks."""
