"""Start Locust as a child process, follow its run and show it."""
