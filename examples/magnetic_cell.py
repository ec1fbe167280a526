"""The cell of Fig. 4a of Pollok et al. 2025, solved: ``python examples/magnetic_cell.py --out FOLDER --voxel 200``.

A Li | LLZO | LixCoO2 section with a dendrite is charged by the same charge at C/10, 1C, 5C and 25C. Drawn are lithium
and the current density, and the fields 50 nm above the surface. ``--scene llzo-section-3d --voxel 250`` charges the
section in three dimensions, with particles and a dendrite partly below the surface: about ten minutes of one core.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from charged_section import CHARGE, RATES, Charged, Map, charged
from current_focus import area_of_half, beside_dendrite, contacts_of_particles
from matplotlib.figure import Figure
from paper_section import APPLIED_FIELD, STAND_OFF, PaperSection, parser, print_comparison

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.magnetism.section import oersted_field_of_section, stray_field_of_section
from operando.report.microscope_maps import draw_map, draw_outlines
from operando.report.statements import add_statements
from operando.report.style import LITHIUM, SEQUENTIAL, new_figure, panel_title, png_bytes, styled

SCENES = ("llzo-section", "llzo-section-3d")
MATERIALS = {"electrolyte": "LLZO", "active": "LiCoO2", "lithium": "lithium"}
CUTS = {"dendrite": 6e-6, "tips": 12e-6, "separator": 17e-6, "first particles": 20e-6, "far end": 28e-6}
"""Where the current is cut [m from the negative plate]."""
END = 3e-6
"""Of the positive electrode, what lies next to the separator and what is farthest from it [m]."""


@dataclass(frozen=True)
class Fields:
    """Fields ``(y, x)`` over the surface [T]: of the current at 25C, and stray fields in 100 mT after 5C."""

    oersted: xr.DataArray
    electrode: xr.DataArray
    lithium: xr.DataArray


def fields_of(structure: Microstructure, charges: dict[str, Charged]) -> Fields:
    """Compute all fields."""
    return Fields(
        oersted=oersted_field_of_section(charges["25C"].currents, stand_off=STAND_OFF),
        electrode=_stray(structure, charges["5C"].lithium, "active"),
        lithium=_stray(structure, None, "lithium"),
    )


@styled
def cell_figure(structure: Microstructure, charges: dict[str, Charged], fields: Fields) -> Figure:
    """Draw lithium in the surface at every rate, the largest current density below each point, and the fields."""
    figure, grid = new_figure(height=225), structure.grid
    panels = figure.subplots(4, 2).ravel()
    for letter, panel, (rate, charge) in zip("abcd", panels, charges.items(), strict=False):
        lithium = charge.lithium.values[-1]
        draw_map(figure, panel, lithium, grid, label="x of LixCoO₂", limits=(0.4, 0.8), colours=LITHIUM)
        draw_outlines(panel, structure, lithium=True)
        panel_title(panel, letter, f"Lithium after {charge.run.time[-1]:.0f} s at {rate}")
    density = np.maximum(charges["25C"].density.max(axis=0), 1e-3)
    label, limits = "|J| (mA/cm²)", (1.0, 1000.0)
    draw_map(figure, panels[4], density, grid, label=label, limits=limits, colours=SEQUENTIAL, logarithmic=True)
    panel_title(panels[4], "e", "Largest current density below each point, 25C")
    maps = (
        (fields.oersted, 1e9, "nT", "Oersted field at 25C"),
        (fields.electrode, 1e6, "µT", "Stray field of the electrode after 5C"),
        (fields.lithium, 1e6, "µT", "Stray field of lithium metal"),
    )
    for letter, panel, (field, scale, unit, title) in zip("fgh", panels[5:], maps, strict=True):
        draw_map(figure, panel, field.sel(component="z").values * scale, grid, label=f"Bz ({unit})")
        draw_outlines(panel, structure, lithium=True)
        panel_title(panel, letter, title)
    return figure


def lithium_rows(section: PaperSection, charges: dict[str, Charged]) -> list[tuple[str, str]]:
    """What the paper says of lithium, and ours."""
    says = {
        "C/10": "homogeneous at C/10",
        "1C": "homogeneous at 1C",
        "5C": "x above 1/2 at 5C",
        "25C": "25C, not shown",
    }
    rows = []
    for rate, charge in charges.items():
        found = f"x of particles {charge.particles.min():.3f} to {charge.particles.max():.3f}"
        rows.append((says[rate], f"{found}, of a voxel {float(charge.lithium.min()):.3f} or more"))
    along = charges["5C"].lithium.mean(["z", "y"])
    start = section.scene.layers[0] + section.scene.layers[1]
    near, far = (
        float(along.sel(x=slice(start + d, start + d + END)).mean()) for d in (0.0, section.scene.layers[2] - END)
    )
    return [
        *rows,
        ("5C: next to the negative electrode first", f"mean x {near:.3f} in the first 3 µm, {far:.3f} in the last"),
    ]


def current_rows(section: PaperSection, charge: Charged) -> list[tuple[str, str]]:
    """Where the current is crowded."""
    beside = beside_dendrite(section.structure, section.scene.layers[0])
    at = contacts_of_particles(section.structure, charge.currents)
    density = charge.density
    rows = [
        (f"half of the current, {name}", f"through {100 * area_of_half(charge.currents, place):.2g} % of the area")
        for name, place in CUTS.items()
    ]
    metal = section.structure.mask("lithium") & (section.structure.grid.coordinate("x") > 3e-6)
    return [
        *rows,
        ("the dendrite focuses the current", f"up to {_most(density[beside]):.0f} mA/cm² in electrolyte beside it"),
        ("", f"up to {_most(density[metal]):.0f} mA/cm² in it"),
        ("hot spots at contacts of particles", f"mean {at.mean:.0f}, 1 % above {at.high:.0f} mA/cm²"),
        ("", f"mean {at.elsewhere:.0f}, 1 % above {at.high_elsewhere:.0f} mA/cm² elsewhere in particles"),
    ]


def field_rows(section: PaperSection, fields: Fields) -> list[tuple[str, str]]:
    """What the paper says of fields, and ours."""
    separator, positive = section.over("separator"), section.over("positive")
    along, normal = (fields.oersted.sel(component=c).values * 1e9 for c in "yz")
    electrode, metal = (f.sel(component="z").values * 1e6 for f in (fields.electrode, fields.lithium))
    return [
        ('Oersted field "1-5 nT"', f"Bz {_span(normal[:, separator])} nT over the separator"),
        ("", f"Bz {_span(normal[:, positive])} nT over particles; By {_span(along)} nT"),
        ('LixCoO2 "on the order of 10 µT"', f"{_span(electrode[:, positive])} µT over particles"),
        ('lithium "one order of magnitude weaker"', f"{_span(metal[:, separator])} µT over the separator"),
    ]


def main() -> None:
    """Charge at every rate, draw, and set the paper's statements beside our numbers."""
    options = parser(__doc__, voxel=200e-9)
    options.add_argument("--scene", choices=SCENES, default=SCENES[0])
    given = options.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    scene = load_scene(given.scene).at_voxel(given.voxel * 1e-9)
    structure = microstructure_from_scene(scene)
    charges = {}
    for rate in RATES:
        charges[rate] = charged(structure, rate)
        run = charges[rate].run
        print(f"{rate:5} {CHARGE / RATES[rate]:6.0f} s: {run.status}, {run.voltage[-1]:.3f} V", flush=True)
    fields = fields_of(structure, charges)
    section = PaperSection(scene, structure, charges["5C"].lithium)
    rows = [*lithium_rows(section, charges), *current_rows(section, charges["25C"]), *field_rows(section, fields)]
    path = given.out / f"{'magnetic-cell' if given.scene == SCENES[0] else 'magnetic-cell-3d'}.png"
    path.write_bytes(png_bytes(add_statements(cell_figure(structure, charges, fields), rows)))
    print(f"{path}: written")
    print_comparison(rows)


def _stray(structure: Microstructure, lithium: xr.DataArray | None, phase: str) -> xr.DataArray:
    """Field of one phase in LLZO."""
    return stray_field_of_section(
        structure,
        materials=dict.fromkeys(MATERIALS, "LLZO") | {phase: MATERIALS[phase]},
        lithium=lithium,
        applied_field=(0.0, 0.0, APPLIED_FIELD),
        stand_off=STAND_OFF,
    )


def _most(values: npt.NDArray[np.float64]) -> float:
    return float(np.percentile(values, 99.9))


def _span(values: Map) -> str:
    low, high = np.percentile(values, [0.1, 99.9])
    return f"{low:+.2g} to {high:+.2g}"


if __name__ == "__main__":
    main()
