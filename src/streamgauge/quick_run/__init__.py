"""``streamgauge run``: from a URL, a curl command or a recorded session to a Locust run and its locustfile."""
