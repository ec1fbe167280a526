"""The cell of Fig. 4a of Pollok et al. 2025, solved: ``python examples/magnetic_cell.py --out FOLDER --voxel 200``.

A Li | LLZO | LixCoO2 section with a dendrite is charged by the same charge at C/10, 1C, 5C and 25C. Drawn are lithium
and the current density, and the fields 50 nm above the surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.figure import Figure
from paper_section import APPLIED_FIELD, STAND_OFF, arguments, print_comparison

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.currents import FaceCurrents
from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.resolved.builtin import cell_from_microstructure
from operando.electrochemistry.resolved.currents import face_currents, lithium_in_particles
from operando.electrochemistry.resolved.run import Run, run_protocol
from operando.magnetism.section import oersted_field_of_section, stray_field_of_section
from operando.report.microscope_maps import draw_map, draw_outlines
from operando.report.statements import add_statements
from operando.report.style import LITHIUM, SEQUENTIAL, new_figure, panel_title, png_bytes, styled

RATES = {"C/10": 0.94, "1C": 9.4, "5C": 47.0, "25C": 235.0}
"""Current density [A/m^2]: 0.09, 0.94, 4.70 and 23.5 mA/cm^2."""
CHARGE = RATES["5C"] * 240.0
"""4 minutes at 5C [C/m^2]."""
START = 0.97
MATERIALS = {"electrolyte": "LLZO", "active": "LiCoO2", "lithium": "lithium"}

Map = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Charged:
    """One charge: what came of it, x on voxels, and the currents at its end."""

    run: Run
    lithium: xr.DataArray
    particles: Map
    currents: FaceCurrents

    def reached(self, low: float, high: float) -> bool:
        """Whether x of all particles lies between two values."""
        return bool((self.particles > low).all() and (self.particles < high).all())


def charged(structure: Microstructure, rate: str) -> Charged:
    """Charge the section."""
    cell, current = cell_from_microstructure(structure), RATES[rate]
    run = run_protocol(cell, protocol=[galvanostatic(current, CHARGE / current)], lithiation=START, tolerance=2e-3)
    end = run.states[-1]
    x = np.where(cell.reached.active, np.asarray(end.fields.lithiation), START)
    alive = np.unique(structure.particle[cell.reached.active]) - 1
    return Charged(
        run=run,
        lithium=structure.grid.array(np.where(structure.mask("active"), x, np.nan), name="lithium", units=""),
        particles=lithium_in_particles(cell, end, structure.particle)[alive],
        currents=face_currents(cell, end),
    )


@styled
def cell_figure(structure: Microstructure, charges: dict[str, Charged], fields: dict[str, Map]) -> Figure:
    """Draw lithium at every rate, the current density and the fields at the highest."""
    figure = new_figure(height=225)
    panels = figure.subplots(4, 2).ravel()
    for letter, panel, (rate, charge) in zip("abcd", panels, charges.items(), strict=False):
        lithium = charge.lithium.values[-1]
        draw_map(figure, panel, lithium, structure.grid, label="x of LixCoO₂", limits=(0.4, 0.8), colours=LITHIUM)
        draw_outlines(panel, structure, lithium=True)
        panel_title(panel, letter, f"Lithium after {charge.run.time[-1]:.0f} s at {rate}")
    density = np.sqrt((charges["25C"].currents.density() ** 2).sum("component")).values[-1] / 10
    draw_map(
        figure,
        panels[4],
        np.maximum(density, 1e-3),
        structure.grid,
        label="|J| (mA/cm²)",
        limits=(1.0, 1000.0),
        colours=SEQUENTIAL,
        logarithmic=True,
    )
    panel_title(panels[4], "e", "Current density at 25C")
    for letter, panel, (title, values) in zip("fgh", panels[5:], fields.items(), strict=True):
        unit, scale = ("nT", 1e9) if "Oersted" in title else ("µT", 1e6)
        draw_map(figure, panel, values * scale, structure.grid, label=f"Bz ({unit})")
        draw_outlines(panel, structure, lithium=True)
        panel_title(panel, letter, title)
    return figure


def main() -> None:
    """Charge at every rate, draw, and set the paper's statements beside our numbers."""
    out, voxel = arguments(__doc__)
    structure = microstructure_from_scene(load_scene("llzo-section").at_voxel(voxel))
    charges = {rate: charged(structure, rate) for rate in RATES}
    for rate, charge in charges.items():
        print(f"{rate:5} {charge.run.status}, {charge.run.voltage[-1]:.3f} V")
    fields = {
        "Oersted field at 25C": oersted_field_of_section(charges["25C"].currents, stand_off=STAND_OFF),
        "Stray field of the electrode after 5C": _stray(structure, charges["5C"].lithium, "active"),
        "Stray field of lithium metal": _stray(structure, None, "lithium"),
    }
    maps = {title: field.sel(component="z").values for title, field in fields.items()}
    path = out / "magnetic-cell.png"
    density = np.sqrt((charges["25C"].currents.density() ** 2).sum("component")).values / 10
    metal = structure.mask("lithium")
    metal[:, :, : round(2.5e-6 / voxel)] = False
    beside = _beside(metal) & structure.mask("electrolyte")
    oersted, electrode, dendrite = maps.values()
    rows = [
        ("homogeneous at C/10", _range(charges["C/10"].particles)),
        ("homogeneous at 1C", _range(charges["1C"].particles)),
        ("5C: particles next to the negative electrode first", _range(charges["5C"].particles)),
        ("5C: x above 1/2 everywhere", f"least x of a voxel {float(charges['5C'].lithium.min()):.3f}"),
        ("the dendrite focuses the current", f"up to {np.percentile(density[beside], 99.9):.0f} mA/cm² beside it"),
        ('Oersted field "1-5 nT"', f"Bz {_span(oersted * 1e9)} nT"),
        ("", f"By {_span(fields['Oersted field at 25C'].sel(component='y').values * 1e9)} nT"),
        ('LixCoO2 "on the order of 10 µT"', f"{_span(electrode * 1e6)} µT"),
        ('lithium "one order of magnitude weaker"', f"{_span(dendrite * 1e6)} µT"),
    ]
    path.write_bytes(png_bytes(add_statements(cell_figure(structure, charges, maps), rows)))
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


def _beside(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask))


def _range(particles: Map) -> str:
    return f"x of particles {particles.min():.3f} to {particles.max():.3f}"


def _span(values: Map) -> str:
    low, high = np.percentile(values, [0.1, 99.9])
    return f"{low:+.2g} to {high:+.2g}"


if __name__ == "__main__":
    main()
