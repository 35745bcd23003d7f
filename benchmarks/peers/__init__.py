"""Compares load generators for language models, as users install them, on one source whose log is the truth."""
