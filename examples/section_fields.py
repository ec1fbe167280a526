"""Fig. 4a of Pollok et al. 2025: ``python examples/section_fields.py --out FOLDER``.

A Li | LLZO | LixCoO2 section with prescribed lithium and current, and the fields 50 nm above it: stray field of the
positive electrode and of the dendrite in 100 mT, and Oersted field at 23.5 mA/cm^2. Takes about two minutes at 100 nm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from paper_section import (
    APPLIED_FIELD,
    CHARGING,
    CURRENT_DENSITY,
    STAND_OFF,
    PaperSection,
    arguments,
    paper_section,
    print_comparison,
)

from operando.electrochemistry.section_current import section_current
from operando.magnetism.section import oersted_field_of_section, stray_field_of_section
from operando.report.microscope_maps import draw_map, draw_outlines
from operando.report.statements import add_statements
from operando.report.style import BLACK, LITHIUM, SEQUENTIAL, SKY, new_figure, panel_title, png_bytes, styled

Map = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SectionFields:
    """Fields normal to the surface ``(y, x)`` [T] and the size of the current density ``(z, y, x)`` [A/m^2]."""

    electrode: Map
    dendrite: Map
    dendrite_alone: Map
    oersted: Map
    oersted_along: Map
    current: Map


def section_fields(section: PaperSection) -> SectionFields:
    """Compute all fields; as in the paper, those of electrode and dendrite apart."""
    conductors = section.scene.conductors
    currents = section_current(
        section.structure,
        conductivity={phase: conductor.conductivity for phase, conductor in conductors.items()},
        current_density=CHARGING * CURRENT_DENSITY,
        grain_boundary_resistance=section.scene.electrolyte.grain_boundary_resistance,
    ).currents
    oersted = oersted_field_of_section(currents, stand_off=STAND_OFF, copies=1)
    return SectionFields(
        electrode=_stray(section, "active", "electrolyte"),
        dendrite=_stray(section, "lithium", "electrolyte"),
        dendrite_alone=_stray(section, "lithium"),
        oersted=oersted.sel(component="z").values,
        oersted_along=oersted.sel(component="y").values,
        current=np.sqrt((currents.density() ** 2).sum("component")).values,
    )


def _stray(section: PaperSection, *phases: str) -> Map:
    """Field of some phases; the electrolyte, if it is one of them, fills the place of those left out."""
    filling = {phase: section.materials["electrolyte"] for phase in section.materials if "electrolyte" in phases}
    field = stray_field_of_section(
        section.structure,
        materials=filling | {phase: section.materials[phase] for phase in phases},
        lithium=section.lithium if "active" in phases else None,
        applied_field=(0.0, 0.0, APPLIED_FIELD),
        stand_off=STAND_OFF,
    )
    return np.asarray(field.sel(component="z").values)


@styled
def section_figure(section: PaperSection, fields: SectionFields) -> Figure:
    """Draw what lies in the surface, what lies below it, and the three fields."""
    figure, grid = new_figure(height=172), section.structure.grid
    panels = figure.subplots(3, 2).ravel()
    _lithium(figure, panels[0], section)
    _depths(figure, panels[1], section)
    maps = (
        (fields.electrode, 1e6, "Bz (µT)", "Particles in electrolyte, 100 mT"),
        (fields.dendrite, 1e6, "Bz (µT)", "Lithium metal in electrolyte, 100 mT"),
        (fields.oersted, 1e9, "Bz (nT)", "Current of 23.5 mA/cm² (charging, to −x)"),
    )
    for axes, letter, (values, scale, label, title) in zip(panels[[2, 3, 5]], "cdf", maps, strict=True):
        draw_map(figure, axes, values * scale, grid, label=label)
        draw_outlines(axes, section.structure)
        panel_title(axes, letter, title)
    density = np.maximum(fields.current.max(axis=0) / 10, 1.0)
    limits = (5.0, 1e4)
    draw_map(
        figure, panels[4], density, grid, label="|J| (mA/cm²)", limits=limits, colours=SEQUENTIAL, logarithmic=True
    )
    panel_title(panels[4], "e", "Largest current density below each point")
    return figure


def _lithium(figure: Figure, axes: Axes, section: PaperSection) -> None:
    draw_map(
        figure,
        axes,
        section.lithium.values[-1],
        section.structure.grid,
        label="x of LixCoO₂",
        limits=(0.5, 0.75),
        colours=LITHIUM,
    )
    draw_outlines(axes, section.structure, lithium=False)
    _shade(axes, section, section.structure.mask("lithium")[-1], SKY)
    panel_title(axes, "a", "In the surface: lithium metal (blue) and lithium")


def _depths(figure: Figure, axes: Axes, section: PaperSection) -> None:
    structure = section.structure
    solid = structure.mask("lithium") | structure.mask("active")
    # of the uppermost voxel that is not electrolyte
    below = np.argmax(solid[::-1], axis=0) * structure.grid.spacing[0]
    depth = np.where(solid.any(axis=0), below * 1e6, np.nan)
    draw_map(figure, axes, depth, structure.grid, label="Depth (µm)", limits=(0, 3), colours="cividis_r")
    panel_title(axes, "b", "How deep lithium metal and particles lie")


def _shade(axes: Axes, section: PaperSection, mask: npt.NDArray[np.bool_], colour: str) -> None:
    image = axes.get_images()[0]
    shade = np.where(mask, 1.0, np.nan)
    axes.imshow(shade, origin="lower", extent=image.get_extent(), cmap=ListedColormap([colour]), interpolation="none")
    for spine in axes.spines.values():
        spine.set_color(BLACK)


def span(values: Map) -> str:
    """Range that holds 99.8 % of pixels."""
    low, high = np.percentile(values, [0.1, 99.9])
    return f"{low:+.2g} to {high:+.2g}"


def main() -> None:
    """Draw the figure, and set the paper's statements beside our numbers."""
    out, voxel = arguments(__doc__)
    section = paper_section(voxel)
    fields = section_fields(section)
    path = out / "section-fields.png"
    positive, separator = section.over("positive"), section.over("separator")
    metal = section.structure.mask("lithium")
    metal[:, :, ~separator] = False
    peak = float(np.percentile(fields.current[metal], 99.9)) / 10
    rows = [
        ('LixCoO2 "on the order of 10 µT"', f"{span(fields.electrode[:, positive] * 1e6)} µT over particles"),
        (
            'lithium metal "one order of magnitude weaker"',
            f"{span(fields.dendrite[:, separator] * 1e6)} µT over the dendrite in LLZO",
        ),
        ("", f"{span(fields.dendrite_alone[:, separator] * 1e6)} µT without the diamagnetism of LLZO"),
        ('"on the order of 1–5 nT"', f"{span(fields.oersted[:, separator] * 1e9)} nT (Bz) over the dendrite"),
        (
            '"smaller signals in inactive battery regions"',
            f"{span(fields.oersted[:, positive] * 1e9)} nT (Bz) over particles",
        ),
        ("not shown in the paper", f"{span(fields.oersted_along * 1e9)} nT (By)"),
        ('"local ... 100–10,000 mA/cm²" near dendrites', f"{peak:.0f} mA/cm² in the dendrite (99.9 % is below)"),
    ]
    path.write_bytes(png_bytes(add_statements(section_figure(section, fields), rows)))
    print(f"{path}: written")
    print_comparison(rows)


if __name__ == "__main__":
    main()
