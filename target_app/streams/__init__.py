"""One module per wire format: its endpoint, and how a chunk of it is made."""
