"""A run from its start to its result: alone, as a master, as a worker."""
