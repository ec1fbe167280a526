"""The current of electrons alone beside the charging current: ``python examples/electronic_path.py --out FOLDER``.

Supplement S2.5 of Pollok et al. 2025 sources a current through the electronically conducting electrode alone and finds
fields of four orders of magnitude more. Here the voltage that drives 23.5 mA/cm^2 through the cell, its open-circuit
potential left out, is put across the positive electrode from wall to wall (-y to +y) instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from charged_section import RATES, Map
from matplotlib.figure import Figure
from paper_section import STAND_OFF, PaperSection, parser

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.currents import FaceCurrents
from operando.electrochemistry.conduction import Electrode, solve_conduction
from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.resolved.builtin import cell_from_microstructure
from operando.electrochemistry.resolved.currents import face_currents
from operando.electrochemistry.resolved.run import run_protocol
from operando.magnetism.fields import oersted_field
from operando.magnetism.section import oersted_field_of_section
from operando.materials.open_circuit import open_circuit_potential_from_lithiation
from operando.materials.transport import electronic_conductivity_from_lithiation
from operando.report.microscope_maps import draw_map, draw_outlines
from operando.report.style import SEQUENTIAL, new_figure, panel_title, png_bytes, styled

LITHIUM = (0.97, 0.9, 0.8, 0.6)
"""x of LixCoO2, the same everywhere: from a semiconductor to a metal."""


@dataclass(frozen=True)
class Sourced:
    """Currents, their sum [A], the voltage that drives them [V], and the field over the surface [T]."""

    currents: FaceCurrents
    total: float
    voltage: float
    field: xr.DataArray

    def size(self, columns: Map) -> float:
        """Size of the field that 1 % of the pixels over the electrode exceed [T]."""
        return float(np.percentile(np.sqrt((self.field**2).sum("component")).values[:, columns], 99))

    @property
    def density(self) -> Map:
        """Largest size of the current density below each point ``(y, x)`` [mA/cm^2]."""
        return np.asarray(np.sqrt((self.currents.density() ** 2).sum("component")).values.max(axis=0)) / 10


def through_the_cell(structure: Microstructure, lithium: float) -> Sourced:
    """Charge at 25C, as the current sets in: it passes the voltage limit at once."""
    cell, current = cell_from_microstructure(structure), RATES["25C"]
    rest = float(open_circuit_potential_from_lithiation(lithiation=lithium, material="LixCoO2"))
    run = run_protocol(cell, protocol=[galvanostatic(current, 60.0, upper_voltage=rest)], lithiation=lithium)
    currents = face_currents(cell, run.states[-1])
    return Sourced(
        currents=currents,
        total=current * cell.section,
        voltage=float(run.voltage[-1]) - rest,
        field=oersted_field_of_section(currents, stand_off=STAND_OFF),
    )


def through_the_electrode(structure: Microstructure, lithium: float, voltage: float) -> Sourced:
    """Put a voltage across the particles from wall to wall; electrons alone flow, and leave by leads along y."""
    conductivity = float(electronic_conductivity_from_lithiation(lithiation=lithium, material="LixCoO2"))
    values = np.where(structure.mask("active"), conductivity, 0.0)
    solved = solve_conduction(
        structure.grid.array(values, name="conductivity", units="S/m"),
        electrodes={"near": Electrode(potential=voltage, side="-y"), "far": Electrode(potential=0.0, side="+y")},
        grid=structure.grid,
    )
    field = oersted_field(solved.currents, heights=STAND_OFF, closed_by_leads=True)
    return Sourced(currents=solved.currents, total=solved.total_current, voltage=voltage, field=field)


@styled
def path_figure(structure: Microstructure, cell: Sourced, electrode: Sourced) -> Figure:
    """Draw current density and field of both."""
    figure = new_figure(height=115)
    panels = figure.subplots(2, 2)
    for row, sourced, name in zip(panels, (cell, electrode), ("through the cell", "of electrons alone"), strict=True):
        density = np.maximum(sourced.density, 1e-9)
        top = 10 ** np.ceil(np.log10(np.percentile(density, 99.9)))
        settings = {"label": "|J| (mA/cm²)", "limits": (top / 1e4, top), "colours": SEQUENTIAL, "logarithmic": True}
        draw_map(figure, row[0], density, structure.grid, **settings)
        normal = sourced.field.sel(component="z").values
        unit, scale = ("nT", 1e9) if sourced is cell else ("µT", 1e6)
        draw_map(figure, row[1], normal * scale, structure.grid, label=f"Bz ({unit})")
        draw_outlines(row[1], structure)
        panel_title(row[0], "ac"[sourced is electrode], f"Current {name}")
        panel_title(row[1], "bd"[sourced is electrode], f"Field of the current {name}")
    return figure


def main() -> None:
    """Compare both at several x, and draw the last."""
    given = parser(__doc__, voxel=250e-9).parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    scene = load_scene("llzo-section-3d").at_voxel(given.voxel * 1e-9)
    structure = microstructure_from_scene(scene)
    columns = PaperSection(scene, structure, xr.DataArray()).over("positive")
    for x in LITHIUM:
        cell = through_the_cell(structure, x)
        electrode = through_the_electrode(structure, x, cell.voltage)
        current = electrode.total / cell.total
        field = electrode.size(columns) / cell.size(columns)
        print(
            f"x = {x}: {cell.voltage:.3f} V over the cell; electrons {current:.3g} times the current and {field:.3g} "
            f"times the field ({cell.size(columns) * 1e9:.2f} nT, {electrode.size(columns) * 1e6:.3g} µT); "
            f"{field / current:.2f} times at the same current",
            flush=True,
        )
    path = given.out / "electronic-path.png"
    path.write_bytes(png_bytes(path_figure(structure, cell, electrode)))
    print(f"{path}: written")


if __name__ == "__main__":
    main()
