"""The landing page at ``/``: what there is, and each stream playing live in the browser.

The page is made from the catalogue of the streams and from the OpenAPI document, so it says of a stream and its knobs
what these say. It brings all that it needs: nothing is asked of any other origin, and its policy forbids it.
"""
