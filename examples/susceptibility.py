"""Figs. 3b and 3c of Pollok et al. 2025: ``python examples/susceptibility.py susceptibility.png``."""

from __future__ import annotations

import sys
from pathlib import Path

from paper_section import print_comparison

from operando.materials.magnetic_lithiation import volume_from_lithium
from operando.materials.magnetic_table import magnetic_elements, magnetic_material_from_name
from operando.report.statements import add_statements
from operando.report.style import png_bytes
from operando.report.susceptibility import susceptibility_figure


def main() -> None:
    """Draw the figure, and set the paper's statements beside our numbers."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "susceptibility.png")
    whole, peak = (float(volume_from_lithium(lithium=x)) for x in (1.0, 0.6))
    lithium = magnetic_material_from_name("lithium").volume or 0.0
    elements = [m for m in magnetic_elements() if m.volume is not None]
    weaker = [m for m in elements if abs(m.volume or 0.0) < whole]
    stronger = ", ".join(m.name for m in elements if m not in weaker)
    rows = [
        (
            '"monotonously increasing ... in most of the reversible state-of-charge window"',
            f"{whole:.2g} at x = 1, {peak:.2g} at x = 0.6: {peak / whole:.1f} times",
        ),
        (
            '"irrespective of the charge state, ... exceeds that of most elements used in batteries"',
            f"LiCoO2 (x = 1) exceeds {len(weaker)} of {len(elements)} elements by volume, not {stronger}",
        ),
        (
            'lithium metal "one order of magnitude weaker"',
            f"{whole / lithium:.1f} (x = 1) to {peak / lithium:.0f} times (x = 0.6) weaker",
        ),
    ]
    path.write_bytes(png_bytes(add_statements(susceptibility_figure(), rows)))
    print(f"{path}: written")
    print_comparison(rows)


if __name__ == "__main__":
    main()
