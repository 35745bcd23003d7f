"""The client metrics of a running Locust: their port, and what feeds them."""
