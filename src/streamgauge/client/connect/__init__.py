"""From an address to a connected, encrypted transport."""
