"""The paced source that streamgauge brings along, under the benchmarks' own name."""

from streamgauge.calibrate.source import main

if __name__ == "__main__":
    main()
