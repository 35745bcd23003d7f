"""Wire formats without I/O: bytes in, chunks out. Imports nothing but the standard library.

A response passes three stages. ``http1`` finds its head and takes its body out of its framing, piece by piece; a
decoder (``sse``, ``ndjson``, ``raw``) cuts the pieces into chunks; ``end`` says which chunk was the last that the
application meant to send. Chunks stay raw bytes: they are parsed further only when somebody looks inside.
"""
