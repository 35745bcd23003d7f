"""The landing page at ``/``: it lists the streams, and plays each of them live in the browser.

It is made from the catalogue of the streams and from the OpenAPI document. It loads nothing from another origin.
"""
