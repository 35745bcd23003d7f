"""Locustfiles that time the chunks of an event stream as Locust's own clients let them."""
