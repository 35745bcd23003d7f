"""Steady state: whether and from when on a run's figures kept one level. Pure functions of numbers by time."""
