"""The open model: streams arrive at a set rate, whatever the service does."""
