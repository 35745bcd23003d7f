"""Wire formats without I/O: bytes in, chunks out.

A response passes three stages. ``http1`` finds its head, and ``framing`` takes its body out piece by piece; a decoder
(``sse``, ``ndjson``, ``raw``, ``multipart``, ``openai``) cuts the pieces into chunks; ``end`` says which chunk was the
last that the application meant to send. Chunks stay raw bytes: they are parsed further only when somebody looks inside.
A content coding is undone in between (``coding``), and a WebSocket is a framing whose pieces are messages.
"""
