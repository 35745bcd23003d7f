"""When chunks arrived and were sent, and how two clocks are brought together."""
