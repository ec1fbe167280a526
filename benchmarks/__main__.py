"""Run every benchmark, or those whose names are given: ``python -m benchmarks parallel_beam``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run the benchmarks one after the other."""
    wanted = sys.argv[1:]
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if not wanted or name in wanted:
            print(f"\n== {name}")
            runpy.run_path(str(path), run_name="__main__")


if __name__ == "__main__":
    main()
