"""Simulate a solid-state cell at the beamline, analyse its raw files, and hold the result against the truth."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from operando.cli.main import main as operando
from operando.report.quantities import quantities_figure
from operando.report.style import png_bytes
from operando.study.truth import as_quantities, compared, text_of


def main() -> None:
    """Run the demonstration in a folder, which is made anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write, replaced if it is an old demo")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    out: Path = arguments.out
    if out.exists():
        if not (out / "truth").is_dir():
            sys.exit(f"{out} is there and is no demo of ours: choose another folder with --out.")
        shutil.rmtree(out)
    print("\n1. A cell at the simulated beamline: neutron and X-ray scans over ten hours of cycling\n", flush=True)
    operando(["simulate", "cell-b", "--out", str(out), "--seed", str(arguments.seed)])
    print("\n2. The analysis, from the raw files alone\n", flush=True)
    operando(["run", str(out / "study.toml")])
    rows = compared(out / "results", out / "truth" / "truth.json")
    print("\n3. Against the truth, which the analysis has not read\n")
    print(text_of(rows))
    picture = out / "results" / "figures" / "truth.png"
    picture.write_bytes(png_bytes(quantities_figure(as_quantities(rows))))
    within = sum(abs(row.pull) <= 2 for row in rows)
    print(f"\n{within} of {len(rows)} figures within two standard deviations of the truth; drawn in {picture}")
    print(f"Open {out / 'results' / 'report.html'}")


if __name__ == "__main__":
    main()
