"""The import graph of each part has no circle, between modules or between folders, and modules stay short."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = {"streamgauge": "src", "target_app": ".", "monitoring": ".", "benchmarks": "."}
MOST_LINES = 300
