"""The environment variables through which the benchmark tells its locustfile what to do."""

#: The name of the client, and the file for what Locust's own clients saw.
CLIENT, SEEN_FILE = "CLIENT", "SEEN_FILE"
