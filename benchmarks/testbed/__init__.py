"""What benchmarks and tests run against: sources, services, relays, sabotage, and the machine that they run on."""
