"""Locustfiles whose users run short streams, for the benchmark of the cost per stream."""
