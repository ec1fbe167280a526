"""Supplementary Fig. S10 of Pollok et al. 2025: ``python examples/nv_orientation.py --out FOLDER``.

Stray field of the positive electrode along the axis of the sensor, when the applied field and that axis stand normal to
the surface (a (111) diamond), lie in it along the current (110), or lean 54.7 deg from the normal (100).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from paper_section import APPLIED_FIELD, STAND_OFF, PaperSection, arguments, paper_section, print_comparison

from operando.magnetism.fields_labelled import along_axis
from operando.magnetism.nv import nv_frames_from_cut
from operando.magnetism.section import stray_field_of_section
from operando.report.microscope_maps import draw_map, draw_outlines
from operando.report.statements import add_statements
from operando.report.style import new_figure, panel_title, png_bytes, styled

TILT = float(np.arccos(nv_frames_from_cut(cut="100")[0, 2, 2]))
AXES = {
    "normal to the surface": (0.0, 0.0, 1.0),
    "in the surface, along x": (1.0, 0.0, 0.0),
    f"{np.degrees(TILT):.1f}° from the normal": (float(np.sin(TILT)), 0.0, float(np.cos(TILT))),
}


def maps_by_axis(section: PaperSection) -> dict[str, xr.DataArray]:
    """Field along each axis of the positive electrode in a field along that axis [T]."""
    materials = {phase: name for phase, name in section.materials.items() if phase != "lithium"}
    maps = {}
    for name, axis in AXES.items():
        field = stray_field_of_section(
            section.structure,
            materials=materials,
            lithium=section.lithium,
            applied_field=tuple(APPLIED_FIELD * component for component in axis),
            stand_off=STAND_OFF,
        )
        maps[name] = along_axis(field, axis)
    return maps


@styled
def orientation_figure(section: PaperSection, maps: dict[str, xr.DataArray]) -> Figure:
    """Draw the maps on one scale."""
    figure = new_figure(height=56)
    positive = section.over("positive")
    largest = max(float(np.percentile(np.abs(field.values[:, positive]), 99.5)) for field in maps.values()) * 1e6
    for axes, letter, (name, field) in zip(figure.subplots(1, 3), "abc", maps.items(), strict=True):
        draw_map(figure, axes, field.values * 1e6, section.structure.grid, label="B (µT)", limits=(-largest, largest))
        draw_outlines(axes, section.structure, lithium=False)
        axes.set_xlim(float(np.cumsum(section.scene.layers)[1]) * 1e6 - 3, None)
        panel_title(axes, letter, name)
    return figure


def main() -> None:
    """Draw the figure, and set the paper's statement beside our numbers."""
    out, voxel = arguments(__doc__)
    section = paper_section(voxel)
    maps = maps_by_axis(section)
    path = out / "nv-orientation.png"
    rows = []
    for name, field in maps.items():
        over = field.values[:, section.over("positive")] * 1e6
        low, high = np.percentile(over, [0.5, 99.5])
        rows.append((f'"on the order of 10 µT in all cases": {name}', f"{low:.1f} to {high:.1f} µT (99 % of pixels)"))
    path.write_bytes(png_bytes(add_statements(orientation_figure(section, maps), rows)))
    print(f"{path}: written")
    print_comparison(rows)


if __name__ == "__main__":
    main()
