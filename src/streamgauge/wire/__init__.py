"""Wire formats without I/O: bytes in, chunks out.

A response passes three stages. ``http1_head`` finds its head, and a ``framing`` (``http1_body``, ``websocket_body``)
takes its body out piece by piece; a ``decoder`` cuts the pieces into chunks; ``end`` says which chunk was the last that
the application meant to send. Chunks stay raw bytes: they are parsed further only when somebody looks inside. A content
coding is undone in between (``coding``).

``formats`` lists the formats. Each is a module (``sse``, ``ndjson``, ``raw``, ``multipart``, ``websocket``, ``openai``)
that holds its decoder and declares its ``format``: media types, request, and all in which it differs from the others.
"""
