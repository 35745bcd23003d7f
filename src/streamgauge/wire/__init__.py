"""Wire formats without I/O: bytes in, chunks out.

A response passes three stages. ``http1_head`` parses its head, and a ``framing`` (``http1_body``, ``websocket_body``)
extracts its body piece by piece; a ``decoder`` cuts the pieces into chunks; ``end`` recognises the last chunk that the
application meant to send. Between framing and decoder, ``coding`` decodes a content coding. Chunks stay raw bytes and
are parsed only if a scenario or an option needs their content.

``formats`` lists the formats. Each is a module (``sse``, ``ndjson``, ``raw``, ``multipart``, ``websocket``, ``openai``,
``openai_responses``, ``anthropic``, ``gemini``, ``ollama``) that holds its decoder and declares its ``Format``: media
types, request defaults, and all other differences. ``token_stream`` has what the streams of language models share.
"""
