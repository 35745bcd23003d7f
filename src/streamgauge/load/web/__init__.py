"""Changes Locust's web UI: the form for our options, and polling while a run ends."""
