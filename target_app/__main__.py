"""Serve the app and its metrics: ``python -m target_app``."""

import sys

from target_app.serving import main

if __name__ == "__main__":
    sys.exit(main())
