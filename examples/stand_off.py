"""Fig. 4c of Pollok et al. 2025: ``python examples/stand_off.py --out FOLDER``.

Stray field of the positive electrode in 100 mT against the distance between sensor and surface.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from paper_section import APPLIED_FIELD, PaperSection, arguments, paper_section, print_comparison

from operando.magnetism.detection import contrast_from_map, resolution_from_distance
from operando.magnetism.section import stray_field_of_section
from operando.report.microscope_maps import draw_map, draw_outlines
from operando.report.statements import add_statements
from operando.report.style import BLUE, GREY, new_figure, panel_title, png_bytes, styled
from operando.twin.magnetic_instruments import INSTRUMENTS

SHOWN = (50e-9, 500e-9, 2e-6)
STAND_OFFS = (10e-9, 20e-9, 50e-9, 100e-9, 200e-9, 500e-9, 1e-6, 2e-6, 5e-6, 10e-6)
LIMITS = {"continuous, 1 s": INSTRUMENTS["scanning NV"], "pulsed, 1 s": INSTRUMENTS["scanning NV, pulsed"]}


def maps_by_stand_off(section: PaperSection) -> xr.DataArray:
    """Field normal to the surface at every stand-off ``(z, y, x)`` [T]."""
    field = stray_field_of_section(
        section.structure,
        materials=section.materials,
        lithium=section.lithium,
        applied_field=(0.0, 0.0, APPLIED_FIELD),
        stand_off=STAND_OFFS,
    )
    return field.sel(component="z")


def signals(section: PaperSection, maps: xr.DataArray) -> np.ndarray:
    """Largest departure from the mean over the positive electrode at every stand-off [T]."""
    return contrast_from_map(field=maps.values[:, :, section.over("positive")])


@styled
def stand_off_figure(section: PaperSection, maps: xr.DataArray) -> Figure:
    """Draw maps at three stand-offs, each on its own scale, and the signal at all."""
    figure = new_figure(height=118)
    panels = figure.subplots(2, 2).ravel()
    for axes, letter, stand_off in zip(panels[:3], "abc", SHOWN, strict=True):
        field = maps.sel(z=stand_off, method="nearest").values * 1e6
        draw_map(figure, axes, field, section.structure.grid, label="Bz (µT)")
        draw_outlines(axes, section.structure)
        panel_title(axes, letter, f"{stand_off * 1e9:g} nm above the surface")
    _against_distance(panels[3], signals(section, maps))
    return figure


def _against_distance(axes: Axes, signal: np.ndarray) -> None:
    distance = np.array(STAND_OFFS) * 1e6
    axes.loglog(distance, signal * 1e6, "o-", color=BLUE)
    for name, instrument in LIMITS.items():
        axes.axhline(instrument.sensitivity * 1e6, color=GREY, linewidth=0.6)
        axes.text(distance[0], instrument.sensitivity * 1.15e6, name, color=GREY)
    axes.set(xlabel="Stand-off (µm)", ylabel="Departure of Bz from its mean (µT)", ylim=(0.03, 50))
    panel_title(axes, "d", "Signal over the positive electrode")


def main() -> None:
    """Draw the figure, and set the paper's statements beside our numbers."""
    out, voxel = arguments(__doc__)
    section = paper_section(voxel)
    maps = maps_by_stand_off(section)
    path = out / "stand-off.png"
    rows = []
    for stand_off, signal in zip(STAND_OFFS, signals(section, maps), strict=True):
        resolved = resolution_from_distance(sensor=LIMITS["pulsed, 1 s"].resolution, distance=stand_off)
        stated = "" if rows else '"signals are weaker ... poorer resolution on the order of the distance"'
        found = f"{signal * 1e6:.3g} µT, details of {resolved * 1e9:.0f} nm at {stand_off * 1e9:g} nm"
        rows.append((stated, found))
    path.write_bytes(png_bytes(add_statements(stand_off_figure(section, maps), rows)))
    print(f"{path}: written")
    print_comparison(rows)


if __name__ == "__main__":
    main()
