"""A streaming service with one instrument, or none: ``python -m benchmarks.testbed.service INSTRUMENT WORKERS``."""

#: Names the instrument to a process that imports the app.
VARIABLE = "BENCHMARK_INSTRUMENT"
BARE, OURS = "bare", "streamgauge"
INSTRUMENTS = (BARE, OURS, "prometheus-fastapi-instrumentator", "starlette-exporter")
