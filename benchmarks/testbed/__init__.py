"""The sources, services, relays and disturbances of benchmarks and tests, and facts about the machine."""
