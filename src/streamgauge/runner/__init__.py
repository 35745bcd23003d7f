"""Starts Locust and other children, follows a run and shows it."""
