"""Locustfiles that time the chunks of an event stream with Locust's own clients."""
