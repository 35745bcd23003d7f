"""All PromQL: ``text`` has the building blocks, the other modules what panels, runs, results and rules ask.

A function names a metric family of the catalog, and refuses one, or a label, that the catalog does not define.
"""
